"""E-steps that look at a few components of each row: those that are near its likeliest one (Forster & Lücke 2018).

Rows of one likeliest component stand one behind the other, so that all of them are worth two products with the few
components that are near it. What is found is the free energy of truncated responsibilities, a bound of the
log-likelihood (Neal & Hinton 1998; Lücke & Eggert 2010).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from em_cli.engine.arrays import Array, Integers, map_arrays, n_candidates, stack, take
from em_cli.engine.base_measure import base_measure
from em_cli.engine.expectation import Batch, Expectation, ModelStatistics, Parameters
from em_cli.engine.family import BoundFamily
from em_cli.engine.model import Model
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Block, Source, joined
from em_cli.errors import UsageError

TILE = 4096  # rows of one likeliest component that are looked at together
FEW_FLOATS = 1 << 15  # features of rows of several such, where the rows of each are few
BAND = 1 << 17  # rows that are sorted together
NOWHERE = np.empty((0, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Sorted:
    """Rows in the order of their likeliest components."""

    x: Array  # (D, n)
    weights: Array | None  # (n,)
    places: NDArray[np.int32]  # (n,) among all rows
    begins: list[int]  # (K + 1) of each component, and n

    def tiles(self, n_features: int) -> Iterator[tuple[slice, list[tuple[int, slice]]]]:
        """Rows that are looked at together, and which of these have each component for their likeliest."""
        pieces = [
            (k, begin, min(begin + TILE, stop))
            for k, (first, stop) in enumerate(pairwise(self.begins))
            for begin in range(first, stop, TILE)
        ]
        some: list[tuple[int, int, int]] = []
        for piece in pieces:
            if some and (piece[2] - some[0][1]) * n_features > FEW_FLOATS:
                yield _tile(some)
                some = []
            some.append(piece)
        if some:
            yield _tile(some)

    def weighed(self, own: Array | None) -> Array | None:
        """The weights (n,) times those of a candidate's own, by the places of the rows."""
        if own is None:
            return self.weights
        some = own[self.places]
        return some if self.weights is None else some * self.weights


@dataclass(frozen=True, slots=True, eq=False)
class Few:
    """An assignment of every row among some components: those of the set of its likeliest one."""

    model: Model
    at: Parameters  # that tell which is the likeliest (no stack)
    sets: tuple[Integers, ...]  # of each component
    known: dict[int, list[Sorted]] = field(default_factory=dict, repr=False)  # of bands, by their first block

    objective = "truncated"
    inverse_temperature = 1.0

    @staticmethod
    def near(model: Model, found: Expectation, size: int) -> Few:
        """So many components for each row, by the log-density that each expects on the rows of each other."""
        theta = _theta(model, found.parameters)[0]
        features = found.statistics.components / found.weight[:, None]
        expected = features @ theta.T  # (K, K): of the rows of the first, under the second
        np.fill_diagonal(expected, np.inf)
        sets = np.sort(np.argsort(-expected, axis=1, kind="stable")[:, :size], axis=1)
        return Few(model, found.parameters, tuple(sets))

    def settle(self, densities: Array, first_row: int) -> None:
        raise AssertionError("nobody computes the densities of all components under it")


def few_components(
    model: Model, stacked: Parameters, assignment: Few, own: Array | None, source: Source, runner: Runner
) -> Batch:
    """The E-step of one candidate, whose weights of its `own` (n,) are times those of the data."""
    assert n_candidates(stacked) == 1, "climbs do not share an assignment of rows"
    law = Densities.of(model, take(stacked, 0))
    bound, components = 0.0, np.zeros((1, model.n_components, model.family.n_features()))
    for parts in runner.map(_of_blocks, source, (assignment, law, own), _bands(source)):
        for own_bound, sums in parts:
            bound += own_bound
            components[0] += sums
    height = np.zeros(1) + bound + base_measure(model.family, source) + model.log_prior(stacked)
    return Batch(stacked, height, ModelStatistics(components, None), height)


@dataclass(frozen=True, slots=True, eq=False)
class Densities:
    """Joint log-densities of rows and components, by natural parameters where these lose no digits."""

    family: BoundFamily
    components: Any  # (no stack)
    prior: Array  # (K,) log-prior of the label
    theta: Array | None  # (K, F), the log-prior in the first

    @staticmethod
    def of(model: Model, at: Parameters) -> Densities:
        prior = model.latent.log_prior(stack([at]).latent)[0]
        theta, apart = _theta(model, at)
        return Densities(model.family, at.components, prior, None if apart else theta)

    def __call__(self, features: Array, some: Integers) -> Array:
        """(C, n) of these components."""
        found: Array
        if self.theta is not None:
            found = self.theta[some] @ features
            return found
        out = np.empty((1, len(some), features.shape[1]))
        own = map_arrays(lambda array: array[some][None], self.components)
        self.family.log_density(features, own, self.prior[some][None], out)
        found = out[0]
        return found


def _bands(source: Source) -> list[tuple[int, ...]]:
    """Blocks that follow each other, as many together as have rows for a band."""
    bands, rows = [list[int]()], 0
    for index in range(len(source)):
        n = source[index].n_rows
        if bands[-1] and rows + n > BAND:
            bands.append([])
            rows = 0
        bands[-1].append(index)
        rows += n
    return list(map(tuple, bands))


def _theta(model: Model, at: Parameters) -> tuple[Array, bool]:
    """(K, F) natural parameters, the log-prior of the label in the first; and whether they do not do."""
    by_products = model.family.exponential
    assert by_products is not None, "the family has natural parameters"
    stacked = stack([at])
    theta, apart = by_products.natural(stacked.components)
    theta = theta[0].copy()
    theta[:, 0] += model.latent.log_prior(stacked.latent)[0]
    return theta, bool(np.logical_or.reduce(apart))


def _of_blocks(
    source: Source, shared: tuple[Few, Densities, Array | None], band: tuple[int, ...]
) -> list[tuple[float, Array]]:
    assignment, law, own = shared
    name, in_memory = band[0], source.place is None
    found = assignment.known.get(name)
    if found is None:
        found = _sorted(_read(source, band), assignment)
        assignment.known[name] = found if in_memory else [replace(part, x=NOWHERE) for part in found]
    elif not in_memory:  # of rows that lie on the disk no copy is held
        rows = _read(source, band)
        found = [replace(part, x=rows.x.take(part.places - rows.first_row, axis=1)) for part in found]
    return [_of_rows(part, assignment, law, own) for part in found]


def _read(source: Source, band: tuple[int, ...]) -> Block:
    rows = joined([source[index] for index in band])
    if rows.labels is not None:
        raise UsageError("--algorithm sparse knows no --labels: em, squarem and lbfgs do.")
    return replace(rows, first_row=source[band[0]].first_row)


def _sorted(rows: Block, assignment: Few) -> list[Sorted]:
    """By the likeliest component of each row, of which equally likely ones are the first; BAND rows at a time."""
    law = Densities.of(assignment.model, assignment.at)
    return [_sorted_band(rows.cut(some), law) for some in rows.pieces(BAND)]


def _sorted_band(rows: Block, law: Densities) -> Sorted:
    likeliest, every = np.empty(rows.n_rows, np.int32), np.arange(len(law.prior))
    for some in rows.pieces(TILE):
        features = np.empty((law.family.n_features(), some.stop - some.start))
        law.family.features(rows.x[:, some], features)
        likeliest[some] = law(features, every).argmax(axis=0)
    order = np.argsort(likeliest, kind="stable")
    begins = np.searchsorted(likeliest[order], np.arange(len(law.prior) + 1)).tolist()
    weights = None if rows.weights is None else rows.weights[order]
    return Sorted(rows.x.take(order, axis=1), weights, (rows.first_row + order).astype(np.int32), begins)


def _of_rows(rows: Sorted, assignment: Few, law: Densities, own: Array | None) -> tuple[float, Array]:
    """The free energy, and sums (K, F) of the features."""
    weights = rows.weighed(own)
    total, sums = 0.0, np.zeros((len(law.prior), law.family.n_features()))
    for tile, parts in rows.tiles(sums.shape[1]):
        features = np.empty((sums.shape[1], tile.stop - tile.start))
        law.family.features(rows.x[:, tile], features)
        joint = np.empty((len(assignment.sets[0]), features.shape[1]))
        for k, some in parts:
            joint[:, some] = law(features[:, some], assignment.sets[k])
        largest = joint.max(axis=0)
        np.exp(np.subtract(joint, largest, out=joint), out=joint)
        shares = joint.sum(axis=0)
        height = np.log(shares) + largest
        joint /= shares
        if weights is not None:
            joint *= weights[tile]
            height *= weights[tile]
        total += float(height.sum())
        for k, some in parts:
            sums[assignment.sets[k]] += joint[:, some] @ features[:, some].T
    return total, sums


def _tile(pieces: list[tuple[int, int, int]]) -> tuple[slice, list[tuple[int, slice]]]:
    first = pieces[0][1]
    return slice(first, pieces[-1][2]), [(k, slice(begin - first, stop - first)) for k, begin, stop in pieces]
