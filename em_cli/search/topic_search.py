"""The search for the best topics: many starts of which the best go on, and moves from where they end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from em_cli.algorithms.em import EM
from em_cli.engine.climb import Candidate, FitResult, Round
from em_cli.engine.events import Advanced, Observer, ignore
from em_cli.engine.expectation import Parameters
from em_cli.engine.fit import Search
from em_cli.engine.model import Model
from em_cli.engine.protocols import Algorithm
from em_cli.engine.stopping import Status, Stopping
from em_cli.search.ledger import SAME_OPTIMUM, Attempt, reach
from em_cli.search.thinning import onwards
from em_cli.search.topic_moves import Moves

Start = tuple[str, tuple[int, ...], Parameters]  # how it is called, its seed, and where it is
Origins = dict[int, tuple[str, tuple[int, ...]]]  # of climbs by their numbers: how they began, and their seed

MERGED, EVEN, SEEDED = "merged", "even", "documents"  # how starts are made
WIDE = 1.5  # times as many topics, from which merged ones come
WIDE_PASSES = 10  # that these climb
OF_MERGED = 6  # starts, if there are so many, that are merged ones; of many starts a third
CROSSINGS = 3  # of the best end with each of the others
SHORT = (15, 45)  # passes after which two thirds of the starts, and all but the finalists, are left
TRIAL = 30  # passes of a move
LEG = 24  # passes after which a climb to the end begins anew: till then all that it has found may be remembered
ENDS = 8  # different ones that are kept, with their topics
CHEAP = 2e4  # cells times topics: where there are more, less is tried
FLATTENED = 2  # of the best ends, that are moved by themselves
FLAT = "flat shares"  # the move of them; of topics that were found, with alpha learned all the way
FINISHERS = 2  # of what was found on a sample
TO_THE_END = 100  # passes that a climb to its end takes, as a rule


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is tried."""

    starts: int
    finalists: int
    rounds: int  # of moves, in a row, that may fail to lead higher

    def scaled(self, volume: float) -> Extent:
        """Less, where a pass is dear: of so many cells times topics."""
        share = min(1.0, (CHEAP / volume) ** 0.5)
        return Extent(
            max(2, round(self.starts * share)),
            max(2, round(self.finalists * share)),
            round(self.rounds * share),
        )

    @property
    def kept(self) -> tuple[int, int]:
        """Starts that go on after either number of short passes."""
        return max(self.finalists, self.starts // 3), self.finalists

    @property
    def turn(self) -> float:
        """Work of a round of moves, as a rule, in passes of one climb."""
        tried = FLATTENED + (self.finalists - 1) * CROSSINGS
        return tried * TRIAL + max(1, self.finalists // 2) * TO_THE_END

    @property
    def work(self) -> float:
        """Of the whole search, as a rule."""
        short = self.starts * SHORT[0] + self.kept[0] * (SHORT[1] - SHORT[0])
        return short + self.finalists * TO_THE_END + self.rounds * self.turn


EXTENTS = {"low": Extent(8, 2, 1), "normal": Extent(48, 6, 3), "high": Extent(160, 12, 8)}


@dataclass(slots=True, eq=False)
class TopicSearch:
    """What has been found and tried, of one number of topics."""

    moves: Moves
    held: Model  # the same for early passes: alpha as it is, for learned too soon it grows, and all documents come
    # to be alike; shares sought anew in each pass, for documents else keep topics that were taken when all were alike
    wide: Moves  # of more topics, in such a model
    algorithm: Algorithm
    stopping: Stopping
    numbers: Iterator[int]
    seed: int
    observe: Observer = ignore
    part: int = 0  # of the phase, which is told how much of it is done
    attempts: list[Attempt] = field(default_factory=list)
    done: float = 0.0  # passes of one climb

    def rng(self, *what: int) -> np.random.Generator:
        return np.random.default_rng((self.seed, self.moves.model.n_components, *what))

    def search(self, extent: Extent) -> Search[None]:
        """Starts, of which the best go on; then moves, as long as they lead higher."""
        if self.moves.model.n_components == 1:
            yield from self.plain(1)
            return
        ends = yield from self._starts(extent)
        failed = turn = 0
        while failed < extent.rounds and ends and ends[0].status is not Status.INTERRUPTED:
            ends, higher = yield from self._move(ends, extent, turn, (extent.rounds - failed - 1) * extent.turn)
            failed, turn = 0 if higher else failed + 1, turn + 1

    def _tell(self, ahead: float) -> None:
        """How much is done, if so much is to come."""
        self.observe(Advanced(self.part, self.done / max(self.done + ahead, 1.0)))

    def plain(self, restarts: int) -> Search[None]:
        """Climbs to the end from so many starts."""
        kinds = [(MERGED, EVEN, SEEDED)[number % 3] for number in range(restarts)]
        some = yield from self._some(kinds if self.moves.model.n_components > 1 else [EVEN])
        yield from self._through(some, SHORT[-1], every=True)

    def finished(self, starts: Sequence[Start]) -> Search[None]:
        """Climbs to the end from these."""
        model, algorithm = self.moves.model, self.algorithm
        made = [replace(self._candidate(start), model=model, algorithm=algorithm) for *_, start in starts]
        origins: Origins = {c.number: (kind, seed) for c, (kind, seed, _) in zip(made, starts, strict=True)}
        self._ended((yield from self._to_the_end(made, every=True)), origins)

    def _through(self, starts: Sequence[Start], passes: int, every: bool) -> Search[None]:
        """The same after so many early passes."""
        made = [self._candidate(start) for *_, start in starts]
        origins: Origins = {c.number: (kind, seed) for c, (kind, seed, _) in zip(made, starts, strict=True)}
        short = yield Round(made, self._at_most(passes), self.observe)
        self.done += len(made) * passes
        self._ended((yield from self._to_the_end([self._learning(r) for r in short], every)), origins)

    def continued(self, sample: TopicSearch) -> Search[None]:
        """On all documents, from the best ends that were found on some of them."""
        ends = distinct([a.result for a in sample.attempts if a.climbed])[:FINISHERS]
        scale = self.moves.corpus.n_tokens / sample.moves.corpus.n_tokens
        at = [self.moves.scaled(end.parameters, scale) for end in ends]
        n = len(sample.moves.corpus.codes)
        self.attempts += [replace(a, climbed=False, sample_rows=n, result=_bare(a.result)) for a in sample.attempts]
        yield from self._through([("sample", (i,), start) for i, start in enumerate(at)], SHORT[0], every=False)

    def _some(self, kinds: Sequence[str]) -> Search[list[Start]]:
        """A start of each of these kinds."""
        rngs = [self.rng(0, number) for number in range(len(kinds))]
        wide = [self.wide.even(rng) for kind, rng in zip(kinds, rngs, strict=True) if kind == MERGED]
        climbs = [Candidate(self.wide.model, EM(), start, next(self.numbers)) for start in wide]
        found = iter((yield Round(climbs, self._at_most(WIDE_PASSES))))
        self.done += WIDE * WIDE_PASSES * len(climbs)
        made = {MERGED: lambda _: self.moves.merged(next(found).parameters), EVEN: self.moves.even}
        starts = [made.get(kind, self.moves.seeded)(rng) for kind, rng in zip(kinds, rngs, strict=True)]
        return [(kind, (number,), start) for number, (kind, start) in enumerate(zip(kinds, starts, strict=True))]

    def _candidate(self, start: Parameters) -> Candidate:
        return Candidate(self.held, EM(), start, next(self.numbers), "topics")

    def _at_most(self, passes: int) -> Stopping:
        return replace(self.stopping, max_iterations=min(passes, self.stopping.max_iterations))

    def _to_the_end(
        self, candidates: Sequence[Candidate], every: bool = False, ahead: float = 0.0
    ) -> Search[list[FitResult]]:
        """Where they end; of those that cannot reach the best any more where they are, unless every end counts.

        So much work is ahead when they have.
        """
        climbing, ends, passes = dict(enumerate(candidates)), dict[int, FitResult](), 0
        while climbing:
            self._tell(len(climbing) * max(LEG, TO_THE_END - passes) + ahead)
            passes, self.done = passes + LEG, self.done + LEG * len(climbing)
            found = yield Round(list(climbing.values()), self._at_most(passes), self.observe)
            ends |= zip(climbing, found, strict=True)
            cut = passes < self.stopping.max_iterations
            least = -np.inf if every else max(end.log_likelihood for end in ends.values())
            late = [place for place in climbing if cut and ends[place].status is Status.MAX_ITERATIONS]
            on = [place for place in late if reach(ends[place]) >= least]
            climbing = {place: onwards(ends[place]) for place in on}
        return [ends[place] for place in range(len(candidates))]

    def _learning(self, result: FitResult) -> Candidate:
        """The climb to the end from where an early one has come to, with alpha learned if it is to be.

        It is told of from here: while shares are sought anew the bound may fall.
        """
        return replace(result.candidate, model=self.moves.model, algorithm=self.algorithm, start=result.parameters)

    def _starts(self, extent: Extent) -> Search[list[FitResult]]:
        """The ends of the best of many starts, the highest first."""
        merged = min(extent.starts, max(OF_MERGED, extent.starts // 3))
        kinds = [MERGED] * merged + [(EVEN, SEEDED)[number % 2] for number in range(extent.starts - merged)]
        starts = yield from self._some(kinds)
        climbing = [self._candidate(start) for *_, start in starts]
        origins: Origins = {c.number: (kind, seed) for c, (kind, seed, _) in zip(climbing, starts, strict=True)}
        for before, passes, kept in zip((0, *SHORT), SHORT, extent.kept, strict=False):
            results = yield Round(climbing, self._at_most(passes), self.observe)
            self.done += (passes - before) * len(climbing)
            self._tell(max(extent.work - self.done, extent.rounds * extent.turn))
            best = sorted(results, key=lambda r: -r.log_likelihood)
            self._left(best[kept:], origins)
            climbing = [onwards(result) for result in best[:kept]]
        ahead = extent.rounds * extent.turn
        results = yield from self._to_the_end([self._learning(result) for result in best[:kept]], ahead=ahead)
        self._ended(results, origins)
        return sorted(results, key=lambda r: -r.log_likelihood)

    def _move(
        self, ends: list[FitResult], extent: Extent, turn: int, ahead: float
    ) -> Search[tuple[list[FitResult], bool]]:
        """Short climbs from moves of the best, and the best of these to the end; whether one led higher."""
        best, tried = ends[0], self._tried(ends, extent, self.rng(1, turn))
        made = [self._candidate(start) for _, start in tried]
        made = [
            c if kind != FLAT else replace(c, model=self.moves.model, algorithm=self.algorithm)
            for c, (kind, _) in zip(made, tried, strict=True)
        ]
        origins: Origins = {
            c.number: (kind, (turn, i)) for i, (c, (kind, _)) in enumerate(zip(made, tried, strict=True))
        }
        short = yield Round(made, self._at_most(TRIAL), self.observe)
        self.done += TRIAL * len(made)
        order = sorted(short, key=lambda r: -r.log_likelihood)
        kept = max(1, extent.finalists // 2)
        self._left(order[kept:], origins)
        results = yield from self._to_the_end([self._learning(r) for r in order[:kept]], ahead=ahead)
        self._ended(results, origins)
        found = distinct([*ends, *results])
        return found[:ENDS], found[0].log_likelihood > best.log_likelihood + SAME_OPTIMUM

    def _tried(
        self, ends: Sequence[FitResult], extent: Extent, rng: np.random.Generator
    ) -> list[tuple[str, Parameters]]:
        """Moves of the best end, and crossings with the others."""
        best = ends[0].parameters
        tried = [(FLAT, self.moves.flattened(end.parameters)) for end in ends[:FLATTENED]]
        for end in ends[1 : extent.finalists]:
            tried += [("crossing", self.moves.crossed(best, end.parameters, rng)) for _ in range(CROSSINGS)]
        return tried

    def _ended(self, results: Sequence[FitResult], origins: Origins) -> None:
        """Note climbs to the end; of the lower ones no more than their bounds."""
        self._note(results, origins, True)
        bounds = [end.log_likelihood for end in distinct([a.result for a in self.attempts if a.climbed])[:ENDS]]
        self.attempts = [
            a if a.result.log_likelihood in bounds else replace(a, result=_bare(a.result)) for a in self.attempts
        ]

    def _left(self, results: Sequence[FitResult], origins: Origins) -> None:
        self._note([_bare(result) for result in results], origins, False)

    def _note(self, results: Sequence[FitResult], origins: Origins, climbed: bool) -> None:
        none = (None,) * self.moves.model.n_components
        self.attempts += [Attempt(r, *origins[r.candidate.number], none, climbed) for r in results]


def _bare(result: FitResult) -> FitResult:
    """An end without its topics, which take memory."""
    nothing = Parameters(None, None)
    return replace(result, parameters=nothing, candidate=replace(result.candidate, start=nothing, climbed=()))


def distinct(ends: Sequence[FitResult]) -> list[FitResult]:
    """One end of each optimum, the highest first."""
    kept: list[FitResult] = []
    for end in sorted(ends, key=lambda end: -end.log_likelihood):
        if not kept or kept[-1].log_likelihood - end.log_likelihood > SAME_OPTIMUM:
            kept.append(end)
    return kept
