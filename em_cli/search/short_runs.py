"""One model that is searched for, and how its search asks for climbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from em_cli.algorithms.em import EM
from em_cli.engine.arrays import Array, stack, take
from em_cli.engine.climb import Candidate, FitResult, Round
from em_cli.engine.events import Observer, ignore
from em_cli.engine.expectation import ModelStatistics, Parameters
from em_cli.engine.fit import Search
from em_cli.engine.model import Model
from em_cli.engine.protocols import Algorithm
from em_cli.engine.stopping import Status, Stopping
from em_cli.search.effort import Effort
from em_cli.search.ledger import reach
from em_cli.search.search_data import SearchData
from em_cli.search.thinning import Ends, followed, onwards, thinned

FEATURES = 80  # whose products take as long as the softmax of a row and component
REST = 60  # passes that a climb takes to come to rest, more or less
AT_REST = Stopping(0.05, REST)
SOON = Stopping(0.05, REST // 2)  # for models that can hardly be chosen
LATE = Stopping(0.05, 2 * REST), Stopping(0.05, 4 * REST)  # for those that are not, and may be the best
LATECOMERS = 8  # at least
LATE_IN_SWEEP = {True: (16, 8), False: (4, 2)}  # at most, on each of these legs, of starts and of other climbs
FEWEST = 4  # candidates that climb to rest whatever it takes: a half of so few is a matter of chance
RUNGS = (4, 12, 28)  # passes after which the lower half is given up, where not all can climb to rest
PATIENCE = 8  # times, with labels that follow a Markov chain
DIFFERENT = 0.1  # nats between distinct mixtures


@dataclass(frozen=True, slots=True, eq=False)
class Solution:
    """A sound mixture, and the kind of its origin."""

    result: FitResult
    origin: str

    @property
    def log_likelihood(self) -> float:
        return self.result.log_likelihood


@dataclass(frozen=True, slots=True, eq=False)
class ShortRuns:
    """One model, the data on which it is searched for, and what may be spent."""

    model: Model
    data: SearchData
    effort: Effort
    seed: int
    label: str = ""
    number: int = 0
    late: Algorithm = field(default_factory=EM)  # of climbs that are slow

    @property
    def cost(self) -> float:
        """Of a pass of one candidate, in rows times components, more where features are many."""
        rows, features = self.data.block.x.shape[1], self.model.family.n_features()
        return float(self.model.n_components * rows * (1 + features / FEATURES))

    def affordable(self, passes: float, least: int, most: int) -> int:
        """How many candidates may make so many passes."""
        return int(np.clip(self.budget / (self.cost * passes), least, most))

    @property
    def budget(self) -> float:
        """Chains climb slowly at first, and where they end does not show early."""
        return self.effort.budget * (PATIENCE if self.model.in_time else 1)

    def rng(self, *purpose: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, self.model.n_components, *purpose))

    def with_components(self, k: int) -> ShortRuns:
        """The same for another number of components."""
        if k == self.model.n_components:
            return self
        return replace(self, model=self.data.of_size(self.model, k))

    def candidate(self, start: Parameters | FitResult) -> Candidate:
        """A climb from parameters, or on from a result."""
        at = start.parameters if isinstance(start, FitResult) else start
        return Candidate(self.model, EM(), at, self.number, self.label)

    def candidates(
        self, statistics: Sequence[Array], latent: Sequence[object] = (), begin: Sequence[object] = ()
    ) -> list[Candidate]:
        """Climbs from the M-steps of statistics (K, S), as many components each as the model has.

        Those of the latent structure may be known, or None for all; so may components to begin the M-steps from.
        """
        if not statistics:
            return []
        known = stack(latent) if len(latent) and latent[0] is not None else None
        sums = ModelStatistics(np.stack(statistics), known)
        if len(begin) and all(components is not None for components in begin):
            made, _ = self.model.with_components(self.model.family.maximize(sums.components, stack(begin)), sums, None)
        else:
            made, _ = self.model.at_maximum(sums, None)
        return [self.candidate(take(made, place)) for place in range(len(statistics))]

    def rich(self, n_candidates: int) -> bool:
        """Whether so many may climb to rest."""
        return n_candidates * REST * self.cost <= 2 * self.budget

    def to_rest(self, candidates: Sequence[Candidate]) -> Search[list[FitResult]]:
        """The sound ends of the climbs, the highest first; where not all are affordable, of the better ones only."""
        return list((yield from self.sound_ends(candidates)).values())

    def sound_ends(self, candidates: Sequence[Candidate], patient: bool = True) -> Search[dict[int, FitResult]]:
        """The same, by the places of the candidates; the slow ones are waited for, or left where they are."""
        if self.rich(len(candidates)):
            soon = AT_REST if self.model.in_time else SOON
            ends = yield from (self.rested(candidates) if patient else thinned(self.data, candidates, soon, ignore))
            return self._sound({i: end for i, end in enumerate(ends.results) if i not in ends.given_up})
        if len(candidates) <= FEWEST:
            return self._sound(dict(enumerate((yield Round(candidates, AT_REST)))))
        running = dict(enumerate(candidates))
        for passes in RUNGS:
            ended = yield Round(list(running.values()), Stopping(0.0, passes))
            better = self._sound(dict(zip(running, ended, strict=True)))
            running = {i: onwards(better[i]) for i in list(better)[: -(-len(running) // 2)]}
        return better

    def _sound(self, results: Mapping[int, FitResult]) -> dict[int, FitResult]:
        """Those that are not degenerate, the highest first."""
        verdicts = self.data.checked(list(results.values()))
        sound = [(i, r) for (i, r), verdict in zip(results.items(), verdicts, strict=True) if not any(verdict)]
        return dict(sorted(sound, key=lambda item: -item[1].log_likelihood))

    def rested(self, candidates: Sequence[Candidate], observe: Observer = ignore, starts: bool = False) -> Search[Ends]:
        """Where the climbs have come to rest; the slow ones only where they may yet be the best."""
        ends = yield from thinned(self.data, candidates, AT_REST, observe)
        third, patient = max(LATECOMERS, len(candidates) // 3), self.effort.patient or self.model.in_time
        for leg, few in zip(LATE, LATE_IN_SWEEP[starts], strict=True):
            slow = self._slow(ends)[: third if patient else few]
            late = yield Round([onwards(ends.results[r], self.late) for r in slow], leg, observe)
            for r, result in zip(slow, late, strict=True):
                ends.went_on(r, result)
        return ends

    def _slow(self, ends: Ends) -> list[int]:
        """Those that may yet be the best, the highest first; those that have collapsed, or fallen back, may not."""
        sound = {id(result): result for result in self.sound(followed(ends))}
        best = max((r.log_likelihood for r in sound.values() if r.status is Status.CONVERGED), default=-np.inf)
        slow = [r for r, end in enumerate(ends.results) if id(end) in sound and end.status is Status.MAX_ITERATIONS]
        alone = [r for r in slow if r not in ends.joined and reach(ends.results[r]) >= best]
        return sorted(alone, key=lambda r: -ends.results[r].log_likelihood)

    def sound(self, results: Sequence[FitResult]) -> list[FitResult]:
        """Those that are not degenerate, the highest first."""
        return list(self._sound(dict(enumerate(results))).values())

    def fittest(self, found: Sequence[Solution]) -> list[Solution]:
        """The highest mixtures that differ."""
        distinct: list[Solution] = []
        for one in sorted(found, key=lambda f: -f.log_likelihood):
            if len(distinct) == self.effort.population:
                break
            if all(abs(one.log_likelihood - other.log_likelihood) > DIFFERENT for other in distinct):
                distinct.append(one)
        return distinct
