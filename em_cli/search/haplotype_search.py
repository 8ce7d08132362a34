"""The search for the likeliest frequencies of haplotypes: climbs from several starts, and from crosses of their ends.

The likelihood may have many maxima (Excoffier & Slatkin 1995). Climbs from nearly even frequencies end higher than
those from random ones, and what lies between two good ends often leads to a better one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.checkpoint import Checkpoint
from em_cli.engine.climb import Candidate, FitResult, Round
from em_cli.engine.events import CROSSOVER, FINISHING, STARTS, Advanced, Observer, PhaseStarted, ignore
from em_cli.engine.expectation import Parameters
from em_cli.engine.fit import Search, run_searches
from em_cli.engine.model import Model
from em_cli.engine.protocols import Runner
from em_cli.engine.stopping import Status
from em_cli.latents.haplotypes.haplotype_law import Haplotypes, frequencies
from em_cli.latents.haplotypes.haplotype_pairs import Nothing, Pairs
from em_cli.search.ledger import SAME_OPTIMUM, Attempt, Fitted, choose
from em_cli.search.search import Plan
from em_cli.search.topic_search import distinct
from em_cli.sources.genotypes import Genotypes

EVEN, SPREAD, CROSSED, SHAKEN = "even", "nearly even", "crossover", "shaken"  # how starts are made
SHAPES = (100.0, 10.0)  # of the gamma law by which even frequencies are spread
OTHERS = 7  # ends with which the best is crossed
SHAKES = 4  # of the best, in each round
SHAKE = 2.0  # standard deviation of log-frequencies
SEED = 1e-6  # share of even frequencies in what ends are made to: what has died out may come again
CHEAP = 2e4  # haplotypes that genotypes may hold; where there are more, less is tried

Start = tuple[str, Array]  # how it is made, and frequencies (H,) that need not sum to one


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is tried."""

    starts: int
    rounds: int  # of crosses, in a row, that may fail to lead higher

    def scaled(self, volume: int) -> Extent:
        """Less, where a pass is dear: of so many haplotypes that genotypes may hold."""
        share = min(1.0, (CHEAP / volume) ** 0.5)
        return Extent(max(3, round(self.starts * share)), max(1, round(self.rounds * share)))


EXTENTS = {"low": Extent(6, 1), "normal": Extent(20, 2), "high": Extent(80, 5)}


def at(copies: Array) -> Parameters:
    """Frequencies in proportion to these numbers (H,)."""
    return Parameters(Nothing(np.zeros(1)), frequencies(copies[None]))


def haplotype_model(genotypes: Genotypes) -> Model:
    return Model(Haplotypes(len(genotypes.possible)), Pairs(), 1)


@dataclass(slots=True, eq=False)
class HaplotypeSearch:
    """What has been found and tried."""

    genotypes: Genotypes
    plan: Plan
    observe: Observer = ignore
    attempts: list[Attempt] = field(default_factory=list)

    def search(self, extent: Extent) -> Search[None]:
        """Starts, and crosses of their ends as long as these lead higher."""
        if self.plan.restarts is not None:
            starts = self._starts(self.plan.restarts)
            self._begin(FINISHING, len(starts), 0.0, 1.0)
            yield from self._climbed(starts)
            return
        starts = self._starts(extent.starts)
        first = len(starts) / (len(starts) + (OTHERS + SHAKES) * extent.rounds)
        self._begin(STARTS, len(starts), 0.0, first)
        ends = yield from self._climbed(starts)
        self._begin(CROSSOVER, 0, first, 1.0)
        failed = turn = 0
        while failed < extent.rounds and len(ends) > 1 and ends[0].status is not Status.INTERRUPTED:
            more = yield from self._climbed(self._moved(ends, turn))
            higher = more[0].log_likelihood > ends[0].log_likelihood + SAME_OPTIMUM
            ends, failed, turn = distinct([*ends, *more]), 0 if higher else failed + 1, turn + 1
            self.observe(Advanced(0, turn / (turn + extent.rounds - failed)))
        self.observe(Advanced(0, 1.0))

    def _begin(self, name: str, n_climbs: int, begins: float, ends: float) -> None:
        n_rows = self.genotypes.source.n_rows
        self.observe(PhaseStarted(name, n_climbs, 0 if n_climbs else 1, n_rows, False, begins, ends))

    def _rng(self, *what: int) -> np.random.Generator:
        return np.random.default_rng((self.plan.seed, *what))

    def _starts(self, many: int) -> list[Start]:
        """Even frequencies, those of all ways to hold a genotype being equally likely, and nearly even ones."""
        even = self.genotypes.evenly
        found = [(EVEN, even)]
        for number in range(1, many if len(even) > 2 else 1):
            shape = SHAPES[number % len(SHAPES)]
            found.append((SPREAD, even * self._rng(0, number).gamma(shape, 1 / shape, len(even))))
        return found

    def _moved(self, ends: Sequence[FitResult], turn: int) -> list[Start]:
        """Between the best and others, and about the best."""
        best, *others = [end.parameters.components.frequency[0] for end in ends[: 1 + OTHERS]]
        seed, rng = SEED * self.genotypes.evenly, self._rng(1, turn)
        crossed = [(CROSSED, (best + other) / 2 + seed) for other in others]
        shaken = [(SHAKEN, (best + seed) * np.exp(rng.normal(0.0, SHAKE, len(best)))) for _ in range(SHAKES)]
        return [*crossed, *shaken]

    def _climbed(self, starts: Sequence[Start]) -> Search[list[FitResult]]:
        """Where climbs from these end, the highest first."""
        model, first = haplotype_model(self.genotypes), len(self.attempts)
        climbs = [Candidate(model, self.plan.algorithm, at(p), first + i, "pairs") for i, (_, p) in enumerate(starts)]
        ends = yield Round(climbs, self.plan.stopping, self.observe)
        for i, ((kind, _), end) in enumerate(zip(starts, ends, strict=True)):
            self.attempts.append(Attempt(end, kind, (first + i,), (None,), True))
        return distinct(ends)

    def fitted(self) -> Fitted:
        """The best end, and how many of the starts came to it without being crossed."""
        own = [a.result.log_likelihood for a in self.attempts if a.start in (EVEN, SPREAD)]
        best = max(a.result.log_likelihood for a in self.attempts)
        return choose("", 1, self.attempts, (len(own), max(1, sum(best - one < SAME_OPTIMUM for one in own))))


def search_haplotypes(
    genotypes: Genotypes,
    plan: Plan,
    effort: str,
    runner: Runner,
    observe: Observer = ignore,
    halted: Callable[[], bool] = lambda: False,
    checkpoint: Checkpoint | None = None,
) -> Fitted:
    """The likeliest frequencies that were found."""
    own = HaplotypeSearch(genotypes, plan, observe)
    run_searches(
        [own.search(EXTENTS[effort].scaled(genotypes.n_held))], genotypes.source, runner, observe, halted, checkpoint
    )
    return own.fitted()
