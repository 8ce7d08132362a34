"""One pass over the data answers the E-steps of all candidates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from em_cli.engine import exponential
from em_cli.engine.arrays import Array, add, map_arrays, n_candidates
from em_cli.engine.cache import SUM_ROWS, FeatureCache, scratch
from em_cli.engine.expectation import Batch, ModelStatistics
from em_cli.engine.exponential import Exponential
from em_cli.engine.plan import Group, Job, Walk, planned, tile_rows
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Block, Source

SMALL = 1 << 17  # log-densities; fewer are not worth waking other workers
BUFFER = 16  # numbers; with NumPy's own choice, it broadcasts short rows at half the speed


@dataclass(slots=True, eq=False)
class _Sums:
    """Over the rows seen so far; the log-likelihood without constants."""

    log_likelihood: Array  # (R,)
    components: Array  # (R, K, S)
    latent: Any

    def add(self, other: _Sums) -> None:
        self.log_likelihood += other.log_likelihood
        self.components += other.components
        self.latent = add(self.latent, other.latent)


Answer = list[tuple[list[_Sums], Array | None]]  # of each walk: sums for its jobs, and of its common features


def one_pass(groups: Sequence[Group], source: Source, runner: Runner) -> list[Batch]:
    """The E-steps of all groups, reading each block once.

    Each SUM_ROWS of rows is summed tile by tile, and then these sums, all in the order of the
    rows: it matters neither who computes them, nor how the rows are cut into blocks of whole quanta.
    """
    walks = planned(groups, source)
    items = [(index, walks) for index in range(len(source))]
    volume = source.n_rows * sum(len(job.prior) * job.model.n_components for walk in walks for job in walk.jobs)
    if len(items) == 1 or volume < SMALL:
        answers: Iterator[list[Answer]] = (_expect(source, item) for item in items)
    else:
        answers = runner.map(_expect, source, items)
    totals: Answer | None = None
    for quanta in answers:
        for answer in quanta:
            totals = answer if totals is None else _added(totals, answer)
    assert totals is not None, "a source has at least one block"
    return _batches(groups, walks, totals, source)


def _expect(source: Source, item: tuple[int, list[Walk]]) -> list[Answer]:
    """The sums over each quantum of one block."""
    index, walks = item
    block = source[index]
    with np.errstate():
        np.setbufsize(BUFFER)
        return [
            [_walk(block, range(first, min(first + SUM_ROWS, block.x.shape[1])), walk) for walk in walks]
            for first in range(0, block.x.shape[1], SUM_ROWS)
        ]


def _walk(block: Block, quantum: range, walk: Walk) -> tuple[list[_Sums], Array | None]:
    step = tile_rows(walk.n_features)
    sums: list[_Sums] = []
    common: Array | None = None
    for first in quantum[::step]:
        stop = min(first + step, quantum.stop)
        tile = block.cut(slice(first, stop))
        features = _features(tile, first, walk)
        if walk.partial is not None and walk.common is None:
            part = walk.partial.common_sums(features, tile.weights)
            common = part if common is None else common + part
        for j, job in enumerate(walk.jobs):
            for piece, own in _pieces(tile, features, job.rows):
                found = _found(job, piece, own)
                if j < len(sums):
                    sums[j].add(found)
                else:
                    sums.append(found)
    return sums, common


def _features(tile: Block, first: int, walk: Walk) -> Array:
    shape = (walk.n_features, tile.x.shape[1])
    if walk.kept is None:
        features = scratch("features", *shape)
        walk.family.features(tile.x, features)
        return features
    name = (walk.n_features, tile.index, first)
    if name not in walk.kept:
        features = np.empty(shape)
        walk.family.features(tile.x, features)
        walk.kept[name] = features
    return walk.kept[name]


def _pieces(tile: Block, features: Array, rows: int) -> Iterator[tuple[Block, Array]]:
    n = features.shape[1]
    if n <= rows:
        yield tile, features
        return
    for first in range(0, n, rows):
        some = slice(first, first + rows)
        yield tile.cut(some), features[:, some]


def _found(job: Job, piece: Block, features: Array) -> _Sums:
    model, at = job.model, job.parameters
    joint = scratch("joint", len(job.prior), model.n_components, features.shape[1])
    if job.theta is not None:
        exponential.log_density(features, job.theta, None, joint)
    else:
        model.family.log_density(features, at.components, job.prior, joint)
    posterior = model.latent.posterior(joint, at.latent, piece)
    by_row = posterior.log_likelihood
    if piece.weights is not None:
        by_row = by_row * piece.weights
        joint *= piece.weights
    if job.theta is not None:
        components = exponential.statistics(features, joint)
    else:
        components = model.family.statistics(features, joint, at.components)
    return _Sums(np.add.reduce(by_row, axis=1), components, posterior.statistics)


def _added(totals: Answer, answer: Answer) -> Answer:
    for place, ((sums, common), (more, also)) in enumerate(zip(totals, answer, strict=True)):
        for so_far, part in zip(sums, more, strict=True):
            so_far.add(part)
        if common is not None and also is not None:
            totals[place] = sums, common + also
    return totals


def _batches(groups: Sequence[Group], walks: list[Walk], totals: Answer, source: Source) -> list[Batch]:
    by_group: list[list[tuple[Job, _Sums]]] = [[] for _ in groups]
    memory: FeatureCache | None = getattr(source, "cache", None)
    for walk, (sums, common) in zip(walks, totals, strict=True):
        if walk.common is not None:
            common = walk.common
        elif common is not None and memory is not None:
            memory.of(walk.family)["common"] = common
        if common is not None and walk.partial is not None:
            for job, found in zip(walk.jobs, sums, strict=True):
                _with_common(job, walk.partial, found, common)
        for job, found in zip(walk.jobs, sums, strict=True):
            by_group[job.group].append((job, found))
    return [_batch(group, parts) for group, parts in zip(groups, by_group, strict=True)]


def _with_common(job: Job, family: Exponential, sums: _Sums, common: Array) -> None:
    """Add what was left out: to the log-likelihood, and to the statistics, shared by weight."""
    theta, _ = family.natural(job.parameters.components)
    sums.log_likelihood += np.add.reduce(theta[:, 0, -len(common) :] * common, axis=1)
    weight = sums.components[..., 0]
    share = weight / np.add.reduce(weight, axis=1)[:, None]
    sums.components = np.concatenate([sums.components, share[..., None] * common], axis=-1)


def _batch(group: Group, parts: list[tuple[Job, _Sums]]) -> Batch:
    model, stacked = group
    if len(parts) == 1:
        sums = parts[0][1]
    else:
        order = np.argsort(np.concatenate([np.arange(n_candidates(stacked))[job.members] for job, _ in parts]))
        found = [(sums.log_likelihood, sums.components, sums.latent) for _, sums in parts]
        sums = _Sums(*map_arrays(lambda *arrays: np.concatenate(arrays)[order], found[0], *found[1:]))
    statistics = ModelStatistics(np.ascontiguousarray(sums.components), sums.latent)
    return Batch(stacked, sums.log_likelihood + model.constant + model.log_prior(stacked), statistics)
