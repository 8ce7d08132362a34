"""Moves that EM cannot make: split one component, merge two others, climb again.

After Ueda, Nakano, Ghahramani & Hinton (2000), but of responsibilities rather than
parameters, so that it serves every family: a split parts the rows of a component, a merge
adds two responsibilities, and the M-step gives the parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np

from em_cli.algorithms.em import EM
from em_cli.engine.arrays import Array, take
from em_cli.engine.events import ignore
from em_cli.engine.fit import Candidate, FitResult, fit
from em_cli.engine.model import Model
from em_cli.engine.protocols import Block, Runner, Source
from em_cli.engine.scoring import score_rows
from em_cli.engine.stopping import Stopping
from em_cli.search.ledger import Assessor
from em_cli.search.partitions import whole

LOOK = Stopping(0.0, 6)  # a few passes tell which splits are promising
GLANCE = Stopping(0.0, 2)
KEPT = 8
WORTHWHILE = 0.1  # nats
ROUNDS = 12
RANDOM_HALVES = 12  # for a whole mixture: the fewer components, the more ways for each


@dataclass(frozen=True, slots=True, eq=False)
class Climber:
    """Everything a climb needs but the candidate."""

    source: Source
    runner: Runner
    assess: Assessor
    halted: Callable[[], bool]

    def sound(self, candidates: Sequence[Candidate], stopping: Stopping) -> list[FitResult]:
        """The ends of these climbs that are not degenerate."""
        if not candidates:
            return []
        results = fit(candidates, self.source, self.runner, stopping, ignore, self.halted)
        return [r for r, collapses in zip(results, self.assess(results), strict=True) if not any(collapses)]


def improve(incumbents: Sequence[FitResult], climber: Climber, stopping: Stopping, seed: int) -> list[FitResult]:
    """Each incumbent, or something higher that split and merge moves led to."""
    block = whole(climber.source)
    best = list(incumbents)
    active = [i for i, result in enumerate(best) if result.candidate.model.n_components > 1]
    embeddings = {i: best[i].candidate.model.family.embedding(block.x) for i in active}
    for step in range(ROUNDS):
        if not active or climber.halted():
            break
        split = _numbered([(i, c) for i in active for c in _splits(best[i], block, embeddings[i], (seed, step, i))])
        tops = _top(climber.sound(split, LOOK), KEPT)
        merged = _numbered([(i, c) for i in active for top in tops.get(i, []) for c in _merges(top, best[i], block)])
        moves = _numbered(
            [(i, _on(r)) for i, found in _top(climber.sound(merged, GLANCE), KEPT).items() for r in found]
        )
        ends = _top(climber.sound(moves, stopping), 1)
        active = [i for i in active if i in ends and ends[i][0].log_likelihood > best[i].log_likelihood + WORTHWHILE]
        for i in active:
            best[i] = ends[i][0]
    return best


def _splits(result: FitResult, block: Block, embedding: Array, seed: tuple[int, ...]) -> list[Candidate]:
    """Every component parted along its longest axis, between two of its rows, and into core and rim."""
    model = result.candidate.model
    larger = replace(model, n_components=model.n_components + 1)
    responsibilities = score_rows(model, result.parameters, block.x).responsibilities
    rng = np.random.default_rng(seed)
    candidates = []
    for k in range(model.n_components):
        for half in _halves(embedding, responsibilities[k], rng, max(2, RANDOM_HALVES // model.n_components)):
            parted = np.concatenate([responsibilities, (responsibilities[k] * half)[None]])
            parted[k] *= np.logical_not(half)
            candidates.append(_start(larger, block, parted))
    return candidates


def _halves(embedding: Array, responsibility: Array, rng: np.random.Generator, draws: int) -> list[Array]:
    """Ways to part the rows (n,) of a component in two."""
    share = responsibility / max(responsibility.sum(), 1e-300)
    centred = embedding - (embedding @ share)[:, None]
    values, vectors = np.linalg.eigh((centred * share) @ centred.T)
    kept = values > 1e-10 * max(values[-1], 1e-300)
    if not kept.any():
        return []
    sphered = (vectors[:, kept] / np.sqrt(values[kept])).T @ centred
    radius = (sphered**2).sum(axis=0)
    ways = [sphered[-1] > 0, radius > np.median(radius[responsibility > 0.5 * responsibility.max()])]
    cumulative = np.cumsum(share)
    for _ in range(draws):
        a, b = np.minimum(np.searchsorted(cumulative, rng.random(2) * cumulative[-1]), len(share) - 1)
        towards = sphered[:, a] - sphered[:, b]
        ways.append(towards @ sphered > towards @ (sphered[:, a] + sphered[:, b]) / 2)
    return ways


def _merges(result: FitResult, before: FitResult, block: Block) -> list[Candidate]:
    """Every pair of components made one, back to as many components as before."""
    model = before.candidate.model
    responsibilities = score_rows(result.candidate.model, result.parameters, block.x).responsibilities
    candidates = []
    for i, j in combinations(range(len(responsibilities)), 2):
        merged = np.delete(responsibilities, j, axis=0)
        merged[i] += responsibilities[j]
        candidates.append(_start(model, block, merged))
    return candidates


def _start(model: Model, block: Block, responsibilities: Array) -> Candidate:
    return Candidate(model, EM(), take(model.start(block, responsibilities[None]), 0), 0)


def _on(result: FitResult) -> Candidate:
    """Climb on from a result."""
    return replace(result.candidate, start=result.parameters, climbed=result.trace)


def _numbered(candidates: Sequence[tuple[int, Candidate]]) -> list[Candidate]:
    """Candidates that carry the place of the incumbent they are to improve."""
    return [replace(candidate, number=i) for i, candidate in candidates]


def _top(results: Sequence[FitResult], kept: int) -> dict[int, list[FitResult]]:
    """The highest results for each incumbent."""
    tops: dict[int, list[FitResult]] = {}
    for result in sorted(results, key=lambda r: -r.log_likelihood):
        mine = tops.setdefault(result.candidate.number, [])
        if len(mine) < kept and not any(abs(result.log_likelihood - m.log_likelihood) < 1e-6 for m in mine):
            mine.append(result)
    return dict(sorted(tops.items()))
