"""Normal variables in columns that are independent given the component."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import Columns
from em_cli.families.distributions.degeneracies import floor
from em_cli.families.distributions.distribution import Values
from em_cli.families.distributions.normal_formulas import NormalFormulas, averages


@dataclass(frozen=True, slots=True, eq=False)
class NormalDistribution(NormalFormulas):
    """Means μ and standard deviations σ; features z and z², where z is x relative to its column.

    Standard deviations are held above the rounding of the data.
    """

    columns: Columns

    def features(self, x: Array, out: Array) -> None:
        z = out[: len(x)]
        z[...] = self.columns.standardized(x)
        np.multiply(z, z, out=out[len(x) :])

    def base_measure(self, x: Array) -> Array:
        return np.broadcast_to(-np.log(self.columns.unit)[:, None], x.shape)

    def _relative(self, values: Values) -> tuple[Array, Array]:
        """Mean and standard deviation of z."""
        return (values[0] - self.columns.mean) / self.columns.unit, values[1] / self.columns.unit

    def _values(self, mean: Array, variance: Array) -> Values:
        """From those of z."""
        return self.within((self.columns.mean + self.columns.unit * mean, self.columns.unit * np.sqrt(variance)))

    def within(self, values: Values) -> Values:
        return values[0], np.maximum(values[1], floor(self.columns))

    def maximize_about(self, weight: Array, sums: Array, values: Values) -> Values:
        away, variance = averages(weight, sums)
        return self.within((values[0] + values[1] * away, values[1] * np.sqrt(variance)))

    def typical(self) -> Array:
        return np.concatenate([np.zeros_like(self.columns.mean), np.ones_like(self.columns.mean)])

    def typical_about(self, values: Values) -> Array:
        mean, sd = self._relative(values)
        return np.concatenate([-mean / sd, (1 + mean**2) / sd**2], axis=-1)

    def at_resolution(self, values: Values) -> Flags:
        low: Flags = values[1] < (1 + 1e-6) * floor(self.columns)
        return low

    def moments(self, values: Values) -> tuple[Array, Array]:
        return values[0], values[1]

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        return rng.normal(*values)
