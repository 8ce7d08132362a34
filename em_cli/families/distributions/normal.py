"""Normal variables in columns that are independent given the component."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import Columns
from em_cli.families.distributions.charts import log_ratio, scaled
from em_cli.families.distributions.degeneracies import floor
from em_cli.families.distributions.distribution import Values

LOG_2PI = float(np.log(2 * np.pi))
TIGHT = 1e3  # distance from the middle of the data in standard deviations, beyond which more than 1e-10 would cancel


@dataclass(frozen=True, slots=True, eq=False)
class NormalDistribution:
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

    def natural(self, values: Values) -> tuple[Array, Array]:
        mean, sd = self._relative(values)
        precision = 1 / sd**2
        constant = -0.5 * (mean * mean * precision + LOG_2PI) - np.log(sd)
        return constant, np.concatenate([mean * precision, -0.5 * precision], axis=-1)

    def concentrated(self, values: Values) -> Flags:
        mean, sd = self._relative(values)
        concentrated: Flags = np.logical_or.reduce(1 + np.abs(mean) > TIGHT * sd, axis=-1)
        return concentrated

    def _standard(self, cells: Array, observed: Flags | None, values: Values, j: int) -> Array:
        """(T, n) distances from the means of column j in standard deviations; zero where a cell is missing."""
        mean, sd = (part[:, [j]] for part in self._relative(values))
        z: Array = (cells[j] - mean) / sd
        return z if observed is None else np.where(observed[j], z, 0.0)

    def log_density_about(self, cells: Array, observed: Flags | None, values: Values) -> Array:
        total, (_, sd) = np.zeros((len(values[0]), cells.shape[1])), self._relative(values)
        for j in range(len(self.columns.mean)):
            z = self._standard(cells, observed, values, j)
            level = -0.5 * LOG_2PI - np.log(sd[:, [j]])
            total += (level if observed is None else level * observed[j]) - 0.5 * z * z
        return total

    def sums_about(self, cells: Array, observed: Flags | None, responsibilities: Array, values: Values) -> Array:
        d = len(self.columns.mean)
        sums = np.empty((len(responsibilities), 2 * d))
        for j in range(d):
            z = self._standard(cells, observed, values, j)
            sums[:, j] = np.einsum("tn,tn->t", responsibilities, z)
            sums[:, d + j] = np.einsum("tn,tn->t", responsibilities, z * z)
        return sums

    def maximize(self, weight: Array, sums: Array) -> Values:
        return self._values(*_averages(weight, sums))

    def maximize_about(self, weight: Array, sums: Array, values: Values) -> Values:
        away, variance = _averages(weight, sums)
        return self.within((values[0] + values[1] * away, values[1] * np.sqrt(variance)))

    def typical(self) -> Array:
        return np.concatenate([np.zeros_like(self.columns.mean), np.ones_like(self.columns.mean)])

    def typical_about(self, values: Values) -> Array:
        mean, sd = self._relative(values)
        return np.concatenate([-mean / sd, (1 + mean**2) / sd**2], axis=-1)

    def at_resolution(self, values: Values) -> Flags:
        low: Flags = values[1] < (1 + 1e-6) * floor(self.columns)
        return low

    def relative_variance(self, values: Values) -> Array:
        return self._relative(values)[1] ** 2

    def moments(self, values: Values) -> tuple[Array, Array]:
        return values[0], values[1]

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        return rng.normal(*values)

    def steps(self, base: Values, values: Values) -> Values:
        return values[0] - base[0], log_ratio(base[1], values[1])

    def moved(self, base: Values, steps: Values) -> Values:
        return self.within((base[0] + steps[0], scaled(base[1], steps[1])))

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        mean, sd = self._relative(values)
        centre, variance = _averages(weight, sums)
        away, ratio, concentrated = (centre - mean) / sd, variance / sd**2, self.concentrated(values)
        if concentrated.any():
            away, ratio = (np.where(concentrated[..., None], *pair) for pair in ((centre, away), (variance, ratio)))
        return weight * away / values[1], weight * (ratio + away**2 - 1)

    def information(self, values: Values) -> list[list[Array]]:
        none = np.zeros_like(values[0])
        return [[1 / values[1] ** 2, none], [none, none + 2.0]]


def _averages(weight: Array, sums: Array) -> tuple[Array, Array]:
    """Mean and variance, of sums and sums of squares."""
    d = sums.shape[-1] // 2
    mean = sums[..., :d] / weight
    return mean, np.maximum(sums[..., d:] / weight - mean * mean, 0.0)
