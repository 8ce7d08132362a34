"""Rows in blocks of SUM_ROWS that are kept one by one, wherever that is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.cache import SUM_ROWS, FeatureCache
from em_cli.engine.patterns import codes, grouped, keys
from em_cli.engine.rows import Block, Held, Source
from em_cli.sources.row_file import Kept, Part
from em_cli.sources.store import Store, room


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Blocks:
    """The rows of a run; a block is read when it is asked for."""

    n_rows: int
    n_columns: int
    cells: Sequence[Held]  # (D, n) of each block
    weights: Sequence[Held] | None  # (n,)
    labels: Sequence[Held] | None  # (n,)
    store: Store

    cache: FeatureCache = field(default_factory=FeatureCache, init=False, repr=False)

    def __len__(self) -> int:
        return len(self.cells)

    def __getitem__(self, index: int) -> Block:
        weights = None if self.weights is None else self.weights[index].read()
        labels = None if self.labels is None else self.labels[index].read().astype(np.intp)
        return Block(index, self.cells[index].read(), weights, labels, index * SUM_ROWS)

    @property
    def x(self) -> Array:
        """(D, n) all cells, in memory."""
        parts = [held.read() for held in self.cells]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)

    @property
    def place(self) -> str | None:
        return None if self.store.path is None else str(self.store.path)

    def __reduce__(self) -> tuple[object, ...]:
        return _read_elsewhere, (self.n_rows, self.n_columns, self.cells, self.weights, self.labels)

    def keep(self, numbers: Array) -> Held:
        return self.store.keep(numbers)

    def in_pattern_order(self) -> Source:
        """As a stable sort of all rows would have it, by one read that counts the patterns and one that moves rows."""
        counts: dict[tuple[float, ...], int] = {}
        ordered, last = True, None
        for held in self.cells:
            found = codes(held.read())
            groups = grouped(found)
            for pattern, rows in zip(keys(groups.codes), np.diff(groups.bounds).tolist(), strict=True):
                counts[pattern] = counts.get(pattern, 0) + rows
                ordered = ordered and (last is None or pattern >= last) and groups.order is None
                last = pattern
        if ordered:
            return self
        return _moved(self, counts)


def _read_elsewhere(
    n_rows: int,
    n_columns: int,
    cells: Sequence[Held],
    weights: Sequence[Held] | None,
    labels: Sequence[Held] | None,
) -> Blocks:
    """The rows as another process reads them, which keeps nothing itself."""
    return Blocks(n_rows, n_columns, cells, weights, labels, Store())


def _moved(source: Blocks, counts: dict[tuple[float, ...], int]) -> Blocks:
    """The rows in the order of their patterns, of which there are so many each."""
    patterns = sorted(counts)
    starts = dict(zip(patterns, np.cumsum([0, *(counts[pattern] for pattern in patterns)]).tolist(), strict=False))
    d, weighted, labelled = source.n_columns, source.weights is not None, source.labels is not None
    sizes = [min(SUM_ROWS, source.n_rows - first) for first in range(0, source.n_rows, SUM_ROWS)]
    kept = [source.store.reserve(d + weighted + labelled, size) for size in sizes]
    for block in (source[index] for index in range(len(source))):
        groups = grouped(codes(block.x))
        places = np.empty(block.n_rows, np.intp)
        order = np.arange(block.n_rows) if groups.order is None else groups.order
        for pattern, some in zip(keys(groups.codes), groups.slices, strict=True):
            n = some.stop - some.start
            places[order[some]] = np.arange(starts[pattern], starts[pattern] + n)
            starts[pattern] += n
        _put(block, places, kept)
    return Blocks(
        source.n_rows,
        d,
        [Part(block, slice(0, d)) for block in kept],
        [Part(block, d) for block in kept] if weighted else None,
        [Part(block, d + weighted) for block in kept] if labelled else None,
        source.store,
    )


def _put(block: Block, places: Integers, kept: Sequence[Kept]) -> None:
    """The rows of a block, each at its place (n,) among those that are kept."""
    more = [part for part in (block.weights, block.labels) if part is not None]
    of, at = np.divmod(places, SUM_ROWS)
    order = np.argsort(of, kind="stable")
    bounds = np.flatnonzero(np.diff(of[order]))
    for rows in np.split(order, bounds + 1):
        lines = kept[of[rows[0]]].changing()
        for line, part in zip(lines, [*block.x, *more], strict=True):
            line[at[rows]] = part[rows]


@dataclass(frozen=True, slots=True, eq=False)
class FittedRows:
    """The data row, from 0, of each row of a source, ascending."""

    n: int
    numbers: Sequence[Held | None]  # of each block; None where they are the places of its rows

    def __len__(self) -> int:
        return self.n

    @staticmethod
    def every(n: int) -> FittedRows:
        """Where all rows are fitted."""
        return FittedRows(n, [None] * -(-n // SUM_ROWS))

    @property
    def all(self) -> Integers:
        """(n,) in memory."""
        return self.between(0, self.n)

    def tolist(self) -> list[int]:
        """All of them."""
        return [int(row) for row in self.all]

    def between(self, first: int, stop: int) -> Integers:
        """Those of the rows from `first` to `stop`."""
        found = []
        for index in range(first // SUM_ROWS, -(-stop // SUM_ROWS)):
            begin = index * SUM_ROWS
            some = slice(max(first, begin) - begin, min(stop, begin + SUM_ROWS) - begin)
            found.append(self._block(index)[some])
        return np.concatenate(found) if found else np.empty(0, np.intp)

    def at(self, places: Integers) -> Integers:
        """Those at these places, ascending."""
        found = np.empty(len(places), np.intp)
        of, at = np.divmod(places, SUM_ROWS)
        for index in np.unique(of).tolist():
            found[of == index] = self._block(index)[at[of == index]]
        return found

    def _block(self, index: int) -> Integers:
        held, first = self.numbers[index], index * SUM_ROWS
        if held is None:
            return np.arange(first, min(first + SUM_ROWS, self.n))
        return held.read().astype(np.intp)


class Filling:
    """Blocks as they are filled with the rows to fit, one behind the other; what their columns hold."""

    def __init__(self, store: Store, n_columns: int, n_most: int, weighted: bool, labelled: bool) -> None:
        self.store, self.n_columns, self.n_most = store, n_columns, n_most
        self.lines = n_columns + weighted + labelled
        self.weighted, self.labelled = weighted, labelled
        self.n, self.total_weight = 0, 0.0
        self.fractions, self.fraction = 0, 0.0  # weights that are no whole numbers, and the first of them
        self.lowest, self.highest = np.full((2, n_columns), np.nan)
        self.gaps = np.zeros(n_columns, np.bool_)
        self._blocks: list[Kept] = []
        self._numbers: list[Held | None] = []
        self._filled = 0  # rows of the block on its way
        self._room, self._own = np.empty((self.lines, 0)), np.empty(0)

    def add(self, rows: Integers, lines: Sequence[Array]) -> None:
        """Cells, weights and labels (m,) of the next rows to fit, which have these numbers (m,)."""
        self._look(lines)
        first = 0
        while first < len(rows):
            if self._filled == self._room.shape[1]:
                size = min(SUM_ROWS, self.n_most - self.n)
                self._room, self._own, self._filled = room(self.lines, size), np.empty(size), 0
            some = slice(first, first + self._room.shape[1] - self._filled)
            n = len(rows[some])
            target = slice(self._filled, self._filled + n)
            for line, values in zip(self._room, lines, strict=True):
                line[target] = values[some]
            self._own[target] = rows[some]
            first, self._filled, self.n = first + n, self._filled + n, self.n + n
            if self._filled == self._room.shape[1]:
                self._settle()

    def _look(self, lines: Sequence[Array]) -> None:
        for j, values in enumerate(lines[: self.n_columns]):
            self.lowest[j] = np.fmin(self.lowest[j], np.fmin.reduce(values, initial=np.nan))
            self.highest[j] = np.fmax(self.highest[j], np.fmax.reduce(values, initial=np.nan))
            self.gaps[j] |= bool(np.isnan(values).any())
        if self.weighted:
            weights = lines[self.n_columns]
            self.total_weight += float(weights.sum())
            broken = weights[weights != np.rint(weights)]
            self.fraction = self.fraction if self.fractions or not len(broken) else float(broken[0])
            self.fractions += len(broken)

    def _settle(self) -> None:
        n = self._filled
        block = self._room if n == self._room.shape[1] else self._room[:, :n].copy()
        self._blocks.append(self.store.keep(block))
        first = self.n - n
        alone = self._own[0] == first and self._own[n - 1] == self.n - 1
        self._numbers.append(None if alone else self.store.keep(self._own[:n].copy()))

    def done(self) -> tuple[Blocks, FittedRows]:
        """All of them; weights and labels as they are."""
        if 0 < self._filled < self._room.shape[1]:
            self._settle()
        d, kept = self.n_columns, self._blocks or [self.store.keep(np.empty((self.lines, 0)))]
        blocks = Blocks(
            self.n,
            d,
            [Part(block, slice(0, d)) for block in kept],
            [Part(block, d) for block in kept] if self.weighted else None,
            [Part(block, d + self.weighted) for block in kept] if self.labelled else None,
            self.store,
        )
        return blocks, FittedRows(self.n, self._numbers)

    def scale_weights(self, total: float) -> None:
        """Make them sum to this."""
        factor = total / self.total_weight
        for block in self._blocks:
            block.changing()[self.n_columns] *= factor
        self.total_weight = total
