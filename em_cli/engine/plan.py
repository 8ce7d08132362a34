"""Which products a pass forms for the candidates, and how they are cut to fit a core's own cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, TypeGuard

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, Integers, n_candidates, take
from em_cli.engine.assignment import SOFT, Assignment
from em_cli.engine.cache import MOST_KEPT, SUM_ROWS, TileKey, scratch
from em_cli.engine.expectation import Parameters
from em_cli.engine.exponential_family import Exponential
from em_cli.engine.family import BoundFamily
from em_cli.engine.model import Model
from em_cli.engine.rows import Block, RowWeights, Source, checked_groups

TILE_FLOATS = 3 << 15  # of features per tile
LONGEST_TILE = 1 << 13  # rows
JOINT_FLOATS = 1 << 16  # of log-densities computed at once


@dataclass(frozen=True, slots=True, eq=False)
class Stack:
    """Candidates of one model whose E-steps are wanted."""

    model: Model
    parameters: Parameters  # stacked
    assignment: Assignment = SOFT
    weights: Sequence[RowWeights] | None = None  # (n,) of each candidate's own, times those of the data
    constants: Array | None = None  # (R,) what stands for the log base measure of the data, such as that under these
    plain: bool = False  # whether their statistics are to have no frame


@dataclass(slots=True, eq=False)
class Job:
    """Candidates of one stack whose E-steps take the same way."""

    stack: int  # its place among those of the pass
    members: slice | Integers
    model: Model
    parameters: Parameters
    assignment: Assignment
    prior: Array
    theta: Array | None  # natural parameters, prior included; None if the family must evaluate the candidates itself
    rows: int  # at once
    weights: Sequence[RowWeights] | None  # (n,) of each candidate's own
    plain: bool

    @property
    def frame(self) -> Any:
        """Of their statistics."""
        return None if self.plain else self.parameters.components

    @property
    def n_candidates(self) -> int:
        return len(self.prior)

    def part(self, some: slice) -> Job:
        """Some of the candidates."""
        members = np.arange(self.n_candidates)[some] if isinstance(self.members, slice) else self.members[some]
        return replace(
            self,
            members=members,
            parameters=take(self.parameters, some),
            prior=self.prior[some],
            theta=None if self.theta is None else self.theta[some],
            weights=None if self.weights is None else self.weights[some],
        )

    def parts(self, rows: int, most: int) -> Iterator[Job]:
        """As many candidates together as have at most so many log-densities of these rows."""
        at_once = max(1, most // (self.model.n_components * rows))
        if at_once >= self.n_candidates:
            yield self
            return
        for first in range(0, self.n_candidates, at_once):
            yield self.part(slice(first, first + at_once))


def weights_of(rows: Block, own: Sequence[RowWeights] | None) -> Array | None:
    """Of some rows (n,), or (R, n) where candidates have weights of their own: then until the next are asked for."""
    if own is None:
        return rows.weights
    mine, some = slice(rows.first_row, rows.first_row + rows.n_rows), scratch("weights", len(own), rows.n_rows)
    np.concatenate(own if _whole(own, rows) else [each[mine] for each in own], out=some.reshape(-1))
    return some if rows.weights is None else np.multiply(some, rows.weights, out=some)


def _whole(own: Sequence[RowWeights], rows: Block) -> TypeGuard[Sequence[Array]]:
    """Whether they are arrays, and the rows all there are: many short ones take as long to cut as to copy."""
    first = own[0]
    return isinstance(first, np.ndarray) and len(first) == rows.n_rows and {*map(type, own)} == {np.ndarray}


@dataclass(slots=True, eq=False)
class Walk:
    """Jobs that want the same features of each tile."""

    family: BoundFamily
    n_features: int
    jobs: list[Job]
    partial: Exponential | None  # the family, if they lack those that are common to all components
    common: Array | None  # the sums of these, if known, (C,); (R, C) under the weights of each candidate
    kept: dict[TileKey, Array] | None  # features of tiles walked before
    weights: Sequence[RowWeights] | None  # (n,) of its candidates' own, who are then of one stack, where `partial`
    grouped: bool  # whether its latent structures look at groups of rows, which they do at many together
    measured: bool = True  # whether the base measure of the rows is known, or no one asks for it


@lru_cache
def tile_rows(n_features: int) -> int:
    """Rows of a tile; it depends on nothing else, so the bits of a sum do not either."""
    shortest = max(32, min(160, exponential_family.PRODUCT // 4 // n_features))
    longest = min(max(TILE_FLOATS // n_features, shortest), LONGEST_TILE) // 8 * 8
    even = -(-SUM_ROWS // -(-SUM_ROWS // longest))
    return -(-even // 8) * 8


def rows_of_products(n_components: int, n_features: int) -> int:
    """Rows at once of a candidate."""
    return min(
        exponential_family.rows_at_once(n_components, n_features), max(256, JOINT_FLOATS // n_components // 32 * 32)
    )


def planned(stacks: Sequence[Stack], source: Source) -> list[Walk]:
    """The walks over the rows that answer all stacks: one for each family and what it needs of a tile."""
    walks: dict[tuple[int, int, int | None, bool], Walk] = {}
    first: dict[int, Walk] = {}  # of each family
    for place, asked in enumerate(stacks):
        family, grouped = asked.model.family, asked.model.latent.needs_groups
        if grouped:
            checked_groups(source[0])
        for members, theta in _ways(asked.model, asked.parameters):
            n_features = family.n_features() if theta is None else theta.shape[-1]
            job = _job(place, asked, members, theta, min(tile_rows(n_features), source.n_rows))
            key = id(family), n_features, None if job.weights is None else place, grouped
            if key not in walks:
                own = None if asked.weights is None else _members(asked.weights, members)
                walks[key] = _walk(family, n_features, own, source, grouped)
            walks[key].jobs.extend(job.parts(job.rows, JOINT_FLOATS))
            first.setdefault(id(family), walks[key])
        if asked.constants is None and source.cache.base_measures.of(family) is None:
            first[id(family)].measured = False
    return list(walks.values())


def _walk(
    family: BoundFamily, n_features: int, weights: Sequence[RowWeights] | None, source: Source, grouped: bool
) -> Walk:
    partial = family.exponential if n_features < family.n_features() else None
    size = source.n_rows * n_features
    kept = source.cache.features(family, size) if size <= MOST_KEPT[0] else None
    common = source.cache.common_sums(family, weights) if partial is not None else None
    return Walk(family, n_features, [], partial, common, kept, None if partial is None else weights, grouped)


def _ways(model: Model, stacked: Parameters) -> list[tuple[slice | Integers, Array | None]]:
    """Which candidates are evaluated by which natural parameters, those of their common features left out.

    Outcomes beyond the components do not have these in common: beside them, they count.
    """
    family, r = model.family, n_candidates(stacked)
    if (by_products := family.exponential) is None:
        return [(slice(0, r), None)]
    theta, apart = by_products.natural(stacked.components)
    own = family.n_features() if model.latent.extra else by_products.n_own_features()
    if not np.logical_or.reduce(apart):
        return [(slice(0, r), theta[..., :own])]
    if apart.all():
        return [(slice(0, r), None)]
    regular = np.flatnonzero(~apart)
    return [(regular, theta[regular, :, :own]), (np.flatnonzero(apart), None)]


def _job(place: int, asked: Stack, members: slice | Integers, theta: Array | None, n_rows: int) -> Job:
    model, k = asked.model, asked.model.n_components
    parameters = asked.parameters if isinstance(members, slice) else take(asked.parameters, members)
    prior = model.latent.log_prior(parameters.latent)
    if theta is not None:
        theta = theta.copy()
        theta[..., 0] += prior
    f = model.family.n_features() if theta is None else theta.shape[-1]
    rows = min(n_rows, rows_of_products(k, f))
    weights = None if asked.weights is None else _members(asked.weights, members)
    return Job(place, members, model, parameters, asked.assignment, prior, theta, rows, weights, asked.plain)


def _members(weights: Sequence[RowWeights], members: slice | Integers) -> Sequence[RowWeights]:
    return weights[members] if isinstance(members, slice) else [weights[member] for member in members]
