"""Squared extrapolation (SQUAREM, scheme S3; Varadhan & Roland 2008), in the metric of EM.

Two EM steps, and a leap along the parabola through them. A leap that descends is not taken; nor is an EM
step that does, by rounding: a covariance whose eigenvalues are ten orders of magnitude apart has six digits
left. There the climb rests.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Annotated

import numpy as np

from em_cli.algorithms.usual import Usual
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.model import Model
from em_cli.engine.protocols import Query
from em_cli.parts import Option


@dataclass(frozen=True, slots=True)
class SQUAREM(Usual):
    first_limit: Annotated[float, Option("of a leap, in EM steps; it grows where leaps succeed", least=1)] = 4.0
    growth: Annotated[float, Option("of the limit, by this factor", above=1)] = 4.0

    def iterate(self, model: Model, start: Parameters | Expectation) -> Generator[Query, Expectation, None]:
        found = yield Query(start)
        limit, expected_gain = self.first_limit, None
        while True:
            chart = model.chart(found.parameters, found.weight)
            one = yield Query(found, trial=True, expected_gain=expected_gain)
            two = yield Query(one, trial=True, expected_gain=expected_gain)
            if two.log_likelihood < max(one.log_likelihood, found.log_likelihood):
                break
            found = two
            if chart is None:
                continue
            first = chart.coordinates(one.parameters)
            second = chart.coordinates(two.parameters) - first
            bend = second - first
            length, curvature = float(np.linalg.norm(first)), float(np.linalg.norm(bend))
            ratio = length / curvature if curvature > 0 else 1.0
            expected_gain = 0.5 * max(ratio, 1.0) * float(second @ second)
            leap = min(ratio, limit)
            if leap <= 1.0:
                continue
            u = 2 * leap * first + leap**2 * bend
            tried = yield Query(chart.parameters(u), trial=True, expected_gain=expected_gain)
            if tried.log_likelihood >= two.log_likelihood:
                found = tried
                limit = limit * self.growth if leap == limit else limit
            else:
                limit = max(self.first_limit, limit / self.growth)
        highest = one if one.log_likelihood >= found.log_likelihood else found
        while True:
            yield Query(highest.parameters)
