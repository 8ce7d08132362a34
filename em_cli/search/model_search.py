"""The search for the best mixture of one model: many starts, crossover, split and merge search, agreement."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np

from em_cli.criteria import bic_of
from em_cli.engine.climb import Candidate, FitResult, Round
from em_cli.engine.events import Improved, Observer, ignore
from em_cli.engine.fit import Search
from em_cli.engine.protocols import Algorithm
from em_cli.engine.stopping import Status, Stopping
from em_cli.search.effort import Effort
from em_cli.search.ledger import SAME_OPTIMUM, SEARCH, Attempt, agreed, collapsed_before, doubted, reach
from em_cli.search.operators import crossover, over_split
from em_cli.search.search_data import SearchData
from em_cli.search.short_runs import DIFFERENT, REST, RUNGS, ShortRuns, Solution
from em_cli.search.split_merge import REPAIRS, level_moves, repair_degenerate, split_merge_search
from em_cli.search.starting_values import Starter
from em_cli.search.thinning import onwards

FEWEST_STARTS = 4  # of each kind
PAIRS = (0, 10)  # that are crossed in a generation
UP_AND_DOWN = {"splits", "merges"}  # what came down again had gone up: together they are one witness
SETTLED = 0.6  # of the starts
FEW_LOST = 0.25  # of the starts
PLATEAUX = 3
LOOK_BACK = 100  # passes of a finishing climb after which it is looked at: one that collapses may go on for ever
HOPELESS = 2  # searches that collapsed, times those of different origin that are to agree
LASTING = 2.5  # a crossing costs as much as climbs of so many times more components


@dataclass(slots=True, eq=False)
class ModelSearch:
    """The search for one model: what it has found, and what it has tried."""

    short_runs: ShortRuns
    kinds: Sequence[str]
    make: Starter
    algorithm: Algorithm  # that finishes
    stopping: Stopping
    numbers: Iterator[int]
    observe: Observer = ignore
    population: list[Solution] = field(default_factory=list)  # distinct sound mixtures, the highest first
    attempts: list[Attempt] = field(default_factory=list)
    ends: list[Solution] = field(default_factory=list)  # of searches, the highest first
    started: int = 0  # of each kind
    searched: int = 0
    crossed: set[tuple[float, float]] = field(default_factory=set)  # log_likelihoods of pairs
    known: dict[int, list[float]] = field(default_factory=dict)  # log-likelihoods of mixtures of other models
    told: float = -np.inf  # log-likelihood of the best fit that observers know of
    lightly: bool = False  # whether it ends without crossover and moves

    @property
    def data(self) -> SearchData:
        return self.short_runs.data

    def take(self, found: Sequence[Solution]) -> None:
        """Keep the fittest of the population and of what was found; tell of a new best."""
        self.population = self.short_runs.fittest([*self.population, *found])
        best = self.population[0].log_likelihood if self.population else -np.inf
        if best > self.told:
            self.told, model = best, self.short_runs.model
            if model.is_variational:  # a bound of the evidence has no BIC
                return
            own = bic_of(best, model.n_parameters, self.data.n_for_bic)
            self.observe(Improved(self.short_runs.label, model.n_components, best, own, self.data.block.n_rows))

    def add(self, results: Sequence[FitResult], origin: str) -> None:
        """Take sound mixtures of one origin into the population."""
        self.add_each([Solution(r, origin) for r in results])

    def add_each(self, solutions: Sequence[Solution]) -> None:
        """Take sound mixtures into the population; those at rest are ends of the search as well."""
        known = {id(found) for found in self.population}
        self.take(solutions)
        for found in self.population:
            if id(found) not in known and found.result.status is Status.CONVERGED:
                result = replace(found.result, candidate=replace(found.result.candidate, number=next(self.numbers)))
                self.attempts.append(Attempt(result, found.origin, (), self.data.degeneracies(result), True))

    def untold(self, results: Sequence[FitResult]) -> list[FitResult]:
        """Those of mixtures of other models that it has not been told of; from now on it has been."""
        new: list[FitResult] = []
        for result in results:
            known = self.known.setdefault(id(result.candidate.model), [])
            if all(abs(result.log_likelihood - reached) > DIFFERENT for reached in known):
                known.append(result.log_likelihood)
                new.append(result)
        return new

    def population_size(self) -> tuple[Sequence[str], int]:
        """The kinds of starts, and how many of each."""
        if self.short_runs.model.n_components == 1:
            return self.kinds[:1], 1
        most = self.short_runs.effort.starts * (2 if self.short_runs.model.in_time else 1)  # seen alone, and in company
        return self.kinds, self.short_runs.affordable(REST * len(self.kinds), FEWEST_STARTS, most)

    def start_population(self) -> Search[None]:
        """Starts of every kind, climbed to rest; where not all are affordable, by successive halving."""
        kinds, each = self.population_size()
        wanted = [(kind, number) for kind in kinds for number in range(self.started, self.started + each)]
        running: list[tuple[str, tuple[int, ...], Candidate]] = []
        for (kind, _), (seed, start) in zip(wanted, self.make(self.short_runs.model, wanted), strict=True):
            running.append((kind, seed, replace(self.short_runs.candidate(start), number=next(self.numbers))))
        self.started += each
        joined: dict[int, FitResult] = {}
        if self.short_runs.rich(len(running)):
            ends = yield from self.short_runs.rested([candidate for _, _, candidate in running], self.observe, True)
            results, given_up, joined = ends.results, ends.given_up, ends.joined
        else:
            given_up = set[int]()
            for passes in RUNGS[:-1]:
                running = yield from self._halved(running, passes)
            results = yield Round([candidate for *_, candidate in running], Stopping(0.0, RUNGS[-1]), self.observe)
        verdicts, found = self.data.checked(results), list[Solution]()
        for i, ((kind, seed, _), result) in enumerate(zip(running, results, strict=True)):
            left = joined.get(i)
            at_rest = left is None and result.status is Status.CONVERGED
            way = None if left is None else result
            self.attempts.append(Attempt(left or result, kind, seed, verdicts[i], at_rest, way=way))
            if not any(verdicts[i]) and i not in given_up:
                found.append(Solution(result, kind))
        self.take(found)

    def _halved(
        self, running: list[tuple[str, tuple[int, ...], Candidate]], passes: int
    ) -> Search[list[tuple[str, tuple[int, ...], Candidate]]]:
        """The better half of the starts, and the best of each kind."""
        results = yield Round([candidate for _, _, candidate in running], Stopping(0.0, passes), self.observe)
        verdicts = self.data.checked(results)
        ranked = sorted(range(len(results)), key=lambda r: (any(verdicts[r]), -results[r].log_likelihood))
        kept = ranked[: -(-len(ranked) // 2)]
        kept += [
            next(r for r in ranked if running[r][0] == kind) for kind in dict.fromkeys(kind for kind, _, _ in running)
        ]
        left = []
        for r, (kind, seed, candidate) in enumerate(running):
            if r in kept:
                climbed = results[r].trace
                left.append((kind, seed, replace(candidate, start=results[r].parameters, climbed=climbed)))
            else:
                self.attempts.append(Attempt(results[r], kind, seed, verdicts[r], False))
        return left

    @property
    def starts_agree(self) -> bool:
        """Whether most of the starts, and of more than one kind, came to the same end."""
        if not self.population:
            return False
        near = [a for a in self.attempts if a.sound and self.population[0].log_likelihood - a.bound_for < DIFFERENT]
        return len(near) > SETTLED * len(self.attempts) and len({a.start for a in near}) > 1

    @property
    def smooth(self) -> bool:
        """Whether all starts climbed to rest, and few of them collapsed on their way."""
        lost, n = self._lost_starts
        return self.short_runs.rich(n) and lost < FEW_LOST * n

    @property
    def _lost_starts(self) -> tuple[int, int]:
        """How many of the starts collapsed, and how many there are."""
        kinds, each = self.population_size()
        return sum(not a.sound for a in self.attempts if a.start in kinds), len(kinds) * each

    @property
    def crowded(self) -> bool:
        """Whether most of the starts collapsed, and a second search, which might find more, costs too much."""
        lost, n = self._lost_starts
        return lost > n / 2 and not self.short_runs.rich(n)

    def crossover(self) -> Search[None]:
        """Generations of crossover, as long as one is better than the last."""
        short_runs = self.short_runs
        if self.starts_agree:
            return
        for _ in range(short_runs.effort.generations if short_runs.model.n_components > 1 else 0):
            places = sorted(combinations(range(len(self.population)), 2), key=sum)
            pairs = [(self.population[a], self.population[b]) for a, b in places]
            pairs = [pair for pair in pairs if (pair[0].log_likelihood, pair[1].log_likelihood) not in self.crossed]
            pairs = pairs[: short_runs.affordable(REST * LASTING, *PAIRS)]
            if not pairs or self.data.halted():
                break
            self.crossed |= {(a.log_likelihood, b.log_likelihood) for a, b in pairs}
            before = self.population[0].log_likelihood
            self.add((yield from crossover(short_runs, [(a.result, b.result) for a, b in pairs])), "crossover")
            if self.population[0].log_likelihood < before + SAME_OPTIMUM:
                break

    def searches(self, tell: Callable[[float], None] = lambda done: None) -> Search[None]:
        """Split and merge search from the best, until searches of different origin agree on what is best.

        It is told how much of the most that it may take is done.
        """
        yield from self._finished_alike()
        if self.crowded:
            yield from self._repaired()
        if not self.population and self.short_runs.model.prior:
            yield from self._last_resort()
        effort, done, waiting = self.short_runs.effort, list[float](), list(self.population)
        while waiting and len(done) < effort.searches and not (self.agreed or self._hopeless):
            found = waiting.pop(0)
            end = yield from self._searched(found)
            done.append(found.log_likelihood)
            tell(len(done) / (effort.searches + 1))
            if self.data.halted() and end is not None:
                break
            if not waiting:
                yield from self.crossover()
                waiting = [f for f in self.population if all(abs(f.log_likelihood - d) > SAME_OPTIMUM for d in done)]
        if not self.ends and not self.data.halted():
            yield from self._all_the_way()
        for more in range(1, effort.bounces + 1):
            if self.ends and not self.data.halted():
                for result in (yield from over_split(self.short_runs, self.ends[0].result, more)):
                    yield from self._searched(Solution(result, f"bounce by {more}"))

    def _finished_alike(self) -> Search[None]:
        """Finish the best start of each kind, where they look alike: not all lead to the same end."""
        if not self.population or not self.short_runs.rich(len(self.kinds)):
            return
        alike: dict[str, Attempt] = {}
        for attempt in sorted(self.attempts, key=lambda a: -a.result.log_likelihood):
            if attempt.sound and attempt.result.log_likelihood > self.population[0].log_likelihood - DIFFERENT:
                alike.setdefault(attempt.start, attempt)
        climbs = [onwards(attempt.result, self.algorithm) for attempt in alike.values()]
        ends, found = (yield from self._to_the_end(climbs)), list[Solution]()
        for attempt, end, degeneracies in zip(alike.values(), ends, self.data.checked(ends), strict=True):
            finished = replace(attempt, result=end, degeneracies=degeneracies, climbed=True)
            self.attempts[self.attempts.index(attempt)] = finished
            if finished.sound:
                found.append(Solution(end, attempt.start))
        self.take(found)

    def _repaired(self) -> Search[None]:
        """What the highest climbs that collapsed come to when the components that are lost are merged."""
        lost = [a for a in self.attempts if not a.sound and a.result.status is not Status.DEGENERATE]
        for number, one in enumerate(self.short_runs.fittest([Solution(a.result, a.start) for a in lost])[:REPAIRS]):
            repaired = yield from repair_degenerate(
                self.short_runs, one.result, self.short_runs.rng(4, number), far_out=True
            )
            self.add([] if repaired is None else [repaired], "repairs")

    def _last_resort(self) -> Search[None]:
        """To the end from the best starts, though none is sound: with a prior they have an end."""
        going = [a for a in self.attempts if a.result.status is not Status.DEGENERATE]
        going.sort(key=lambda a: (a.held_up, -a.result.log_likelihood))
        yield from self.climb([onwards(a.result, self.algorithm) for a in going[:FEWEST_STARTS]], "start")

    def _all_the_way(self) -> Search[None]:
        """To its end, of the climbs that were left as they had collapsed, the best that is a fit all the same."""
        cut = [a for a in self.attempts if a.climbed and a.usable and a.result.status is Status.MAX_ITERATIONS]
        for best in sorted(cut, key=lambda a: (a.held_up, -a.result.objective))[:1]:
            (end,) = yield Round([onwards(best.result, self.algorithm)], self.stopping, self.observe)
            self.attempts.append(Attempt(end, best.start, best.seed, self.data.degeneracies(end), True))

    def finish(self) -> Search[None]:
        """The best of the population, to the end of its climb; where it collapses there, the next."""
        for found in list(self.population):
            end = yield from self._finished(found.result)
            self.attempts.append(Attempt(end, found.origin, (), self.data.degeneracies(end), True))
            if self.attempts[-1].sound:
                return self._ended(Solution(end, found.origin))

    def doubt(self) -> float:
        """Nats that a light search may have missed."""
        return float("inf") if self.best is None else doubted(self.best, self.attempts, self.kinds)

    def search_best(self) -> Search[None]:
        """One more search, from the best of the population."""
        if self.population:
            yield from self._searched(self.population[0])

    @property
    def best(self) -> FitResult | None:
        """The highest sound end of a climb."""
        ended = (a.result for a in self.attempts if a.climbed and a.sound)
        return max(ended, key=lambda result: result.log_likelihood, default=None)

    def anew(self, effort: Effort) -> ModelSearch:
        """Another search for the same model, which knows nothing of this one."""
        own = self.kinds, self.make, self.algorithm, self.stopping, self.numbers, self.observe
        return ModelSearch(replace(self.short_runs, effort=effort), *own, told=self.told)

    def of_fewer(self) -> ModelSearch:
        """A search for the model of one component less, of which nobody is told."""
        short_runs = self.short_runs.with_components(self.short_runs.model.n_components - 1)
        return ModelSearch(short_runs, self.kinds, self.make, self.algorithm, self.stopping, self.numbers)

    def learn_from(self, other: ModelSearch, origin: str) -> None:
        """Take over what another search for the same model has found: all of it counts as one."""
        self.attempts += [replace(attempt, start=origin) for attempt in other.attempts]
        self.ends = sorted([*self.ends, *other.ends], key=lambda f: -f.log_likelihood)
        self.take([Solution(found.result, origin) for found in other.population])

    def climb(self, starts: Sequence[Candidate], origin: str) -> Search[None]:
        """From starts to the end at once."""
        climbs = [replace(start, algorithm=self.algorithm, number=next(self.numbers)) for start in starts]
        results = yield from self._to_the_end(climbs)
        for result, degeneracies in zip(results, self.data.checked(results), strict=True):
            self.attempts.append(Attempt(result, origin, (), degeneracies, True))
            if self.attempts[-1].sound:
                self._ended(Solution(result, origin))

    def _ended(self, found: Solution) -> None:
        self.ends = sorted([*self.ends, found], key=lambda f: -f.log_likelihood)
        self.take([found])

    def agreement(self) -> tuple[int, int] | None:
        """How many searches were made, and how many came to the best end; None if no sound end was found."""
        own = agreed(self.attempts)
        return (1, 1) if own and self.short_runs.effort.searches == 1 else own

    @property
    def _hopeless(self) -> bool:
        """Whether so many searches collapsed, and no end was sound, that none is to be hoped for."""
        lost = sum(a.climbed and not a.sound and a.start.startswith(SEARCH) for a in self.attempts)
        return not self.ends and lost >= HOPELESS * self.short_runs.effort.agreement

    @property
    def agreed(self) -> bool:
        """Whether searches of as different origin as the effort asks for came to the best."""
        if not self.ends or self.best is None:
            return False
        best = self.best.log_likelihood
        near = [a for a in self.attempts if a.climbed and a.sound and best - a.result.log_likelihood < SAME_OPTIMUM]
        kinds = {a.start.removeprefix(SEARCH) for a in near}
        kinds -= {min(UP_AND_DOWN)} if kinds >= UP_AND_DOWN else set()
        model, wanted = self.short_runs.model, self.short_runs.effort.agreement
        return len(kinds) >= min(wanted + (1 if model.in_time else 0), model.n_components)

    def _searched(self, found: Solution) -> Search[FitResult | None]:
        """Moves until none is left, then the finish; where it degeneracies, repair and begin again."""
        number, self.searched = self.searched, self.searched + 1
        rng, result = self.short_runs.rng(0, number), found.result
        for _ in range(REPAIRS + 1):
            ended = self.ends[0].log_likelihood if self.ends else -np.inf
            result, level = yield from split_merge_search(self.short_runs, result, rng, ended)
            if self.ends and reach(result) < self.ends[0].log_likelihood:
                self.attempts.append(Attempt(result, SEARCH + found.origin, (number,), (None,), False))
                return result
            result = yield from self._finished(result)
            degeneracies = self.data.degeneracies(result)
            self.attempts.append(Attempt(result, SEARCH + found.origin, (number,), degeneracies, True))
            if self.attempts[-1].sound:
                result = yield from self._off_plateau(result, found.origin, number, level)
                self._ended(Solution(result, found.origin))
                return result
            again = None
            if not (self._hopeless or collapsed_before(result, self.attempts)):
                again = yield from repair_degenerate(self.short_runs, result, rng, self.crowded)
            if again is None:
                return None
            result = again
        return None

    def _off_plateau(
        self, result: FitResult, origin: str, number: int, starts: list[Candidate] | None
    ) -> Search[FitResult]:
        """Where a move costs next to nothing the likelihood is flat: climb to the end from where such moves lead."""
        for step in range(PLATEAUX if self.short_runs.model.n_components > 1 else 0):
            if step or starts is None:
                starts = level_moves(self.short_runs, result, self.short_runs.rng(3, number, step))
            climbs = [replace(c, algorithm=self.algorithm, number=next(self.numbers)) for c in starts]
            higher = self.short_runs.sound((yield from self._to_the_end(climbs)))
            if not higher or higher[0].log_likelihood < result.log_likelihood + self.stopping.tolerance / 10:
                break
            result = higher[0]
            self.attempts.append(Attempt(result, SEARCH + origin, (number, step), self.data.degeneracies(result), True))
        return result

    def _finished(self, result: FitResult) -> Search[FitResult]:
        candidate = self.short_runs.candidate(result)
        finishing = replace(candidate, algorithm=self.algorithm, number=next(self.numbers), climbed=result.trace)
        (end,) = yield from self._to_the_end([finishing])
        return end if end.status is not Status.DEGENERATE else result

    def _to_the_end(self, climbs: Sequence[Candidate]) -> Search[list[FitResult]]:
        """Where climbs end, looked at on their way: one that has collapsed is followed no farther."""
        longest = self.stopping.max_iterations
        passes = max((len(climb.climbed) for climb in climbs), default=0) + LOOK_BACK
        results = yield Round(climbs, replace(self.stopping, max_iterations=min(passes, longest)), self.observe)
        while passes < longest:
            slow = [r for r, result in enumerate(results) if result.status is Status.MAX_ITERATIONS]
            slow = [r for r in slow if self.data.sound(results[r])]
            if not slow:
                break
            passes *= 2
            legs = replace(self.stopping, max_iterations=min(passes, longest))
            later = yield Round([onwards(results[r]) for r in slow], legs, self.observe)
            for r, result in zip(slow, later, strict=True):
                results[r] = result
        return results
