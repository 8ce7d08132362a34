"""One pass over the data answers the E-steps of all candidates."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, add, joined, map_arrays, n_candidates, take
from em_cli.engine.base_measure import base_measure, total
from em_cli.engine.cache import scratch
from em_cli.engine.expectation import Batch, LatentStatistics, ModelStatistics
from em_cli.engine.exponential_family import Exponential
from em_cli.engine.few_components import Few, few_components
from em_cli.engine.kept_features import features_of
from em_cli.engine.plan import Job, Stack, Walk, planned, tile_rows, weights_of
from em_cli.engine.protocols import Runner, sums_of
from em_cli.engine.rows import Block, Source, quanta

SMALL = 1 << 17  # log-densities; fewer are not worth waking other workers
BUFFER = 16  # numbers; with NumPy's own choice, it broadcasts short rows at half the speed
LONG_FLOATS = 1 << 22  # of log-densities computed at once, where groups of rows are looked at


@contextmanager
def small_buffers() -> Iterator[None]:
    """NumPy broadcasts with these for a while; its own come back with the state of its errors."""
    with np.errstate():
        np.setbufsize(BUFFER)
        yield


@dataclass(slots=True, eq=False)
class _Sums:
    """Over the rows seen so far; the log-likelihood without constants."""

    log_likelihood: Array  # (R,)
    components: Array  # (R, K, S)
    latent: LatentStatistics
    objective: Array | None  # (R,) without constants; None where it is the log-likelihood

    def add(self, other: _Sums) -> None:
        self.log_likelihood += other.log_likelihood
        self.objective = add(self.objective, other.objective)
        self.components += other.components
        self.latent = add(self.latent, other.latent)

    @property
    def tree(self) -> tuple[Array, Array, LatentStatistics, Array | None]:
        return self.log_likelihood, self.components, self.latent, self.objective


# of each walk: sums for its jobs, of its common features, and of the base measure, where it was asked for
Answer = list[tuple[list[_Sums], Array | None, float]]


def one_pass(stacks: Sequence[Stack], source: Source, runner: Runner) -> list[Batch]:
    """The E-steps of all stacks, reading each block once; `DataError` if groups of rows are needed, and there are none.

    Each SUM_ROWS of rows is summed tile by tile, then these sums by groups, and then the groups, all in the order of
    the rows: it matters neither who computes them, nor how the rows are cut into blocks of whole quanta.
    """
    if any(isinstance(stack.assignment, Few) for stack in stacks):
        return [_one_of(stack, source, runner) for stack in stacks]
    walks = planned(stacks, source)
    volume = source.n_rows * sum(job.n_candidates * job.model.n_components for walk in walks for job in walk.jobs)
    blocks = range(len(source))
    if len(blocks) == 1 or volume < SMALL:
        sums = sums_of((_expect(source, walks, index) for index in blocks), _added)
    else:
        sums = runner.sums(_expect, _added, source, walks, blocks)
    totals: Answer | None = None
    for answer in sums:
        totals = answer if totals is None else _added(totals, answer)
    assert totals is not None, "a source has at least one block"
    return _batches(stacks, walks, totals, source)


def _one_of(stack: Stack, source: Source, runner: Runner) -> Batch:
    """A pass for one stack."""
    if not isinstance(stack.assignment, Few):
        return one_pass([stack], source, runner)[0]
    return few_components(stack, stack.assignment, source, runner)


def _expect(source: Source, walks: list[Walk], index: int) -> list[Answer]:
    """The sums over each quantum of one block."""
    block = source[index]
    with small_buffers():
        return [[_walk(quantum, walk) for walk in walks] for quantum in quanta(block)]


def _walk(quantum: Block, walk: Walk) -> tuple[list[_Sums], Array | None, float]:
    step = tile_rows(walk.n_features)
    sums: list[_Sums] = []
    common: Array | None = None
    for rows in [slice(0, quantum.n_rows)] if walk.grouped else quantum.pieces(step):
        tile = quantum.cut(rows)
        found, part = (_of_tile if tile.n_rows <= step and not walk.grouped else _of_groups)(tile, walk)
        for j, one in found:
            if j < len(sums):
                sums[j].add(one)
            else:
                sums.append(one)
        common = part if common is None or part is None else common + part
    return sums, common, 0.0 if walk.measured else total(walk.family, quantum, quantum.weights)


def _of_tile(tile: Block, walk: Walk) -> tuple[Iterator[tuple[int, _Sums]], Array | None]:
    """The sums of each job, by pieces, and those of common features."""
    features = _features(tile, walk)
    found = (
        (j, _found(job, piece, own)) for j, job in enumerate(walk.jobs) for piece, own in _pieces(tile, features, job)
    )
    return found, _common_sums(walk, features, tile)


def _features(tile: Block, walk: Walk) -> Array:
    if walk.kept is not None:
        return features_of(walk.family, walk.kept, walk.n_features, tile)
    features = scratch("features", walk.n_features, tile.n_rows)
    walk.family.features(tile.x, features)
    return features


def _common_sums(walk: Walk, features: Array, rows: Block) -> Array | None:
    """(C,), or (R, C) of candidates that have weights of their own."""
    if walk.partial is None or walk.common is not None:
        return None
    family = walk.partial
    if walk.weights is None:
        return family.common_sums(features, rows.weights)
    some = slice(rows.first_row, rows.first_row + rows.n_rows)
    own = [weights[some] if rows.weights is None else weights[some] * rows.weights for weights in walk.weights]
    return np.stack([family.common_sums(features, each.astype(np.float64, copy=False)) for each in own])


def _pieces(tile: Block, features: Array, job: Job) -> Iterator[tuple[Block, Array]]:
    if tile.n_rows <= job.rows:
        yield tile, features
        return
    for some in tile.pieces(job.rows):
        yield tile.cut(some), features[:, some]


def _found(job: Job, piece: Block, features: Array) -> _Sums:
    joint = scratch("joint", job.n_candidates, job.model.n_components, piece.n_rows)
    _log_density(job, features, joint)
    log_likelihood, latent, objective = _posterior(job, piece, joint)
    return _Sums(log_likelihood, _statistics(job, features, joint), latent, objective)


def _log_density(job: Job, features: Array, out: Array) -> None:
    """Of the components, log-prior of the label included."""
    if job.theta is not None:
        exponential_family.log_density(features, job.theta, None, out)
    else:
        job.model.family.log_density(features, job.parameters.components, job.prior, out)


def _posterior(job: Job, piece: Block, joint: Array) -> tuple[Array, LatentStatistics, Array | None]:
    """Overwrite log-densities by weighted responsibilities.

    The log-likelihood (R,), the latent's statistics, and the objective (R,) where it is another.
    """
    latent, weights = job.model.latent, weights_of(piece, job.weights)
    posterior = latent.posterior(joint, job.parameters.latent, piece, weights, job.assignment)
    own = None if posterior.objective is None else latent.total(posterior.objective, piece, weights)
    return latent.total(posterior.log_likelihood, piece, weights), posterior.statistics, own


def _statistics(job: Job, features: Array, responsibilities: Array) -> Array:
    if job.theta is not None:
        return exponential_family.statistics(features, responsibilities)
    return job.model.family.statistics(features, responsibilities, job.frame)


def _of_groups(groups: Block, walk: Walk) -> tuple[Iterator[tuple[int, _Sums]], Array | None]:
    """The same of whole groups of rows, however long, with features tile by tile: many groups are looked at at once."""
    n, step = groups.n_rows, tile_rows(walk.n_features)
    loose = replace(groups, groups=None)
    tiles = [loose.cut(slice(first, min(first + step, n))) for first in range(0, n, step)]
    common: Array | None = None
    for tile in tiles if walk.partial is not None and walk.common is None else ():
        part = _common_sums(walk, _features(tile, walk), tile)
        common = part if common is None or part is None else common + part
    found = (
        (j, _concatenated([_found_by_tiles(part, groups, walk, tiles) for part in job.parts(n, LONG_FLOATS)]))
        for j, job in enumerate(walk.jobs)
    )
    return found, common


def _found_by_tiles(job: Job, groups: Block, walk: Walk, tiles: Sequence[Block]) -> _Sums:
    if len(tiles) == 1:
        return _found(job, groups, _features(tiles[0], walk))
    shape = (job.n_candidates, job.model.n_components)
    joint = scratch("joint", *shape, groups.n_rows)
    bounds = np.cumsum([0, *(tile.n_rows for tile in tiles)]).tolist()
    spans = [slice(first, stop) for first, stop in pairwise(bounds)]
    for tile, span in zip(tiles, spans, strict=True):
        part = scratch("part", *shape, tile.n_rows)
        _log_density(job, _features(tile, walk), part)
        joint[..., span] = part
    log_likelihood, latent, objective = _posterior(job, groups, joint)
    components = [
        _statistics(job, _features(tile, walk), np.ascontiguousarray(joint[..., span]))
        for tile, span in zip(tiles, spans, strict=True)
    ]
    return _Sums(log_likelihood, np.add.reduce(components), latent, objective)


def _added(totals: Answer, answer: Answer) -> Answer:
    for place, ((sums, common, measure), (more, also, beside)) in enumerate(zip(totals, answer, strict=True)):
        for so_far, part in zip(sums, more, strict=True):
            so_far.add(part)
        common = common if also is None or common is None else common + also
        totals[place] = sums, common, measure + beside
    return totals


def _batches(stacks: Sequence[Stack], walks: list[Walk], totals: Answer, source: Source) -> list[Batch]:
    by_stack: list[list[tuple[Job, _Sums]]] = [[] for _ in stacks]
    for walk, (sums, common, measure) in zip(walks, totals, strict=True):
        if not walk.measured:
            source.cache.base_measures.keep(walk.family, measure)
        if walk.common is not None:
            common = walk.common
        elif common is not None:
            source.cache.keep_common_sums(walk.family, walk.weights, common)
        first = 0
        for job, found in zip(walk.jobs, sums, strict=True):
            if common is not None and walk.partial is not None:
                own = common[None] if walk.weights is None else common[first : first + job.n_candidates]
                _with_common(job, walk.partial, found, own)
            first += job.n_candidates
            by_stack[job.stack].append((job, found))
    return [_batch(stack, parts, source) for stack, parts in zip(stacks, by_stack, strict=True)]


def _with_common(job: Job, family: Exponential, sums: _Sums, common: Array) -> None:
    """Add what was left out (1 or R, C)."""
    theta, _ = family.natural(job.parameters.components)
    left_out, shared = exponential_family.of_common(theta, sums.components[..., 0], common)
    sums.log_likelihood += left_out
    sums.objective = None if sums.objective is None else sums.objective + left_out
    sums.components = np.concatenate([sums.components, shared], axis=-1)


def _batch(stack: Stack, parts: list[tuple[Job, _Sums]], source: Source) -> Batch:
    model, stacked = stack.model, stack.parameters
    sums = _concatenated([sums for _, sums in parts])
    if len(parts) > 1:
        order = np.argsort(np.concatenate([np.arange(n_candidates(stacked))[job.members] for job, _ in parts]))
        sums = _Sums(*take(sums.tree, order))
    statistics = ModelStatistics(np.ascontiguousarray(sums.components), joined(sums.latent))
    constant = base_measure(model.family, source) if stack.constants is None else stack.constants
    more = constant + model.log_prior(stacked)
    own = None if sums.objective is None else sums.objective + more
    return Batch(stacked, sums.log_likelihood + more, statistics, own)


def _concatenated(parts: Sequence[_Sums]) -> _Sums:
    """Of candidates one behind the other."""
    if len(parts) == 1:
        return parts[0]
    trees = [sums.tree for sums in parts]
    return _Sums(*map_arrays(lambda *arrays: np.concatenate(arrays), trees[0], *trees[1:]))
