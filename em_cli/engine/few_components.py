"""E-steps that look at a few components of each row: those that are near its likeliest one (Forster & Lücke 2018).

Rows of one likeliest component stand one behind the other, so that all of them are worth two products with the few
components that are near it. What is found is the free energy of truncated responsibilities, a bound of the
log-likelihood (Neal & Hinton 1998; Lücke & Eggert 2010). The other components have no share of the row, or keep the one
that they had where the sets were made: then the bound touches the log-likelihood there, and has its slope.
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
from em_cli.engine.plan import Stack
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Block, Source, joined
from em_cli.errors import UsageError

TILE = 4096  # rows of one likeliest component that are looked at together
FEW_FLOATS = 1 << 15  # features of rows of several such, where the rows of each are few
BAND = 1 << 17  # rows that are sorted together
LOST = 1e-4  # nats, to rounding
NOWHERE = np.empty((0, 0))


@dataclass(frozen=True, slots=True, eq=False)
class Sorted:
    """Rows in the order of their likeliest components."""

    x: Array  # (D, n)
    weights: Array | None  # (n,)
    places: NDArray[np.int32]  # (n,) among all rows
    begins: list[int]  # (K + 1) of each component, and n
    share: Array | None = None  # (n,) that the few components have of each row, if the others keep theirs
    kept: Array | None = None  # (K, F) sums of what these keep
    constant: float = 0.0  # their part of the free energy, but for what these sums gain

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
    keeps: bool = False  # whether the components that are not in the set of a row keep the share that they had of it
    known: dict[int, list[Sorted]] = field(default_factory=dict, repr=False)  # of bands, by their first block

    objective = "truncated"
    inverse_temperature = 1.0

    @staticmethod
    def near(model: Model, found: Expectation, size: int, keeps: bool = False) -> Few:
        """So many components for each row, by the log-density that each expects on the rows of each other.

        Where natural parameters lose too many digits to tell what the other components keep, they keep nothing.
        """
        theta, _ = _theta(model, found.parameters)
        features = found.statistics.components / found.weight[:, None]
        expected = features @ theta.T  # (K, K): of the rows of the first, under the second
        np.fill_diagonal(expected, np.inf)
        sets = np.sort(np.argsort(-expected, axis=1, kind="stable")[:, :size], axis=1)
        rounding = np.finfo(np.float64).eps * float(np.abs(found.statistics.components * theta).sum())
        return Few(model, found.parameters, tuple(sets), keeps and bool(rounding < LOST))

    def settle(self, densities: Array, first_row: int) -> None:
        raise AssertionError("nobody computes the densities of all components under it")


def few_components(asked: Stack, assignment: Few, source: Source, runner: Runner) -> Batch:
    """The E-step of one candidate, whose own weights, if it has any, are times those of the data."""
    model, stacked = asked.model, asked.parameters
    assert n_candidates(stacked) == 1, "climbs do not share an assignment of rows"
    own = None if asked.weights is None else asked.weights[0][: source.n_rows]
    law = Densities.of(model, take(stacked, 0))
    bound, components = 0.0, np.zeros((1, model.n_components, model.family.n_features()))
    for parts in runner.map(_of_blocks, source, (assignment, law, own), _bands(source)):
        for own_bound, sums in parts:
            bound += own_bound
            components[0] += sums
    constants = base_measure(model.family, source) if asked.constants is None else asked.constants
    objective = np.zeros(1) + bound + constants + model.log_prior(stacked)
    return Batch(stacked, objective, ModelStatistics(components, None), objective)


@dataclass(frozen=True, slots=True, eq=False)
class Densities:
    """Joint log-densities of rows and components, by natural parameters where these lose no digits."""

    family: BoundFamily
    components: Any  # (no stack)
    prior: Array  # (K,) log-prior of the label
    theta: Array  # (K, F), the log-prior in the first
    apart: bool  # whether these lose digits

    @staticmethod
    def of(model: Model, at: Parameters) -> Densities:
        prior = model.latent.log_prior(stack([at]).latent)[0]
        theta, apart = _theta(model, at)
        return Densities(model.family, at.components, prior, theta, apart)

    def __call__(self, features: Array, some: Integers) -> Array:
        """(C, n) of these components."""
        found: Array
        if not self.apart:
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
        found = _sorted(_read(source, band), assignment, own)
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


def _sorted(rows: Block, assignment: Few, own: Array | None) -> list[Sorted]:
    """By the likeliest component of each row, of which equally likely ones are the first; BAND rows at a time."""
    law = Densities.of(assignment.model, assignment.at)
    return [_sorted_band(rows.cut(some), assignment, law, own) for some in rows.pieces(BAND)]


def _sorted_band(rows: Block, assignment: Few, law: Densities, own: Array | None) -> Sorted:
    n, every = rows.n_rows, np.arange(len(law.prior))
    likeliest, share, kept = (
        np.empty(n, np.int32),
        np.ones(n),
        Kept(np.zeros_like(law.theta), np.array(assignment.sets)),
    )
    mine = None if own is None else own[rows.first_row : rows.first_row + n]
    weights = rows.weights if mine is None else mine if rows.weights is None else rows.weights * mine
    for some in rows.pieces(TILE):
        features = np.empty((law.family.n_features(), some.stop - some.start))
        law.family.features(rows.x[:, some], features)
        joint = law(features, every)
        likeliest[some] = joint.argmax(axis=0)
        if assignment.keeps:
            share[some] = kept.add(joint, features, likeliest[some], None if weights is None else weights[some])
    order = np.argsort(likeliest, kind="stable")
    begins = np.searchsorted(likeliest[order], np.arange(len(law.prior) + 1)).tolist()
    sorted_weights = None if rows.weights is None else rows.weights[order]
    found = Sorted(rows.x.take(order, axis=1), sorted_weights, (rows.first_row + order).astype(np.int32), begins)
    if not assignment.keeps:
        return found
    return replace(
        found, share=share[order], kept=kept.sums, constant=kept.constant - float(np.vdot(kept.sums, law.theta))
    )


@dataclass(slots=True, eq=False)
class Kept:
    """What the components that are not in the sets of rows keep of these."""

    sums: Array  # (K, F)
    sets: Integers  # (K, C)
    constant: float = 0.0

    def add(self, joint: Array, features: Array, likeliest: NDArray[np.int32], weights: Array | None) -> Array:
        """The share (n,) that the others have; of joint log-densities (K, n), which are overwritten."""
        places = self.sets[likeliest].T, np.arange(len(likeliest))
        largest = joint.max(axis=0)
        np.exp(np.subtract(joint, largest, out=joint), out=joint)
        total = joint.sum(axis=0)
        joint /= total
        share: Array = joint[places].sum(axis=0)
        joint[places] = 0.0
        bound = joint.sum(axis=0) * (np.log(total) + largest) - share * np.log(share)
        if weights is not None:
            joint *= weights
            bound *= weights
        self.sums += joint @ features.T
        self.constant += float(bound.sum())
        return share


def _of_rows(rows: Sorted, assignment: Few, law: Densities, own: Array | None) -> tuple[float, Array]:
    """The free energy, and sums (K, F) of the features."""
    weights = rows.weighed(own)
    if rows.share is not None:
        weights = rows.share if weights is None else weights * rows.share
    total, sums = rows.constant, np.zeros((len(law.prior), law.family.n_features()))
    if rows.kept is not None:
        total += float(np.vdot(rows.kept, law.theta))
        sums += rows.kept
    for tile, parts in rows.tiles(sums.shape[1]):
        features = np.empty((sums.shape[1], tile.stop - tile.start))
        law.family.features(rows.x[:, tile], features)
        joint = np.empty((len(assignment.sets[0]), features.shape[1]))
        for k, some in parts:
            joint[:, some] = law(features[:, some], assignment.sets[k])
        largest = joint.max(axis=0)
        np.exp(np.subtract(joint, largest, out=joint), out=joint)
        shares = joint.sum(axis=0)
        bound = np.log(shares) + largest
        joint /= shares
        if weights is not None:
            joint *= weights[tile]
            bound *= weights[tile]
        total += float(bound.sum())
        for k, some in parts:
            sums[assignment.sets[k]] += joint[:, some] @ features[:, some].T
    return total, sums


def _tile(pieces: list[tuple[int, int, int]]) -> tuple[slice, list[tuple[int, slice]]]:
    first = pieces[0][1]
    return slice(first, pieces[-1][2]), [(k, slice(begin - first, stop - first)) for k, begin, stop in pieces]
