"""The one loop: run the E-steps that the candidates of all searches ask for, tell them what was found."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import TypeVar

import numpy as np

from em_cli.engine.arrays import Array, stack, take
from em_cli.engine.events import Finished, Iterated, Observer, PassDone, ignore
from em_cli.engine.model import Model, maximize_all
from em_cli.engine.passes import one_pass
from em_cli.engine.protocols import Algorithm, Expectation, Parameters, Query, Runner, Source
from em_cli.engine.stopping import Status, Stopping, remaining


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One climb: a model, an algorithm and a place to start from."""

    model: Model
    algorithm: Algorithm
    start: Parameters
    number: int  # its place in the ledger of the run
    label: str = ""  # of the model, for those who watch
    climbed: tuple[float, ...] = ()  # log-likelihoods of the iterates that led to the start


@dataclass(frozen=True, slots=True, eq=False)
class FitResult:
    """Where a climb ended; the log-likelihood is that of these very parameters."""

    candidate: Candidate
    parameters: Parameters
    log_likelihood: float
    weight: Array  # (K,) responsibility of each component, in rows
    trace: tuple[float, ...]
    status: Status
    remaining: float  # nats thought to be gained by climbing on
    reason: str = ""  # of a degenerate end


@dataclass(frozen=True, slots=True, eq=False)
class Leg:
    """Climbs that a search wants made before it goes on."""

    candidates: Sequence[Candidate]
    stopping: Stopping
    observe: Observer = ignore


Answer = TypeVar("Answer")
Search = Generator[Leg, list[FitResult], Answer]  # asks for climbs, is told how they ended


def fit(
    candidates: Sequence[Candidate],
    source: Source,
    runner: Runner,
    stopping: Stopping,
    observe: Observer = ignore,
    halted: Callable[[], bool] = lambda: False,
) -> list[FitResult]:
    """Climb from every candidate; each pass over the data serves all of them.

    When `halted` says so, the climbs end where they are, after at least one pass.
    """
    return conduct([_alone(Leg(candidates, stopping, observe))], source, runner, observe, halted)[0]


def _alone(leg: Leg) -> Search[list[FitResult]]:
    return (yield leg)


def conduct(
    searches: Sequence[Search[Answer]],
    source: Source,
    runner: Runner,
    observe: Observer = ignore,
    halted: Callable[[], bool] = lambda: False,
) -> list[Answer]:
    """Run the searches side by side; each pass over the data serves the climbs of all of them."""
    answers: dict[int, Answer] = {}
    waiting: dict[int, list[_Climb]] = {}

    def go_on(place: int, results: list[FitResult] | None) -> None:
        """Hear the search's next wish, or its answer."""
        try:
            leg = searches[place].send(results) if results is not None else next(searches[place])
            while not leg.candidates:
                leg = searches[place].send([])
            waiting[place] = [_Climb(candidate, leg.stopping, leg.observe) for candidate in leg.candidates]
        except StopIteration as end:
            waiting.pop(place, None)
            answers[place] = end.value

    for place in range(len(searches)):
        go_on(place, None)
    while waiting:
        climbing = [climb for climbs in waiting.values() for climb in climbs if climb.result is None]
        if asking := _maximized(climbing):
            batches = one_pass([(model, parameters) for model, parameters, _ in asking], source, runner)
            for batch, (_, _, members) in zip(batches, asking, strict=True):
                for index, climb in enumerate(members):
                    climb.hear(Expectation(batch, index))
        observe(PassDone(sum(climb.result is None for climb in climbing), len(climbing)))
        if halted():
            for climb in climbing:
                climb.end(Status.INTERRUPTED)
        for place in [place for place, climbs in waiting.items() if all(climb.result for climb in climbs)]:
            go_on(place, [climb.result for climb in waiting[place] if climb.result])
    return [answers[place] for place in range(len(searches))]


def _maximized(climbing: list[_Climb]) -> list[tuple[Model, Parameters, list[_Climb]]]:
    """Where the climbs want their E-steps, stacked by model; the M-steps asked for are run first."""
    starting: dict[int, list[_Climb]] = {}
    going_on: dict[int, list[_Climb]] = {}
    for climb in climbing:
        places = starting if isinstance(climb.query.at, Parameters) else going_on
        places.setdefault(id(climb.candidate.model), []).append(climb)
    asking = []
    for climbs in starting.values():
        points = [climb.query.at for climb in climbs if isinstance(climb.query.at, Parameters)]
        asking.append((climbs[0].candidate.model, stack(points), climbs))
    wanted = [
        (climbs[0].candidate.model, [climb.query.at for climb in climbs if isinstance(climb.query.at, Expectation)])
        for climbs in going_on.values()
    ]
    for climbs, (model, _), (parameters, empty) in zip(going_on.values(), wanted, maximize_all(wanted), strict=True):
        if empty.any():
            for climb in (climb for climb, lost in zip(climbs, empty, strict=True) if lost):
                climb.end(Status.DEGENERATE, "a component has lost all its rows")
        left = [climb for climb, lost in zip(climbs, empty, strict=True) if not lost]
        if left:
            asking.append((model, take(parameters, np.flatnonzero(~empty)) if empty.any() else parameters, left))
    return asking


class _Climb:
    """One candidate on its way up: the E-step it waits for, and what it has heard so far."""

    def __init__(self, candidate: Candidate, stopping: Stopping, observe: Observer) -> None:
        self.candidate, self.stopping, self.observe = candidate, stopping, observe
        self.algorithm = candidate.algorithm.iterate(candidate.model, candidate.start)
        self.query: Query = next(self.algorithm)
        self.trace = list(candidate.climbed[:-1])  # the last of them is the start, which is asked for again
        self.passes = len(self.trace)
        self.last: Expectation | None = None
        self.result: FitResult | None = None

    def hear(self, found: Expectation) -> None:
        height = found.log_likelihood
        self.passes += 1
        if not isfinite(height) and not self.query.trial:
            self.end(Status.DEGENERATE, "the log-likelihood is not finite")
            return
        if not self.query.trial or height >= self.trace[-1]:
            self.last = found
            self.trace.append(height)
            c = self.candidate
            self.observe(Iterated(c.number, c.label, c.model.n_components, len(self.trace), height))
        self.query = self.algorithm.send(found)
        status = self.stopping(self.trace, self.passes, self.query.to_gain)
        if status is not None:
            self.end(status)

    def end(self, status: Status, reason: str = "") -> None:
        if self.result is not None:
            return
        parameters = self.last.parameters if self.last else self.candidate.start
        height = self.last.log_likelihood if self.last else float("-inf")
        weight = self.last.weight if self.last else np.zeros(self.candidate.model.n_components)
        to_gain = remaining(self.trace) if self.query.to_gain is None else self.query.to_gain
        trace, c = tuple(self.trace), self.candidate
        self.result = FitResult(c, parameters, height, weight, trace, status, to_gain, reason)
        self.observe(Finished(c.number, c.label, c.model.n_components, len(trace), height, status.value, to_gain))
