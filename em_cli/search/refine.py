"""Split and merge search: from one mixture to others that EM cannot reach from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_cli.engine.climb import Candidate, FitResult, Leg
from em_cli.engine.fit import Search
from em_cli.engine.stopping import Status, Stopping
from em_cli.search.moves import Move, moves
from em_cli.search.scout import Scout

SURE = 0.5  # nats that a bound must promise for a move to be made without a look
WORTHWHILE = 0.1  # nats, for a move that was looked at
LEVEL = 0.5  # nats, of moves that lead nowhere lower to speak of
LOOK = 8  # passes; those who do not convince climb on, twice as far
LONGEST_LOOK = 64
FOLLOWED = (4, 24)  # moves that are looked at together
DIVERSITY = 3  # of them that share a split, or a merge
ROUNDS = 40
REPAIRS = 3


def refined(scout: Scout, result: FitResult, rng: np.random.Generator) -> Search[FitResult]:
    """Moves that are sure to climb, all at once, then those that may, until rounds of them fail."""
    failures = 0
    for _ in range(ROUNDS if scout.model.n_components > 1 else 0):
        if result.status is Status.DEGENERATE or scout.ground.halted():
            break
        view = scout.ground.view(result)
        proposals = moves(view, scout.ground, rng, scout.effort.tries)
        statistics, touched = view.statistics.copy(), set[int]()
        for move in proposals:
            if move.worth > SURE and not touched & move.touched:
                move.apply(statistics)
                touched |= move.touched
        if touched:
            (after,) = yield Leg([scout.candidate(statistics)], Stopping(0.0, LOOK))
            if after.log_likelihood > result.log_likelihood and scout.ground.sound(after):
                result = after
                continue
        chosen = _diverse(proposals, failures, _followed(scout))
        better = yield from _tried(scout, result, [move.applied(view.statistics) for move in chosen])
        if better is not None:
            result, failures = better, 0
            continue
        failures += 1
        if failures >= scout.effort.failures:
            break
    return result


def repaired(scout: Scout, result: FitResult, rng: np.random.Generator) -> Search[FitResult | None]:
    """From a degenerate mixture to one that is not: a degenerate component is merged, another one parted."""
    if result.status is Status.DEGENERATE or scout.model.n_components < 2:
        return None
    view = scout.ground.view(result)
    lost = {k for k, collapse in enumerate(scout.ground.collapses(result)) if collapse}
    proposals = [
        move
        for move in moves(view, scout.ground, rng, scout.effort.tries)
        if lost & {move.merge.i, move.merge.j} and move.split.component not in lost - {move.merge.i}
    ]
    chosen = _diverse(proposals, 0, _followed(scout))
    sound = yield from scout.to_rest([scout.candidate(move.applied(view.statistics)) for move in chosen])
    return sound[0] if sound else None


def level_moves(scout: Scout, result: FitResult, rng: np.random.Generator) -> list[Candidate]:
    """Climbs from where moves lead that cost next to nothing."""
    view = scout.ground.view(result)
    near = [move for move in moves(view, scout.ground, rng, scout.effort.tries) if move.worth > -LEVEL]
    return [scout.candidate(move.applied(view.statistics)) for move in _diverse(near, 0, FOLLOWED[0])]


def _followed(scout: Scout) -> int:
    return scout.affordable(4 * LOOK, *FOLLOWED)


def _diverse(proposals: Sequence[Move], failures: int, n: int) -> list[Move]:
    """The next n of the best moves, few of which have a part in common."""
    chosen: list[Move] = []
    for move in proposals:
        same_split = sum(other.split.component == move.split.component for other in chosen)
        same_merge = sum(other.merge == move.merge for other in chosen)
        if max(same_split, same_merge) < DIVERSITY * (failures + 1):
            chosen.append(move)
    return chosen[n * failures : n * (failures + 1)]


def _tried(scout: Scout, result: FitResult, starts: Sequence[np.ndarray]) -> Search[FitResult | None]:
    """A start that overtook the incumbent; of those that have not, the better half climbs on, as far as one may."""
    running = [scout.candidate(start) for start in starts]
    allowed = max(3 * LOOK * len(running), scout.effort.budget / scout.cost)
    passes = LOOK
    while running and allowed > 0:
        incumbent, *others = yield Leg([scout.candidate(result), *running], Stopping(1e-3, passes))
        if incumbent.status is not Status.DEGENERATE and incumbent.log_likelihood > result.log_likelihood:
            result = incumbent
        sound = scout.sound(others)
        if sound and sound[0].log_likelihood > result.log_likelihood + WORTHWHILE:
            return sound[0]
        allowed -= (1 + len(running)) * passes
        passes *= 2
        unfinished = [other for other in sound if other.status is not Status.CONVERGED]
        running = [scout.candidate(other) for other in unfinished[: max(1, len(others) // 2)]]
        if passes > LONGEST_LOOK or (1 + len(running)) * passes > allowed:
            break
    return None
