"""Which products a pass forms for its groups of candidates, and how they are cut to fit a core's own cache."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, cast

import numpy as np

from em_cli.engine import exponential
from em_cli.engine.arrays import Array, Integers, n_candidates, take
from em_cli.engine.cache import KEPT_FLOATS, SUM_ROWS, FeatureCache
from em_cli.engine.expectation import Parameters
from em_cli.engine.exponential import Exponential
from em_cli.engine.family import Family
from em_cli.engine.model import Model
from em_cli.engine.rows import Source

TILE_FLOATS = 3 << 15  # of features per tile
LONGEST_TILE = 1 << 13  # rows
JOINT_FLOATS = 1 << 16  # of log-densities computed at once

Group = tuple[Model, Parameters]  # stacked candidates of one model


@dataclass(slots=True, eq=False)
class Job:
    """Candidates of one group whose E-steps take the same way."""

    group: int
    members: slice | Integers
    model: Model
    parameters: Parameters
    prior: Array
    theta: Array | None  # natural parameters, prior included; None if the family must evaluate the candidates itself
    rows: int  # at once


@dataclass(slots=True, eq=False)
class Walk:
    """Jobs that want the same features of each tile."""

    family: Family
    n_features: int
    jobs: list[Job]
    partial: bool  # they lack those that are common to all components
    common: Array | None  # the sums of these, if known
    kept: dict[Any, Array] | None  # features of tiles walked before


@lru_cache
def tile_rows(n_features: int) -> int:
    """Rows of a tile; it depends on nothing else, so the bits of a sum do not either."""
    shortest = max(32, min(160, exponential.PRODUCT // 4 // n_features))
    longest = min(max(TILE_FLOATS // n_features, shortest), LONGEST_TILE) // 8 * 8
    even = -(-SUM_ROWS // -(-SUM_ROWS // longest))
    return -(-even // 8) * 8


def planned(groups: Sequence[Group], source: Source) -> list[Walk]:
    memory: FeatureCache | None = getattr(source, "cache", None)
    walks: dict[tuple[int, int], Walk] = {}
    for place, (model, stacked) in enumerate(groups):
        family = model.family
        for members, theta in _ways(model, stacked):
            whole = isinstance(members, slice)
            parameters = stacked if whole else take(stacked, members)
            n_features = family.n_features() if theta is None else theta.shape[-1]
            walk = walks.get((id(family), n_features))
            if walk is None:
                kept = memory.of(family) if memory is not None else {}
                partial = n_features < family.n_features()
                large = memory is None or source.n_rows * n_features > KEPT_FLOATS
                common = kept.get("common") if partial else None
                walk = Walk(family, n_features, [], partial, common, None if large else kept)
                walks[id(family), n_features] = walk
            walk.jobs.extend(_jobs(place, model, parameters, members, theta, min(tile_rows(n_features), source.n_rows)))
    return list(walks.values())


def _ways(model: Model, stacked: Parameters) -> list[tuple[slice | Integers, Array | None]]:
    """Which candidates are evaluated by which natural parameters, those of their common features left out.

    Outcomes beyond the components do not have these in common: beside them, they count.
    """
    family, r = model.family, n_candidates(stacked)
    if not hasattr(family, "natural"):
        return [(slice(0, r), None)]
    by_products = cast(Exponential, family)
    theta, apart = by_products.natural(stacked.components)
    own = family.n_features() if model.latent.extra else by_products.n_own_features()
    if not np.logical_or.reduce(apart):
        return [(slice(0, r), theta[..., :own])]
    if apart.all():
        return [(slice(0, r), None)]
    regular = np.flatnonzero(~apart)
    return [(regular, theta[regular, :, :own]), (np.flatnonzero(apart), None)]


def _jobs(
    place: int, model: Model, parameters: Parameters, members: slice | Integers, theta: Array | None, n_rows: int
) -> Iterator[Job]:
    """As many candidates together as their log-densities fit a core's own cache."""
    prior = model.latent.log_prior(parameters.latent)
    r, k = prior.shape
    if theta is not None:
        theta = theta.copy()
        theta[..., 0] += prior
    f = model.family.n_features() if theta is None else theta.shape[-1]
    rows = min(n_rows, exponential.rows_at_once(k, f), max(256, JOINT_FLOATS // k // 32 * 32))
    at_once = max(1, JOINT_FLOATS // (k * rows))
    if at_once >= r:
        yield Job(place, members, model, parameters, prior, theta, rows)
        return
    places = np.arange(r) if isinstance(members, slice) else members
    for first in range(0, r, at_once):
        some = slice(first, first + at_once)
        part = None if theta is None else theta[some]
        yield Job(place, places[some], model, take(parameters, some), prior[some], part, rows)
