"""Limited-memory BFGS in the metric of EM.

Nocedal (1980) in coordinates in which the complete-data information is the identity, so that the
gradient, which the E-step's statistics give for nothing, is the EM step to first order; cf. the
quasi-Newton EM of Jamshidian & Jennrich (1997). It begins with EM steps, and falls back on
one where no step along its direction climbs: the log-likelihood never descends.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from dataclasses import dataclass
from math import isfinite
from typing import Annotated

import numpy as np

from em_cli.algorithms.usual import Usual
from em_cli.engine.arrays import Array
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.model import Model
from em_cli.engine.protocols import Query
from em_cli.parts import Option

Pair = tuple[Array, Array]  # a step and how much the gradient fell along it


@dataclass(frozen=True, slots=True)
class LBFGS(Usual):
    memory: Annotated[int, Option("steps and changes of the gradient that are remembered", least=1)] = 10
    warm_up: Annotated[int, Option("EM steps before the first direction", least=0)] = 2
    longest: Annotated[float, Option("step, in standard deviations per root of a row", above=0)] = 0.5
    shortenings: Annotated[int, Option("of a step that does not climb, before an EM step instead", least=0)] = 5

    def iterate(self, model: Model, start: Parameters | Expectation) -> Generator[Query, Expectation, None]:
        found = yield Query(start)
        for _ in range(self.warm_up):
            found = yield Query(found)
        while True:
            found = yield from self._ascend(model, found)

    def _ascend(self, model: Model, found: Expectation) -> Generator[Query, Expectation, Expectation]:
        """Climb with one chart, until no step along a direction climbs; then an EM step."""
        chart = model.chart(found.parameters, found.weight)
        before = found
        found = yield Query(found)
        if chart is None:
            return found
        limit = self.longest * float(np.sqrt(found.weight.sum()))
        pairs: deque[Pair] = deque(maxlen=self.memory)
        u, gradient = np.zeros_like(chart.coordinates(before.parameters)), chart.gradient(before)
        reached = chart.coordinates(found.parameters)
        while True:
            slope_before = gradient
            gradient = chart.gradient(found)
            _remember(pairs, reached - u, slope_before - gradient)
            u = reached
            if not pairs:
                return found
            with np.errstate(over="ignore", invalid="ignore"):  # near a collapse
                direction = _times_inverse_hessian(gradient, pairs)
                slope = float(direction @ gradient)
                length = float(np.linalg.norm(direction))
            if not (slope > 0 and isfinite(length)):
                return (yield Query(found))
            step, tried = min(1.0, limit / length), found
            for _ in range(self.shortenings + 1):
                tried = yield Query(chart.parameters(u + step * direction), trial=True, expected_gain=slope / 2)
                if tried.log_likelihood >= found.log_likelihood:
                    break
                step *= _shortening(tried.log_likelihood - found.log_likelihood, step * slope)
            else:
                return (yield Query(found))
            found, reached = tried, u + step * direction


def _remember(pairs: deque[Pair], step: Array, fall: Array) -> None:
    with np.errstate(over="ignore", invalid="ignore"):
        curvature, lengths = float(step @ fall), float(np.linalg.norm(step) * np.linalg.norm(fall))
    if curvature > max(1e-10 * lengths, 1e-100):
        pairs.append((step, fall))


def _times_inverse_hessian(gradient: Array, pairs: deque[Pair]) -> Array:
    """The two-loop recursion."""
    direction, shares = gradient.copy(), []
    for step, fall in reversed(pairs):
        share = (step @ direction) / (step @ fall)
        direction -= share * fall
        shares.append(share)
    step, fall = pairs[-1]
    direction *= (step @ fall) / (fall @ fall)
    for (step, fall), share in zip(pairs, reversed(shares), strict=True):
        direction += (share - (fall @ direction) / (step @ fall)) * step
    return direction


def _shortening(gain: float, predicted: float) -> float:
    """By how much to shorten a step whose gain was not what its slope predicted: to the top of a parabola."""
    if not isfinite(gain):
        return 0.2
    return float(np.clip(predicted / (2 * (predicted - gain)), 0.1, 0.5))
