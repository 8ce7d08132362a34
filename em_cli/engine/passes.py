"""One pass over the data answers the E-steps of all candidates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_cli.engine.arrays import Array, add, map_arrays, n_candidates, take
from em_cli.engine.model import Model
from em_cli.engine.protocols import Batch, Block, ModelStatistics, Parameters, Runner, Source

TILE_FLOATS = 3 << 16  # of features per tile: as many as stay in a core's own cache; few make threads wait
LONGEST_TILE = 1 << 15  # rows
STACK_FLOATS = 1 << 15  # of log-densities computed at once


Sums = tuple[Array, ModelStatistics]  # log-likelihood (R,) without constants, and statistics
Group = tuple[Model, Parameters]  # stacked candidates of one model


def one_pass(groups: Sequence[Group], source: Source, runner: Runner) -> list[Batch]:
    """The E-steps of all groups, reading each block once; sums run in block order, whoever computes them."""
    items = [(index, groups) for index in range(len(source))]
    totals: list[Sums] | None = None
    for answer in runner.map(_expect, source, items):
        totals = answer if totals is None else [add(total, part) for total, part in zip(totals, answer, strict=True)]
    assert totals is not None, "a source has at least one block"
    return [
        Batch(parameters, log_likelihood + model.constant, statistics)
        for (model, parameters), (log_likelihood, statistics) in zip(groups, totals, strict=True)
    ]


def _expect(source: Source, item: tuple[int, Sequence[Group]]) -> list[Sums]:
    """The sums over one block that each group wants."""
    index, groups = item
    block = source[index]
    answers: dict[int, Sums] = {}
    families: dict[int, list[int]] = {}
    for place, (model, _) in enumerate(groups):
        families.setdefault(id(model.family), []).append(place)
    for places in families.values():
        for place, answer in zip(places, _walk(block, [groups[p] for p in places]), strict=True):
            answers[place] = answer
    return [answers[place] for place in range(len(groups))]


def tile_rows(n_features: int) -> int:
    """Rows of a tile; it depends on nothing else, so the bits of a sum do not either."""
    return int(np.clip(TILE_FLOATS // n_features // 64 * 64, 256, LONGEST_TILE))


def _walk(block: Block, groups: Sequence[Group]) -> list[Sums]:
    """Walk the tiles of a block; groups share a family, and so the features."""
    family, n = groups[0][0].family, block.x.shape[1]
    rows = tile_rows(family.n_features())
    sums: list[Sums | None] = [None] * len(groups)
    features = np.empty((family.n_features(), min(rows, n)))
    buffers: dict[tuple[int, ...], Array] = {}
    for first in range(0, n, rows):
        tile = Block(block.index, block.x[:, first : first + rows], _cut(block.weights, first, rows))
        m = tile.x.shape[1]
        if m < features.shape[1]:
            features = np.empty((len(features), m))
        family.features(tile.x, features)
        for g, group in enumerate(groups):
            answer = _tile(tile, features, group, buffers)
            so_far = sums[g]
            sums[g] = answer if so_far is None else add(so_far, answer)
    return [s for s in sums if s is not None]


def _tile(tile: Block, features: Array, group: Group, buffers: dict[tuple[int, ...], Array]) -> Sums:
    model, stacked = group
    m, k, n_stacked = features.shape[1], model.n_components, n_candidates(stacked)
    at_once = max(1, STACK_FLOATS // (k * m))
    parts = []
    for first in range(0, n_stacked, at_once):
        parameters = stacked if at_once >= n_stacked else take(stacked, slice(first, first + at_once))
        shape = (min(at_once, n_stacked - first), k, m)
        if (joint := buffers.get(shape)) is None:
            joint = buffers[shape] = np.empty(shape)
        model.family.log_density(features, parameters.components, model.latent.log_prior(parameters.latent), joint)
        posterior = model.latent.posterior(joint, parameters.latent, tile)
        if tile.weights is None:
            log_likelihood = posterior.log_likelihood.sum(axis=1)
        else:
            log_likelihood = (posterior.log_likelihood * tile.weights).sum(axis=1)
            joint *= tile.weights
        statistics = model.family.statistics(features, joint, parameters.components)
        parts.append((log_likelihood, ModelStatistics(statistics, posterior.statistics)))
    return parts[0] if len(parts) == 1 else _joined(parts)


def _joined(parts: list[Sums]) -> Sums:
    return map_arrays(lambda *arrays: np.concatenate(arrays), parts[0], *parts[1:])


def _cut(weights: Array | None, first: int, rows: int) -> Array | None:
    return None if weights is None else weights[first : first + rows]
