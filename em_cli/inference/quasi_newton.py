"""Climbs of many replicates at once, from the fit to the data and under weights of each one's own.

BFGS (Broyden 1970; Fletcher 1970; Goldfarb 1970; Shanno 1970). The first metric is the inverse information of the fit,
which is nearly that of a replicate as well. What a replicate comes to depends on no other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers, T, map_arrays, take
from em_cli.engine.expectation import Batch, ModelStatistics, Parameters
from em_cli.engine.model import Model, ModelChart
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import RowWeights, Source
from em_cli.inference.information import observed_information

PASSES = 30  # after which a climb is left to others
REST = 1e-6  # nats that a step promises, below which there is no other
REST_BESIDE = 1e-10  # the same of climbs that end beside the fit, as those of the jackknife do
LONGEST = 3.0  # standard errors of a coordinate that a step may go
GAINED = 1e-4  # nats by a step of EM from where a climb has come to rest, from which on it has not
FLAT = 1e-5  # information left in a direction, below which it is one of those that change nothing at the fit
ENOUGH = 1e-4  # of what the slope promises, that a step must bring


@dataclass(frozen=True, slots=True, eq=False)
class Metric:
    """Coordinates about a fit, and what is known of the curvature there."""

    chart: ModelChart
    inverse: Array  # (P, P) of the observed information
    errors: Array  # (P,) standard ones of the coordinates


@dataclass(frozen=True, slots=True, eq=False)
class Ends:
    """Where R climbs have come to."""

    parameters: Parameters  # stacked
    log_likelihood: Array  # (R,)
    weight: Array  # (R, K)
    traces: Sequence[tuple[float, ...]]  # of the iterates
    remaining: Array  # (R,) nats that one step more promises
    rested: Flags  # (R,) the others are to be climbed otherwise


def metric_at(model: Model, fit: Parameters, weight: Array, source: Source, runner: Runner) -> Metric | None:
    """At a fit whose components bear the weight (K,); None if it has no coordinates, or is no smooth maximum."""
    chart = model.chart(fit, weight)
    if chart is None:
        return None
    with np.errstate(all="ignore"):
        observed = observed_information(model, chart, fit, source, runner)
        if not np.isfinite(observed).all():
            return None
        left, directions = np.linalg.eigh(observed)
    if left[0] < -FLAT:
        return None
    left[left <= FLAT] = 1.0  # there a step is that of EM: for labels that are known, the information is one
    inverse = (directions / left) @ directions.T
    return Metric(chart, inverse, np.sqrt(np.maximum(np.diagonal(inverse), 0.0)))


def climb_together(
    model: Model,
    metric: Metric,
    weights: Sequence[RowWeights],
    constants: Array,
    source: Source,
    runner: Runner,
    rest: float = REST,
) -> Ends:
    """From the fit, each under its weights (n,), with which the data have these base measures (R,).

    Coordinates about the fit may miss a way up that opens further off: EM is asked whether it knows of one.
    """

    def look(at: Parameters, some: Integers) -> Batch:
        own = [weights[int(r)] for r in some]
        return one_pass([Stack(model, at, weights=own, constants=constants[some])], source, runner)[0]

    climbs = _Climbs(metric, len(weights), rest)
    with np.errstate(all="ignore"):
        for _ in range(PASSES):
            active = np.flatnonzero(~climbs.rested)
            if not len(active):
                break
            batch = look(metric.chart.parameters(climbs.tried[active]), active)
            climbs.tell(active, batch, metric.chart.gradients(batch))
        ends = climbs.ends()
        rested = np.flatnonzero(ends.rested)
        if len(rested):
            at = take(ends.parameters, rested)
            further, _ = model.at_maximum(take(climbs.statistics(), rested), at)
            gained = look(further, rested).log_likelihood - ends.log_likelihood[rested]
            ends.rested[rested[~(gained < GAINED)]] = False
    return ends


class _Climbs:
    """R climbs on their way: the last point of each that was not lower, and the step that is tried from there."""

    def __init__(self, metric: Metric, many: int, rest: float) -> None:
        size = len(metric.errors)
        self.metric, self.rest = metric, rest
        self.tried, self.at, self.gradient = np.zeros((3, many, size))
        self.first = np.broadcast_to(metric.inverse, (many, size, size))
        self.inverse = self.first.copy()
        self.value = np.full(many, -np.inf)
        self.promised = np.full(many, np.inf)  # by a whole step
        self.share = np.ones(many)  # of the step that is tried
        self.rested = np.zeros(many, np.bool_)
        self.traces: list[list[float]] = [[] for _ in range(many)]
        self.found: list[tuple[Integers, Parameters, ModelStatistics]] = []  # climbs, where they were, what was there

    def tell(self, active: Integers, batch: Batch, gradient: Array) -> None:
        """What a pass has found where these wanted to know."""
        value = batch.log_likelihood
        wanted = self.value[active] + ENOUGH * self.share[active] * 2 * self.promised[active]
        first = ~np.isfinite(self.value[active])
        risen = np.isfinite(value) & np.isfinite(gradient).all(axis=1) & (first | (value >= wanted))
        self.share[active[~risen]] *= 0.5
        if risen.any():
            some = active[risen]
            if not first.any():
                self._bend(some, gradient[risen])
            self.at[some], self.value[some], self.gradient[some] = self.tried[some], value[risen], gradient[risen]
            self.share[some] = 1.0
            self.found.append((some, take(batch.parameters, risen), take(batch.statistics, risen)))
            for r, reached in zip(some.tolist(), value[risen].tolist(), strict=True):
                self.traces[r].append(reached)
        self._aim(active)

    def _bend(self, some: Integers, gradient: Array) -> None:
        """Let the metric of these know how the gradient changed along their step."""
        s, y = self.tried[some] - self.at[some], self.gradient[some] - gradient
        along = _dot(s, y)
        curved = along > 1e-12 * np.sqrt(_dot(s, s) * _dot(y, y))
        some, s, y, along = some[curved], s[curved], y[curved], along[curved][:, None, None]
        b = self.inverse[some]
        by = _times(b, y)
        cross = s[:, :, None] * by[:, None, :]
        more = (1 + _dot(y, by)[:, None, None] / along) * (s[:, :, None] * s[:, None, :])
        self.inverse[some] = b + (more - cross - cross.swapaxes(1, 2)) / along

    def _aim(self, active: Integers) -> None:
        """The next step of these, unless it promises too little."""
        gradient = self.gradient[active]
        step = _times(self.inverse[active], gradient)
        self.promised[active] = _dot(step, gradient) / 2
        by_first = _dot(_times(self.first[: len(active)], gradient), gradient) / 2
        self.rested[active] = np.maximum(self.promised[active], by_first) < self.rest
        longest = (np.abs(step) / np.maximum(self.metric.errors, np.finfo(float).tiny)).max(axis=1)
        share = self.share[active] * np.minimum(1.0, LONGEST / longest)
        self.tried[active] = self.at[active] + share[:, None] * step

    def ends(self) -> Ends:
        """The last point of each."""
        traces = [tuple(trace) for trace in self.traces]
        rested, parameters = self.rested & np.isfinite(self.value), self._last([at for _, at, _ in self.found])
        return Ends(parameters, self.value, self.statistics().weight, traces, self.promised, rested)

    def statistics(self) -> ModelStatistics:
        """Those of the last point of each."""
        return self._last([statistics for _, _, statistics in self.found])

    def _last(self, parts: Sequence[T]) -> T:
        climbs = np.concatenate([some for some, _, _ in self.found])
        last = np.zeros(len(self.value), np.intp)
        last[climbs] = np.arange(len(climbs))  # the later one stands
        return take(map_arrays(lambda *arrays: np.concatenate(arrays), parts[0], *parts[1:]), last)


def _dot(a: Array, b: Array) -> Array:
    """(R,)"""
    return np.asarray(np.add.reduce(a * b, axis=1))


def _times(matrices: Array, vectors: Array) -> Array:
    """(R, P); each by itself, so that its bits are its own."""
    return np.asarray((matrices @ vectors[:, :, None])[:, :, 0])
