"""One climb: where it starts, what it asks for and is told on its way, where it ends."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.assignment import SOFT
from em_cli.engine.events import Finished, Iterated, Observer, ignore
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.model import Model
from em_cli.engine.objectives import ELBO, LOG_LIKELIHOOD, PENALISED
from em_cli.engine.parts_of_rows import Parts
from em_cli.engine.protocols import Algorithm, Query
from em_cli.engine.rows import RowWeights, Source
from em_cli.engine.stopping import NATS, Status, Stopping, remaining


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """One climb: a model, an algorithm and a place to start from."""

    model: Model
    algorithm: Algorithm
    start: Parameters
    number: int  # its place in the ledger of the run
    label: str = ""  # of the model, for those who watch
    climbed: tuple[float, ...] = ()  # log-likelihoods of the iterates that led to the start
    weights: RowWeights | None = None  # (n,) of its own, times those of the data: numbers of any kind; None means ones

    @property
    def objective(self) -> str:
        """What it climbs."""
        return ELBO if self.model.is_variational else self.algorithm.objective

    @property
    def log_likelihood_kind(self) -> str:
        """What the log-likelihood of a pass is, with what the model adds to it."""
        added = self.model.prior > 0 or self.model.has_conjugate_prior
        return ELBO if self.model.is_variational else PENALISED if added else LOG_LIKELIHOOD


Stages = tuple[tuple[int, str], ...]  # from which iterate on (the first is 0) the trace is of which objective


@dataclass(frozen=True, slots=True, eq=False)
class FitResult:
    """Where a climb ended; the log-likelihood is that of these very parameters."""

    candidate: Candidate
    parameters: Parameters
    log_likelihood: float
    weight: Array  # (K,) responsibility of each component, in rows
    trace: tuple[float, ...]  # what it went by, at each iterate
    status: Status
    remaining: float  # nats thought to be gained by climbing on
    reason: str = ""  # of a degenerate end
    objective: float = float("-inf")  # by which ends are compared: what the algorithm climbs
    stages: Stages = ()  # what the trace is of, where it is not all log-likelihood
    log_likelihoods: tuple[float, ...] = ()  # of the iterates; () where the trace is that
    moved: float = float("inf")  # by its last step, in standard deviations of the columns; of long climbs


@dataclass(frozen=True, slots=True, eq=False)
class Round:
    """Climbs that a search wants made before it goes on."""

    candidates: Sequence[Candidate]
    stopping: Stopping
    observe: Observer = ignore


class Climb:
    """One candidate on its way up: the E-step it waits for, and what it has told so far."""

    def __init__(self, candidate: Candidate, round_: Round, parts: Parts, remembers: bool) -> None:
        self.parts, self.candidate, self.stopping, self.observe = parts, candidate, round_.stopping, round_.observe
        self.constant = 0.0  # log base measure of the data under weights of its own
        self.algorithm = candidate.algorithm.iterate(candidate.model, candidate.start)
        self.query: Query = next(self.algorithm)
        self.trace = list(candidate.climbed[:-1])  # the last of them is the start, which is asked for again
        self.passes: float = len(self.trace)
        self.since = 0  # the first iterate of those that may be the end
        self.stages: list[tuple[int, str]] = []
        self.log_likelihoods = list(self.trace)
        self.incumbent: Expectation | None = None
        self.before: Expectation | None = None  # the iterate that it followed
        self.result: FitResult | None = None
        self.told: list[Expectation] | None = [] if remembers and not candidate.algorithm.memoryless else None
        self.in_step = candidate.algorithm.memoryless and candidate.weights is None and _is_plain(self.query, round_)

    @property
    def rows(self) -> Source:
        """Those that are asked about."""
        return self.parts(self.query.rows)

    def tell(self, found: Expectation) -> None:
        if self.told is not None:
            self.told.append(found)
        value, rows = found.objective, self.query.rows
        self.passes += 1 if rows is None else 1 / rows.of
        if not isfinite(value) and not (self.query.trial and isinstance(self.query.at, Parameters)):
            self.end(Status.DEGENERATE, "the log-likelihood is not finite")
            return
        if self.query.of_all and (not self.query.trial or value >= self.trace[-1]):
            self._go_to(found, value)
        if not self.query.settles:
            self.since = len(self.trace)
        try:
            self.query = self.algorithm.send(found)
        except StopIteration:
            self.end(Status.COMPLETED)
            return
        status = self.stopping(self.trace[self.since :], self.passes, self.query.expected_gain, self._moved)
        if status is not None:
            self.end(status)

    def _go_to(self, found: Expectation, value: float) -> None:
        """The next iterate."""
        name = self.query.assignment.objective
        if name != (self.stages[-1][1] if self.stages else LOG_LIKELIHOOD):
            self.stages.append((len(self.trace), name))
        self.before, self.incumbent, log_likelihood = self.incumbent, found, found.log_likelihood
        self.trace.append(value)
        self.log_likelihoods.append(log_likelihood)
        self.say(len(self.trace), log_likelihood)

    def say(self, number: int, log_likelihood: float) -> None:
        """That there is another iterate."""
        if self.observe is not ignore:
            c = self.candidate
            self.observe(
                Iterated(c.number, c.label, c.model.n_components, number, log_likelihood, c.log_likelihood_kind)
            )

    def stand(self, trace: list[float], found: Expectation | None) -> None:
        """Be where the trace has led, and what was found there."""
        self.trace, self.passes, self.incumbent = trace, len(trace), found

    def end(self, status: Status, reason: str = "") -> None:
        if self.result is not None:
            return
        parameters = self.incumbent.parameters if self.incumbent else self.candidate.start
        log_likelihood = self.incumbent.log_likelihood if self.incumbent else float("-inf")
        weight = self.incumbent.weight if self.incumbent else np.zeros(self.candidate.model.n_components)
        trace, c = tuple(self.trace), self.candidate
        self.result = FitResult(
            c,
            parameters,
            log_likelihood,
            weight,
            trace,
            status,
            expected_gain := self._expected_gain(),
            reason,
            self._objective(log_likelihood),
            tuple(self.stages),
            tuple(self.log_likelihoods) if self.stages else (),
            float("inf") if self.candidate.algorithm.memoryless else self._moved(),  # it is for long climbs
        )
        if self.observe is not ignore:
            k, value = c.model.n_components, status.value
            kind = c.log_likelihood_kind
            self.observe(Finished(c.number, c.label, k, len(trace), log_likelihood, value, expected_gain, kind))

    def _moved(self) -> float:
        """By how much the last step moved the parameters."""
        if self.before is None or self.incumbent is None:
            return float("inf")
        return step_length(self.candidate.model, self.before, self.incumbent)

    def _expected_gain(self) -> float:
        """Nats by which what it goes by would rise."""
        if not self.query.settles:
            return float("inf")
        return remaining(self.trace[self.since :]) if self.query.expected_gain is None else self.query.expected_gain

    def _objective(self, log_likelihood: float) -> float:
        if self.candidate.algorithm.objective == LOG_LIKELIHOOD or self.incumbent is None:
            return log_likelihood
        return self.incumbent.objective


def _is_plain(asked: Query, round_: Round) -> bool:
    """Whether its climb, if it always asks so, goes as all do by EM: then they are looked after together."""
    by_nats = round_.stopping.rule == NATS
    return by_nats and asked.assignment is SOFT and asked.rows is None and not (asked.trial or asked.plain)


def step_length(model: Model, before: Expectation, after: Expectation) -> float:
    """The largest change of a weight, or of a mean or standard deviation in units of the standard deviation of the
    column, which is that of the mixture."""
    with np.errstate(all="ignore"):  # of what has collapsed, or has no variance
        (means, sds), (old_means, old_sds) = (model.family.moments(e.parameters.components) for e in (after, before))
        shares, old = (e.weight / e.weight.sum() for e in (after, before))
        centre = shares @ means
        spread = np.sqrt(np.maximum(shares @ (sds**2 + means**2) - centre**2, np.finfo(float).tiny))
        moves = [np.abs(shares - old), np.abs(means - old_means) / spread, np.abs(sds - old_sds) / spread]
    return float(np.nanmax(np.concatenate([np.ravel(move) for move in moves])))
