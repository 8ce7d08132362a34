"""The one loop: run the E-steps that the candidates of all searches ask for, tell them what was found."""

from __future__ import annotations

from collections.abc import Callable, Generator, Hashable, Iterator, Sequence
from contextlib import contextmanager
from typing import Generic, TypeVar

import numpy as np

from em_cli.engine.arrays import Flags, stack, take
from em_cli.engine.base_measure import base_measures
from em_cli.engine.checkpoint import Checkpoint, on_the_way, restore, unpacked_results
from em_cli.engine.climb import Candidate, Climb, FitResult, Round
from em_cli.engine.cohorts import Cohorts
from em_cli.engine.events import Observer, PassDone, ignore
from em_cli.engine.expectation import Batch, Expectation, ModelStatistics, Parameters
from em_cli.engine.model import gathered
from em_cli.engine.own_rows import OwnRows
from em_cli.engine.parts_of_rows import Parts
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Source
from em_cli.engine.side_by_side import maximize_all
from em_cli.engine.stopping import Status, Stopping
from em_cli.errors import RunnerLost

Answer = TypeVar("Answer")
Search = Generator[Round, list[FitResult], Answer]  # asks for climbs, is told how they ended


def fit(
    candidates: Sequence[Candidate],
    source: Source,
    runner: Runner,
    stopping: Stopping,
    observe: Observer = ignore,
    halted: Callable[[], bool] = lambda: False,
    checkpoint: Checkpoint | None = None,
) -> list[FitResult]:
    """Climb from every candidate; each pass over the data serves all of them.

    When `halted` says so, the climbs end where they are, after at least one pass.
    """
    return run_searches([_alone(Round(candidates, stopping, observe))], source, runner, observe, halted, checkpoint)[0]


def _alone(round_: Round) -> Search[list[FitResult]]:
    return (yield round_)


def run_searches(
    searches: Sequence[Search[Answer]],
    source: Source,
    runner: Runner,
    observe: Observer = ignore,
    halted: Callable[[], bool] = lambda: False,
    checkpoint: Checkpoint | None = None,
) -> list[Answer]:
    """Run the searches side by side; each pass over the data serves the climbs of all of them."""
    return run_apart(searches, [source] * len(searches), runner, observe, halted, checkpoint)


def run_apart(
    searches: Sequence[Search[Answer]],
    sources: Sequence[Source],
    runner: Runner,
    observe: Observer = ignore,
    halted: Callable[[], bool] = lambda: False,
    checkpoint: Checkpoint | None = None,
    by_density: bool = False,
) -> list[Answer]:
    """The same of searches on rows of their own each; of `by_density`, see `OwnRows.pass_each`."""
    running = _Searches(searches, sources, checkpoint)
    cohorts, own_rows = running.cohorts, OwnRows(runner, by_density)
    running.begin()
    while running.waiting:
        climbing = running.climbing()
        together = cohorts.asked()
        asking = [*together, *_maximized([climb for climb in climbing if not climb.in_step])]
        with running.kept_if_lost():
            batches = _passes(asking, own_rows) if asking else []
        cohorts.tell(batches[: len(together)])
        for batch, (_, members) in list(zip(batches, asking, strict=True))[len(together) :]:
            for index, climb in enumerate(members):
                climb.tell(Expectation(batch, index))
        observe(PassDone(sum(climb.result is None for climb in climbing), len(climbing)))
        running.remember(halting := halted())
        if halting:
            cohorts.settle()
            for climb in climbing:
                climb.end(Status.INTERRUPTED)
            cohorts.forget_ended()
        running.tell_ends()
    return [running.answers[place] for place in range(len(searches))]


Asking = tuple[Stack, list[Climb]]


def _passes(asking: Sequence[Asking], own_rows: OwnRows) -> list[Batch]:
    """One pass over the rows of all, or each on its own."""
    sources = [[climb.rows for climb in members] for _, members in asking]
    first = sources[0][0]
    if all(source is first for each in sources for source in each):
        return one_pass([stack for stack, _ in asking], first, own_rows.runner)
    pairs = zip(asking, sources, strict=True)
    return [own_rows.pass_each(stack, each) for (stack, _), each in pairs]


class _Searches(Generic[Answer]):
    """Searches side by side: the climbs that each of them waits for, the answers of those that have ended."""

    def __init__(
        self, searches: Sequence[Search[Answer]], sources: Sequence[Source], checkpoint: Checkpoint | None
    ) -> None:
        same = {id(source): Parts(source) for source in sources}
        self.searches, self.checkpoint = searches, checkpoint
        self.parts = [same[id(source)] for source in sources]
        self.answers: dict[int, Answer] = {}
        self.waiting: dict[int, list[Climb]] = {}
        self.cohorts = Cohorts(sources[0] if len(same) == 1 else None)
        self._new: list[Climb] = []

    def begin(self) -> None:
        """Take the first round of each, and go on to where the checkpoint left them."""
        for place in range(len(self.searches)):
            self._go_on(place, None)
        if self.checkpoint:
            past = self.checkpoint.begin()
            for place, packed in past.ended:
                self._go_on(place, unpacked_results(packed, [climb.candidate for climb in self.waiting[place]]))
            if past.on_the_way:
                restore(past.on_the_way, self.waiting)
                self.tell_ends()

    def climbing(self) -> list[Climb]:
        """Those that have not ended; those among them that are new, and go in step, have joined the cohorts."""
        self.cohorts.take([climb for climb in self._new if climb.in_step and climb.result is None])
        self._new = []
        return [climb for climbs in self.waiting.values() for climb in climbs if climb.result is None]

    def remember(self, halting: bool) -> None:
        """Keep a checkpoint if it is time for one; when the run is cut short, the last."""
        if self.checkpoint and (halting or self.checkpoint.due()):
            self.cohorts.settle()
            self.checkpoint.keep(on_the_way(self.waiting))
        if self.checkpoint and halting:
            self.checkpoint.close()

    @contextmanager
    def kept_if_lost(self) -> Iterator[None]:
        """If those who compute a pass are lost, what has been found by then is remembered."""
        try:
            yield
        except RunnerLost:
            self.remember(halting=True)
            raise

    def tell_ends(self) -> None:
        """To those searches all of whose climbs have ended."""
        for place in [place for place, climbs in self.waiting.items() if all(climb.result for climb in climbs)]:
            results = [climb.result for climb in self.waiting[place] if climb.result]
            if self.checkpoint:
                self.checkpoint.ended(place, results)
            self._go_on(place, results)

    def _go_on(self, place: int, results: list[FitResult] | None) -> None:
        """Take the search's next round, or its answer."""
        search, parts, logged = self.searches[place], self.parts[place], self.checkpoint is not None
        try:
            round_ = search.send(results) if results is not None else next(search)
            while not round_.candidates:
                round_ = search.send([])
            self.waiting[place] = [Climb(candidate, round_, parts, logged) for candidate in round_.candidates]
            self._new += self.waiting[place]
            _weigh(self.waiting[place], parts.source)
        except StopIteration as end:
            self.waiting.pop(place, None)
            self.answers[place] = end.value


def _maximized(climbing: list[Climb]) -> list[Asking]:
    """Where the climbs want their E-steps, alike ones stacked; the M-steps asked for are run first."""
    starting: dict[Hashable, list[Climb]] = {}
    going_on: dict[Hashable, list[Climb]] = {}
    made: dict[Hashable, list[Climb]] = {}
    for climb in climbing:
        at = climb.query.at
        places = starting if isinstance(at, Parameters) else going_on if isinstance(at, Expectation) else made
        places.setdefault(_kind(climb), []).append(climb)
    asking: list[Asking] = []
    for climbs in made.values():
        sums = [climb.query.at for climb in climbs if isinstance(climb.query.at, ModelStatistics)]
        asking += _not_empty(climbs, *climbs[0].candidate.model.at_maximum(stack(sums), None))
    for climbs in starting.values():
        points = [climb.query.at for climb in climbs if isinstance(climb.query.at, Parameters)]
        asking.append((_stack(climbs, stack(points)), climbs))
    wanted = [
        (climbs[0].candidate.model, *gathered([c.query.at for c in climbs if isinstance(c.query.at, Expectation)]))
        for climbs in going_on.values()
    ]
    for climbs, found in zip(going_on.values(), maximize_all(wanted), strict=True):
        asking += _not_empty(climbs, *found)
    return asking


def _not_empty(climbs: list[Climb], parameters: Parameters, empty: Flags) -> list[Asking]:
    """What is wanted of those whose components all have rows; the others end."""
    if empty.any():
        for climb in (climb for climb, lost in zip(climbs, empty, strict=True) if lost):
            climb.end(Status.DEGENERATE, "a component has lost all its rows")
    left = [climb for climb, lost in zip(climbs, empty, strict=True) if not lost]
    kept = take(parameters, np.flatnonzero(~empty)) if left and empty.any() else parameters
    return [(_stack(left, kept), left)] if left else []


def _kind(climb: Climb) -> Hashable:
    """Climbs of one kind are stacked."""
    asked = climb.query
    return id(climb.candidate.model), asked.assignment, climb.candidate.weights is None, asked.plain, asked.rows


def _stack(climbs: list[Climb], parameters: Parameters) -> Stack:
    model, asked = climbs[0].candidate.model, climbs[0].query
    weights = [climb.candidate.weights for climb in climbs if climb.candidate.weights is not None]
    if not weights:
        constants = None if asked.of_all else np.zeros(len(climbs))
        return Stack(model, parameters, asked.assignment, None, constants, asked.plain)
    constants = np.array([climb.constant for climb in climbs])
    return Stack(model, parameters, asked.assignment, weights, constants, asked.plain)


def _weigh(climbs: list[Climb], source: Source) -> None:
    """The base measure of the data, under the weights of those candidates that have their own."""
    models: dict[int, list[Climb]] = {}
    for climb in climbs:
        if climb.candidate.weights is not None:
            models.setdefault(id(climb.candidate.model), []).append(climb)
    for alike in models.values():
        weights = [climb.candidate.weights for climb in alike if climb.candidate.weights is not None]
        constants = base_measures(alike[0].candidate.model.family, source, weights)
        for climb, constant in zip(alike, constants.tolist(), strict=True):
            climb.constant = constant
