"""Many climbs to rest, of which few go all the way: collapsing ones, duplicates and the hopeless end before.

After some passes a climb that will be the best is already among the better ones, and most others come to an end
that one of these comes to as well (cf. the short runs of Biernacki, Celeux & Govaert 2003).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from em_cli.engine.climb import Candidate, FitResult, Round
from em_cli.engine.events import Observer
from em_cli.engine.fit import Search
from em_cli.engine.protocols import Algorithm
from em_cli.engine.stopping import Status, Stopping
from em_cli.search.ledger import Degeneracies
from em_cli.search.search_data import SearchData

POINTS = (8, 16, 30)  # passes after which the climbs are thinned
SLOWER = 4  # times, with labels that follow a Markov chain: where climbs end does not show so early
FEWEST = 8  # climbs that are not thinned, and that are left
KEPT = 0.6  # of those that still climb
SAME_WAY = 3e-3  # nats between climbs that come to the same end, if their weights agree
NEIGHBOURS = 3  # of the next higher climbs, with which one is compared
PROMISE = 20.0  # times what it has gained of late, a climb may gain yet
LATELY = 5  # passes


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """Where climbs have come to."""

    results: list[FitResult]  # a climb that joined another one has its end
    given_up: set[int]  # the places of those that were not followed to rest: what they look like means nothing
    joined: dict[int, FitResult]  # those that went the way of another one, as they stood when they were left
    leaders: dict[int, int]  # the places of these others

    def went_on(self, place: int, result: FitResult) -> None:
        """A climb has, and all that joined it with it."""
        self.results[place] = result
        for i in (i for i, leader in self.leaders.items() if leader == place):
            self.results[i] = replace(result, candidate=self.results[i].candidate)


def followed(ends: Ends) -> list[FitResult]:
    """To rest, or as far as there was patience."""
    return [result for i, result in enumerate(ends.results) if i not in ends.given_up]


def onwards(result: FitResult, algorithm: Algorithm | None = None) -> Candidate:
    """The climb that goes on from where one ended."""
    algorithm = algorithm or result.candidate.algorithm
    return replace(result.candidate, start=result.parameters, algorithm=algorithm, climbed=result.trace)


def thinned(data: SearchData, candidates: Sequence[Candidate], rest: Stopping, observe: Observer) -> Search[Ends]:
    """Climbs to rest, those ended on the way that need not be followed."""
    population = _Population(len(candidates))
    climbs, running = dict(enumerate(candidates)), list(range(len(candidates)))
    slow = SLOWER if candidates and candidates[0].model.in_time else 1
    points = [passes for passes in POINTS if passes < rest.max_iterations]
    for passes in points if len(candidates) > FEWEST else ():
        legs = yield Round([climbs[i] for i in running], Stopping(rest.tolerance, slow * passes), observe)
        running = population.going_on(running, legs, data.checked(legs))
        climbs = {i: onwards(population.results[i]) for i in running}
    last = yield Round([climbs[i] for i in running], rest, observe)
    chances = population.second_chances(running, last, data.checked(last))
    more = yield Round([onwards(population.results[i]) for i in chances], rest, observe)
    population.results |= zip(chances, more, strict=True)
    return population.ends()


class _Population:
    """What has become of each climb so far."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.results: dict[int, FitResult] = {}
        self.joined: dict[int, int] = {}  # climbs that go the way of another one
        self.given_up: set[int] = set()
        self.collapsed: set[int] = set()

    def going_on(self, running: list[int], legs: list[FitResult], verdicts: list[Degeneracies]) -> list[int]:
        """Those of the running that are to be followed from here."""
        self._hear(running, legs, verdicts)
        settled = max((r.log_likelihood for r in self._sound() if r.status is Status.CONVERGED), default=-np.inf)
        followed: list[int] = []
        alive = [i for i in running if i not in self.collapsed]
        for i in sorted(alive, key=lambda i: -self.results[i].log_likelihood):
            result = self.results[i]
            twin = next((j for j in followed[-NEIGHBOURS:] if _same_way(result, self.results[j])), None)
            if result.status is Status.CONVERGED:
                followed.append(i)
            elif twin is not None:
                self.joined[i] = twin
            elif _hopeless(result, settled):
                self.given_up.add(i)
            else:
                followed.append(i)
        moving = [i for i in followed if self.results[i].status is not Status.CONVERGED]
        kept = max(FEWEST, int(np.ceil(KEPT * len(followed))))
        self.given_up |= set(followed[kept:]) & set(moving)
        return [i for i in moving if i not in self.given_up]

    def second_chances(self, running: list[int], last: list[FitResult], verdicts: list[Degeneracies]) -> list[int]:
        """Those given up that stand above whatever is sound: the better ones have collapsed, and they are followed."""
        self._hear(running, last, verdicts)
        best = max((result.log_likelihood for result in self._sound()), default=-np.inf)
        chances = sorted(i for i in self.given_up if self.results[i].log_likelihood > best)
        self.given_up -= set(chances)
        return chances

    def _hear(self, running: list[int], legs: list[FitResult], verdicts: list[Degeneracies]) -> None:
        self.results |= zip(running, legs, strict=True)
        self.collapsed |= {i for i, verdict in zip(running, verdicts, strict=True) if any(verdict)}

    def _sound(self) -> list[FitResult]:
        """Of those that are followed."""
        lost = self.given_up | self.collapsed | self.joined.keys()
        return [result for i, result in self.results.items() if i not in lost]

    def ends(self) -> Ends:
        last = [self._followed(i) for i in range(self.size)]
        results = [
            self.results[i] if i == j else replace(self.results[j], candidate=self.results[i].candidate)
            for i, j in enumerate(last)
        ]
        lost = self.given_up | self.collapsed
        joined = {i: self.results[i] for i in self.joined}
        return Ends(results, {i for i, j in enumerate(last) if j in lost}, joined, {i: last[i] for i in joined})

    def _followed(self, i: int) -> int:
        while i in self.joined:
            i = self.joined[i]
        return i


def _same_way(one: FitResult, other: FitResult) -> bool:
    if abs(one.log_likelihood - other.log_likelihood) >= SAME_WAY:
        return False
    mine, its = np.sort(one.weight), np.sort(other.weight)
    return bool((np.abs(mine - its) <= 0.05 * mine.mean()).all())


def _hopeless(result: FitResult, settled: float) -> bool:
    trace = result.trace
    gained = trace[-1] - trace[max(0, len(trace) - 1 - LATELY)]
    return result.log_likelihood + PROMISE * gained + 1 < settled
