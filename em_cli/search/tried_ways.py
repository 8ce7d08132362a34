"""Components that are parted side by side, each on the rows that it bears, and the ways that are tried."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.model import Model
from em_cli.engine.plan import JOINT_FLOATS
from em_cli.engine.row_sums import OF_PART, parts_of_rows
from em_cli.search.search_data import SearchData
from em_cli.search.ways_to_part import ways_to_part, width

SLIGHT = 1e-3  # share of a row below which a component that is parted forgets it
NEGLIGIBLE = 0.02  # and where rows are many
ROWS_OF_PATTERN = 64  # of missing cells, on average: where they are fewer, all components stand on all rows


@dataclass(frozen=True, slots=True, eq=False)
class Borne:
    """Masses (M, n) of components on the rows of one search."""

    model: Model
    data: SearchData
    masses: Array
    first: int  # the place of the first component among those of all searches
    shares: Array  # (M, n) how much of each row a component bears, whatever the row weighs
    flags: Flags  # (M, n) whether that is enough to count
    filled: Array | None  # (F, n) of all rows, with missing cells filled in

    @staticmethod
    def of(model: Model, data: SearchData, masses: Array, first: int, few_rows: bool) -> Borne:
        weights, filled = data.block.weights, data.filled_in(model)
        shares = masses if weights is None else masses / np.maximum(weights, 1e-300)
        flags = shares > (SLIGHT if few_rows else NEGLIGIBLE)
        if few_rows and filled is None and data.n_patterns(model) > max(1, masses.shape[1] // ROWS_OF_PATTERN):
            flags[flags.any(axis=1)] = True  # patterns cost more: one E-step for all components, not one for each
        return Borne(model, data, masses, first, shares, flags, filled)

    def parts(self, rows: Integers | slice, n: int) -> Iterator[tuple[slice, Array, Array]]:
        """Some of these n rows at a time: their features (F, m), and the same with missing cells filled in."""
        for some in parts_of_rows(n, self.model.family.n_features()):
            own = some if isinstance(rows, slice) else rows[some]
            features = self.data.features(self.model, own)
            yield some, features, features if self.filled is None else self.filled[:, own]

    def on_rows(self, members: Sequence[int], w: int) -> _OnRows:
        """Some components on w rows each."""
        own = [m - self.first for m in members]
        rows, masses = np.empty((len(own), w), np.intp), np.zeros((len(own), w))
        for place, m in enumerate(own):
            some = np.flatnonzero(self.flags[m])
            if len(some) > w:
                some = some[np.linspace(0, len(some) - 1, w).astype(np.intp)]
            rows[place, : len(some)], rows[place, len(some) :] = some, some[0]
            masses[place, : len(some)] = self.masses[m, some]
        shares = np.where(masses > 0, np.take_along_axis(self.shares[own], rows, axis=1), 0.0)
        embedded = self.data.embedding(self.model).take(rows.ravel(), axis=1)
        all_alike = rows[:1] if self.flags[own].all() else rows
        places = all_alike.ravel()
        known = self.data.features(self.model, places) if self.filled is None else self.filled.take(places, axis=1)
        return _OnRows(masses, shares, _apart(embedded, rows.shape), _apart(known, all_alike.shape))


@dataclass(frozen=True, slots=True, eq=False)
class _OnRows:
    """Components on the rows of one search."""

    masses: Array  # (M, w)
    shares: Array  # (M, w)
    embedded: Array  # (M, E, w)
    features: Array  # (M, F, w), or (1, F, w) for all of them


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """Components on as many rows each, of which they bear masses, and ways to part them."""

    members: list[int]  # the places of the components among all
    features: Array  # (M, F, w) with missing cells filled in, or (1, F, w) for all of them
    masses: Array  # (M, w), none of rows that only fill up
    ways: Array  # (M, T, w)

    @property
    def n_candidates(self) -> int:
        return len(self.ways) * int(self.ways.shape[1])

    def pieces(self) -> Iterator[Tried]:
        """As many components at a time as fit a core's own cache with all their ways."""
        m, tries, w = self.ways.shape
        step = max(1, JOINT_FLOATS // (2 * tries * w))
        return (self.some(slice(first, first + step)) for first in range(0, m, step))

    def some(self, which: slice) -> Tried:
        features = self.features if len(self.features) == 1 else self.features[which]
        return Tried(self.members[which], features, self.masses[which], self.ways[which])

    def alike(self) -> Iterator[tuple[Array, slice]]:
        """The features (F, w) of rows, and the components that stand on them."""
        size = len(self.masses) if len(self.features) == 1 else 1
        return ((rows, slice(place * size, (place + 1) * size)) for place, rows in enumerate(self.features))


def side_by_side(sets: Sequence[Borne], draws: Array, tries: int, most: int | None) -> Iterator[Tried]:
    """Components on about as many rows together, at most on so many if told.

    How many rows one takes does not depend on its company.
    """
    model, widths = sets[0].model, dict[int, list[tuple[int, int]]]()
    n_columns, n_features = len(sets[0].data.block.x), model.family.n_features()
    for place, borne in enumerate(sets):
        longest = borne.masses.shape[1] if most is None else most
        for m, count in enumerate(np.count_nonzero(borne.flags, axis=1).tolist(), borne.first):
            if count:
                widths.setdefault(min(width(count), longest), []).append((place, m))
    for w, alike in sorted(widths.items()):
        step = max(1, OF_PART // (w * n_features))
        for some in (alike[first : first + step] for first in range(0, len(alike), step)):
            members = [m for _, m in some]
            own = _joined(
                [sets[p].on_rows([m for _, m in of_set], w) for p, of_set in groupby(some, lambda member: member[0])]
            )
            ways = ways_to_part(own.embedded, n_columns, own.masses, own.shares, draws[members], tries)
            yield Tried(members, own.features, own.masses, ways)


def _joined(parts: Sequence[_OnRows]) -> _OnRows:
    if len(parts) == 1:
        return parts[0]
    features = [np.broadcast_to(own.features, (len(own.masses), *own.features.shape[1:])) for own in parts]
    others = ([own.masses for own in parts], [own.shares for own in parts], [own.embedded for own in parts])
    masses, shares, embedded = map(np.concatenate, others)
    return _OnRows(masses, shares, embedded, np.concatenate(features))


def _apart(of_rows: Array, shape: tuple[int, ...]) -> Array:
    """(M, F, w) of rows (M, w), from (F, M w)."""
    return np.ascontiguousarray(of_rows.reshape(-1, *shape).swapaxes(0, 1))
