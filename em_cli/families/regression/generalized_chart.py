"""Parameters of regressions of counts, of successes and of quantities above zero, and coordinates of their climbs."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.regression.dispersion import DispersionChart
from em_cli.families.regression.regressors import Regressors, in_a_row, solved_for, times


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
    root: Array  # (…, K, p, p)
    dispersion: DispersionChart | None

    @property
    def _size(self) -> int:
        """Coordinates of a component."""
        return self.regressors.p + (1 if self.dispersion else 0)

    def coordinates(self, parameters: GeneralizedParameters) -> Array:
        steps = times(self.root.swapaxes(-1, -2), parameters.coefficients - self.base.coefficients)
        if self.dispersion is None:
            return steps.reshape(*steps.shape[:-2], -1)
        return in_a_row(steps, self.dispersion.coordinates(parameters.dispersion))

    def parameters(self, u: Array) -> GeneralizedParameters:
        p = self.regressors.p
        apart = u.reshape(*u.shape[:-1], -1, self._size)
        coefficients = self.base.coefficients + solved_for(self.root.swapaxes(-1, -2), apart[..., :p])
        shape = coefficients.shape[:-1]
        dispersion = self.base.dispersion if self.dispersion is None else self.dispersion.values(apart[..., p])
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
        slope = solved_for(self.root, statistics[..., 3 : 3 + p])
        if self.dispersion is None:
            return slope.reshape(*slope.shape[:-2], -1)
        return in_a_row(slope, self.dispersion.gradient(statistics, parameters.dispersion))
