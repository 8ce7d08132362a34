"""Split and merge search: from one mixture to others that EM cannot reach from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_cli.engine.climb import Candidate, FitResult, Round
from em_cli.engine.fit import Search
from em_cli.engine.stopping import Status, Stopping
from em_cli.search.moves import Move, moves
from em_cli.search.search_data import MixtureView
from em_cli.search.short_runs import AT_REST, DIFFERENT, ShortRuns

SURE = 0.5  # nats that a bound must promise for a move to be made without a look
WORTHWHILE = 0.1  # nats, for a move that was looked at
LEVEL = 0.5  # nats, of moves that lead nowhere lower to speak of
STIRRED = 1e-3  # share of all components in each
LOOK = 8  # passes; those who do not convince climb on, twice as far
LONGEST_LOOK = 64
FOLLOWED = (4, 24)  # moves that are looked at together
DIVERSITY = 3  # of them that share a split, or a merge
ROUNDS = 40
REPAIRS = 3


def split_merge_search(
    short_runs: ShortRuns, result: FitResult, rng: np.random.Generator, ended: float = -np.inf
) -> Search[tuple[FitResult, list[Candidate] | None]]:
    """Moves that are sure to climb, all at once, then those that may, until rounds of them fail.

    And climbs from where moves lead that cost next to nothing, if a round of them was looked at last. Where it comes
    by a move to the log-likelihood at which another search has ended, whose moves failed, it ends there too.
    """
    failures, level = 0, None
    for _ in range(ROUNDS if short_runs.model.n_components > 1 else 0):
        if result.status is Status.DEGENERATE or short_runs.data.halted():
            break
        view = short_runs.data.view(result)
        proposals = moves(view, short_runs.data, rng, short_runs.effort.tries)
        statistics, shares, touched = view.statistics.copy(), np.eye(len(view.statistics)), set[int]()
        for move in proposals:
            if move.worth > SURE and not touched & move.touched:
                move.apply(statistics)
                move.share(shares)
                touched |= move.touched
        if touched:
            (after,) = yield Round(short_runs.candidates([statistics], [view.carried(shares)]), Stopping(0.0, LOOK))
            if after.log_likelihood > result.log_likelihood and short_runs.data.sound(after):
                result, level = after, None
                continue
        chosen = _diverse(proposals, failures, _followed(short_runs))
        better = yield from _tried(short_runs, result, _after(short_runs, view, chosen))
        if better is not None:
            result, failures, level = (yield from _led_to(short_runs, better, ended)), 0, None
            if abs(result.log_likelihood - ended) < DIFFERENT:
                return result, []
            continue
        level = _level(short_runs, view, proposals)
        failures += 1
        if failures >= short_runs.effort.failures:
            break
    return result, level


def _led_to(short_runs: ShortRuns, result: FitResult, ended: float) -> Search[FitResult]:
    """Where a climb leads that is below the end of another search, which may be the same."""
    if result.log_likelihood > ended:
        return result
    (rested,) = yield Round([short_runs.candidate(result)], AT_REST)
    return rested if short_runs.data.sound(rested) else result


def repair_degenerate(
    short_runs: ShortRuns, result: FitResult, rng: np.random.Generator, far_out: bool
) -> Search[FitResult | None]:
    """From a degenerate mixture to one that is not: a degenerate component is merged, another one parted.

    It is merged where that costs little; with any other, where its rows are far out from all.
    """
    if result.status is Status.DEGENERATE or short_runs.model.n_components < 2:
        return None
    view = short_runs.data.view(result)
    lost = {k for k, collapse in enumerate(short_runs.data.degeneracies(result)) if collapse}
    proposals = [
        move
        for move in moves(view, short_runs.data, rng, short_runs.effort.tries, lost if far_out else frozenset())
        if lost & {move.merge.i, move.merge.j} and move.split.component not in lost - {move.merge.i}
    ]
    chosen = _diverse(proposals, 0, _followed(short_runs))
    sound = yield from short_runs.to_rest(_after(short_runs, view, chosen))
    return sound[0] if sound else None


def level_moves(short_runs: ShortRuns, result: FitResult, rng: np.random.Generator) -> list[Candidate]:
    """Climbs from where moves lead that cost next to nothing."""
    view = short_runs.data.view(result)
    return _level(short_runs, view, moves(view, short_runs.data, rng, short_runs.effort.tries))


def _level(short_runs: ShortRuns, view: MixtureView, proposals: Sequence[Move]) -> list[Candidate]:
    near = [move for move in proposals if move.worth > -LEVEL]
    return [*_after(short_runs, view, _diverse(near, 0, FOLLOWED[0])), *_stirred(short_runs, view)]


def _stirred(short_runs: ShortRuns, view: MixtureView) -> list[Candidate]:
    """In time, a climb from where each component has a little of all the others.

    A level or a transition that a start knows nothing of has the probability zero, and keeps it as long as EM climbs.
    """
    if not short_runs.model.in_time:
        return []
    k = len(view.statistics)
    shares = (1 - STIRRED) * np.eye(k) + STIRRED / k
    return short_runs.candidates([shares @ view.statistics], [view.carried(shares)])


def _after(short_runs: ShortRuns, view: MixtureView, chosen: Sequence[Move]) -> list[Candidate]:
    """Climbs from where each of the moves leads."""
    made = [move.applied(view) for move in chosen]
    return short_runs.candidates([statistics for statistics, _ in made], [latent for _, latent in made])


def _followed(short_runs: ShortRuns) -> int:
    return short_runs.affordable(4 * LOOK, *FOLLOWED)


def _diverse(proposals: Sequence[Move], failures: int, n: int) -> list[Move]:
    """The next n of the best moves, few of which have a part in common, but for pairs parted anew: up to a fourth."""
    chosen: list[Move] = []
    for move in proposals:
        if move.parts_anew:
            alike, most = sum(other.merge == move.merge and other.parts_anew for other in chosen), n // 4
        else:
            same_split = sum(other.split.component == move.split.component for other in chosen)
            alike, most = max(same_split, sum(other.merge == move.merge for other in chosen)), DIVERSITY
        if alike < max(most, DIVERSITY) * (failures + 1):
            chosen.append(move)
    return chosen[n * failures : n * (failures + 1)]


def _tried(short_runs: ShortRuns, result: FitResult, running: list[Candidate]) -> Search[FitResult | None]:
    """A start that overtook the incumbent; of those that have not, the better half climbs on, as far as one may."""
    allowed = max(3 * LOOK * len(running), short_runs.effort.budget / short_runs.cost)
    passes = LOOK
    while running and allowed > 0:
        incumbent, *others = yield Round([short_runs.candidate(result), *running], Stopping(1e-3, passes))
        if incumbent.status is not Status.DEGENERATE and incumbent.log_likelihood > result.log_likelihood:
            result = incumbent
        sound = short_runs.sound(others)
        if sound and sound[0].log_likelihood > result.log_likelihood + WORTHWHILE:
            return sound[0]
        allowed -= (1 + len(running)) * passes
        passes *= 2
        unfinished = [other for other in sound if other.status is not Status.CONVERGED]
        running = [short_runs.candidate(other) for other in unfinished[: max(1, len(others) // 2)]]
        if passes > LONGEST_LOOK or (1 + len(running)) * passes > allowed:
            break
    return None
