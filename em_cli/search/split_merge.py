"""Moves that EM cannot make: split one component, merge two others, climb again.

After Ueda, Nakano, Ghahramani & Hinton (2000), but of responsibilities rather than
parameters, so that it serves every family: a split parts the rows of a component, a merge
adds two responsibilities, and the M-step gives the parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations, islice

import numpy as np

from em_cli.algorithms.em import EM
from em_cli.engine.arrays import Array, take
from em_cli.engine.events import ignore
from em_cli.engine.fit import Candidate, FitResult, fit
from em_cli.engine.model import Model
from em_cli.engine.protocols import Block, Runner, Source
from em_cli.engine.scoring import score_rows
from em_cli.engine.stopping import Stopping
from em_cli.search.ledger import Assessor, reach
from em_cli.search.partitions import whole

GLANCE = Stopping(0.0, 2)
AHEAD = Stopping(0.0, 20)
WORTHWHILE = 0.1  # nats
START_FLOATS = 1 << 23  # responsibilities held at once


@dataclass(frozen=True, slots=True)
class Budget:
    """How much of a round is followed up, for each incumbent."""

    rounds: int
    parted: int  # components, the heaviest first
    draws: int  # random ways to part the rows of a mixture: the fewer components, the more for each
    look: int  # passes that tell which splits are promising
    kept: int  # splits, and then moves
    merged: int  # pairs for each split, the most overlapping first
    ended: int  # moves that climb to the end
    passes: int  # of these last
    prunes: bool  # whether a move that does not look like overtaking the incumbent is given up


AMPLE = Budget(rounds=12, parted=12, draws=12, look=6, kept=8, merged=30, ended=8, passes=200, prunes=False)
THRIFTY = Budget(rounds=6, parted=8, draws=4, look=4, kept=4, merged=6, ended=2, passes=80, prunes=True)


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


def improve(
    incumbents: Sequence[tuple[FitResult, bool]], climber: Climber, stopping: Stopping, budget: Budget, seed: int
) -> list[FitResult]:
    """Each incumbent, or something higher that split and merge moves led to; any sound end beats an unsound one."""
    block = whole(climber.source)
    best = [result for result, _ in incumbents]
    heights = [result.log_likelihood if sound else float("-inf") for result, sound in incumbents]
    active = [i for i, result in enumerate(best) if result.candidate.model.n_components > 1]
    embeddings = {i: best[i].candidate.model.family.embedding(block.x) for i in active}
    last = replace(stopping, max_iterations=min(stopping.max_iterations, budget.passes))
    for step in range(budget.rounds):
        if not active or climber.halted():
            break
        split = [(i, c) for i in active for c in _splits(best[i], block, embeddings[i], budget, (seed, step, i))]
        parted = _top(climber.sound(_numbered(split), Stopping(0.0, budget.look)), budget.kept)
        merged = [(i, c) for i in active for r in parted.get(i, []) for c in _merges(r, best[i], block, budget)]
        moves = _top(climber.sound(_numbered(merged), GLANCE), budget.kept)
        moves = _top(climber.sound(_onwards(moves), AHEAD), budget.ended)
        hopeful = {i: [r for r in found if reach(r) > heights[i] or not budget.prunes] for i, found in moves.items()}
        ends = _top(climber.sound(_onwards(hopeful), last), 1)
        active = [i for i in active if i in ends and ends[i][0].log_likelihood > heights[i] + WORTHWHILE]
        for i in active:
            best[i], heights[i] = ends[i][0], ends[i][0].log_likelihood
    return best


def _splits(
    result: FitResult, block: Block, embedding: Array, budget: Budget, seed: tuple[int, ...]
) -> list[Candidate]:
    """The heaviest components parted along their longest axis, between two of their rows, and into core and rim."""
    model = result.candidate.model
    larger = replace(model, n_components=model.n_components + 1)
    responsibilities = score_rows(model, result.parameters, block.x).responsibilities
    rng = np.random.default_rng(seed)
    draws = max(1, budget.draws // model.n_components)
    heaviest = np.sort(np.argsort(-responsibilities.sum(axis=1), kind="stable")[: budget.parted])

    def parted() -> Iterator[Array]:
        for k in heaviest:
            for half in _halves(embedding, responsibilities[k], rng, draws):
                both = np.concatenate([responsibilities, (responsibilities[k] * half)[None]])
                both[k] *= np.logical_not(half)
                yield both

    return _starts(larger, block, parted())


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


def _merges(result: FitResult, before: FitResult, block: Block, budget: Budget) -> list[Candidate]:
    """The pairs of components that overlap most made one, back to as many components as before."""
    responsibilities = score_rows(result.candidate.model, result.parameters, block.x).responsibilities
    size = np.sqrt(np.maximum(responsibilities.sum(axis=1), 1e-300))
    overlap = responsibilities @ responsibilities.T / np.outer(size, size)
    pairs = sorted(combinations(range(len(responsibilities)), 2), key=lambda pair: -overlap[pair])[: budget.merged]

    def merged() -> Iterator[Array]:
        for i, j in sorted(pairs):
            both = np.delete(responsibilities, j, axis=0)
            both[i] += responsibilities[j]
            yield both

    return _starts(before.candidate.model, block, merged())


def _starts(model: Model, block: Block, responsibilities: Iterator[Array]) -> list[Candidate]:
    """Candidates from the M-steps of responsibilities (K, n), as many at once as memory likes."""
    at_once = max(1, START_FLOATS // (model.n_components * block.x.shape[1]))
    candidates: list[Candidate] = []
    while some := list(islice(responsibilities, at_once)):
        parameters = model.start(block, np.stack(some))
        candidates += [Candidate(model, EM(), take(parameters, r), 0) for r in range(len(some))]
    return candidates


def _onwards(results: Mapping[int, Sequence[FitResult]]) -> list[Candidate]:
    """The climbs from where the results for each incumbent stand."""
    return _numbered(
        [(i, replace(r.candidate, start=r.parameters, climbed=r.trace)) for i, found in results.items() for r in found]
    )


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
