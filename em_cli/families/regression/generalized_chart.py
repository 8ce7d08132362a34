"""Parameters of regressions of counts, of successes and of quantities above zero, and coordinates of their climbs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.regression.common_terms import CoefficientChart, in_a_row, taken_apart
from em_cli.families.regression.dispersion import DispersionChart
from em_cli.families.regression.regressors import Regressors


@dataclass(frozen=True, slots=True)
class GeneralizedParameters:
    coefficients: Array  # (R, K, p)
    dispersion: Array  # (R, K) of the response's law; ones where it has none
    typical: Array  # (R, K, p + 2) the regressors, offset and trials of a typical row
    information: Array = field(repr=False)  # (R, K, p, p) Σ w z z' a row, that charts go by; no document knows it
    told: Array = field(repr=False)  # (R, K) on the step of the dispersion, likewise; zero where it is not known


@dataclass(frozen=True, slots=True, eq=False)
class GeneralizedChart:
    """Coefficients in units of their information, and steps of dispersions likewise."""

    regressors: Regressors
    base: GeneralizedParameters
    steps: CoefficientChart
    dispersion: DispersionChart | None

    @property
    def _size(self) -> int:
        """Coordinates of a component alone."""
        return self.regressors.f + (1 if self.dispersion else 0)

    def coordinates(self, parameters: GeneralizedParameters) -> Array:
        own, common = self.steps.coordinates(parameters.coefficients - self.base.coefficients)
        more = None if self.dispersion is None else self.dispersion.coordinates(parameters.dispersion)
        return in_a_row(own, more, common)

    def parameters(self, u: Array) -> GeneralizedParameters:
        p, f = self.regressors.p, self.regressors.f
        apart, common = taken_apart(u, self._size, self.regressors.c)
        coefficients = self.base.coefficients + self.steps.steps(apart[..., :f], common)
        shape = coefficients.shape[:-1]
        dispersion = self.base.dispersion if self.dispersion is None else self.dispersion.values(apart[..., f])
        return replace(
            self.base,
            coefficients=coefficients,
            dispersion=np.broadcast_to(dispersion, shape).copy(),
            typical=np.broadcast_to(self.base.typical, (*shape, p + 2)).copy(),
            information=np.broadcast_to(self.base.information, (*shape, p, p)).copy(),
            told=np.broadcast_to(self.base.told, shape).copy(),
        )

    def gradient(self, statistics: Array, parameters: GeneralizedParameters) -> Array:
        p = self.regressors.p
        own, common = self.steps.gradient(statistics[..., 3 : 3 + p])
        more = None if self.dispersion is None else self.dispersion.gradient(statistics, parameters.dispersion)
        return in_a_row(own, more, common)
