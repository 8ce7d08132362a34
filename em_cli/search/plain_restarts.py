"""Plain climbs from so many starts, for those who ask for a number of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from em_cli.engine.climb import Candidate, Round
from em_cli.engine.events import Observer
from em_cli.engine.fit import Search
from em_cli.engine.protocols import Algorithm
from em_cli.engine.stopping import Stopping
from em_cli.search.ledger import Attempt, reach
from em_cli.search.short_runs import ShortRuns
from em_cli.search.starting_values import Starter
from em_cli.search.thinning import onwards

SCREENING = Stopping(tolerance=0.5, max_iterations=200)
SECOND_CHOICES = 3


def plain(
    short_runs: ShortRuns,
    kinds: Sequence[str],
    make: Starter,
    restarts: int,
    finish: tuple[Algorithm, Stopping] | None,
    numbers: Iterator[int],
    observe: Observer,
) -> Search[list[Attempt]]:
    """Climbs from the starts, the kinds taken in turn; those that may yet be the best climb to the end, if wanted."""
    made = _begun(short_runs, kinds, make, restarts, numbers)
    results = yield Round([candidate for _, _, candidate in made], _screening(finish), observe)
    attempts = [
        Attempt(result, kind, seed, degeneracies, finish is None)
        for (kind, seed, _), result, degeneracies in zip(made, results, short_runs.data.checked(results), strict=True)
    ]
    if finish is None:
        return attempts
    yield from _finished(short_runs, attempts, in_the_running(attempts), finish, observe)
    if not any(attempt.climbed and attempt.sound for attempt in attempts):
        waiting = [a for a, attempt in enumerate(attempts) if attempt.sound]
        waiting.sort(key=lambda a: -attempts[a].result.log_likelihood)
        yield from _finished(short_runs, attempts, waiting[:SECOND_CHOICES], finish, observe)
    return attempts


def whole(
    short_runs: ShortRuns,
    kinds: Sequence[str],
    make: Starter,
    restarts: int,
    by: tuple[Algorithm, Stopping],
    numbers: Iterator[int],
    observe: Observer,
) -> Search[list[Attempt]]:
    """Climbs from the starts to the end, all of them by an algorithm that takes its own way from there."""
    algorithm, stopping = by
    made = _begun(short_runs, kinds, make, restarts, numbers)
    climbs = [replace(candidate, algorithm=algorithm) for _, _, candidate in made]
    results = yield Round(climbs, stopping, observe)
    return [
        Attempt(result, kind, seed, degeneracies, True)
        for (kind, seed, _), result, degeneracies in zip(made, results, short_runs.data.checked(results), strict=True)
    ]


def _begun(
    short_runs: ShortRuns, kinds: Sequence[str], make: Starter, restarts: int, numbers: Iterator[int]
) -> list[tuple[str, tuple[int, ...], Candidate]]:
    """Kind, seed and first climb of each start."""
    n_starts = restarts if short_runs.model.n_components > 1 else 1
    wanted = [(kinds[number % len(kinds)], number) for number in range(n_starts)]
    return [
        (kind, seed, replace(short_runs.candidate(start), number=next(numbers)))
        for (kind, _), (seed, start) in zip(wanted, make(short_runs.model, wanted), strict=True)
    ]


def in_the_running(attempts: Sequence[Attempt]) -> list[int]:
    """The places of those that may yet be the best: sound, and not hopelessly low."""
    sound = [a for a, attempt in enumerate(attempts) if attempt.sound] or list(range(len(attempts)))
    highest = max(attempts[a].result.log_likelihood for a in sound)
    return [a for a in sound if reach(attempts[a].result) >= highest]


def _finished(
    short_runs: ShortRuns,
    attempts: list[Attempt],
    places: list[int],
    finish: tuple[Algorithm, Stopping],
    observe: Observer,
) -> Search[None]:
    algorithm, stopping = finish
    before = [attempts[a].result for a in places]
    results = yield Round([onwards(result, algorithm) for result in before], stopping, observe)
    for a, result, degeneracies in zip(places, results, short_runs.data.checked(results), strict=True):
        attempts[a] = replace(attempts[a], result=result, degeneracies=degeneracies, climbed=True)


def _screening(finish: tuple[Algorithm, Stopping] | None) -> Stopping:
    """Never stricter than what the user asked for."""
    if finish is None:
        return SCREENING
    wanted = finish[1]
    return Stopping(max(SCREENING.tolerance, wanted.tolerance), min(SCREENING.max_iterations, wanted.max_iterations))
