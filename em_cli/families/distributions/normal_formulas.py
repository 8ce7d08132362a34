"""What distributions have in common that are normal in coordinates of their own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import Columns
from em_cli.families.distributions.charts import log_ratio, scaled
from em_cli.families.distributions.distribution import Values

LOG_2PI = float(np.log(2 * np.pi))
TIGHT = 1e3  # distance from the middle of the data in standard deviations, beyond which more than 1e-10 would cancel


class NormalFormulas(ABC):
    """Of a coordinate z of each column, with features z and z²; values are a location and a scale (K, D)."""

    __slots__ = ()

    columns: Columns

    @abstractmethod
    def _relative(self, values: Values) -> tuple[Array, Array]:
        """Mean and standard deviation of z."""

    @abstractmethod
    def _values(self, mean: Array, variance: Array) -> Values:
        """From those of z."""

    @abstractmethod
    def within(self, values: Values) -> Values:
        """The nearest values that are allowed."""

    def natural(self, values: Values) -> tuple[Array, Array]:
        mean, sd = self._relative(values)
        precision = 1 / sd**2
        constant = -0.5 * (mean * mean * precision + LOG_2PI) - np.log(sd)
        return constant, np.concatenate([mean * precision, -0.5 * precision], axis=-1)

    def concentrated(self, values: Values) -> Flags:
        mean, sd = self._relative(values)
        concentrated: Flags = np.logical_or.reduce(1 + np.abs(mean) > TIGHT * sd, axis=-1)
        return concentrated

    def _standard(self, cells: Array, observed: Flags | None, values: Values) -> Iterator[Array]:
        """Of each column the distances (T, n) from the means in standard deviations; zero where a cell is missing."""
        mean, sd = self._relative(values)
        for j in range(len(cells) // 2):
            z = (cells[j] - mean[:, [j]]) / sd[:, [j]]
            yield z if observed is None else np.where(observed[j], z, 0.0)

    def log_density_about(self, cells: Array, observed: Flags | None, values: Values) -> Array:
        total, (_, sd) = np.zeros((len(values[0]), cells.shape[1])), self._relative(values)
        for j, z in enumerate(self._standard(cells, observed, values)):
            level = -0.5 * LOG_2PI - np.log(sd[:, [j]])
            total += (level if observed is None else level * observed[j]) - 0.5 * z * z
        return total

    def sums_about(self, cells: Array, observed: Flags | None, responsibilities: Array, values: Values) -> Array:
        d = len(self.columns.mean)
        sums = np.empty((len(responsibilities), 2 * d))
        for j, z in enumerate(self._standard(cells, observed, values)):
            sums[:, j] = np.einsum("tn,tn->t", responsibilities, z)
            sums[:, d + j] = np.einsum("tn,tn->t", responsibilities, z * z)
        return sums

    def maximize(self, weight: Array, sums: Array) -> Values:
        return self._values(*averages(weight, sums))

    def relative_variance(self, values: Values) -> Array:
        return self._relative(values)[1] ** 2

    def steps(self, base: Values, values: Values) -> Values:
        return values[0] - base[0], log_ratio(base[1], values[1])

    def moved(self, base: Values, steps: Values) -> Values:
        return self.within((base[0] + steps[0], scaled(base[1], steps[1])))

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        mean, sd = self._relative(values)
        centre, variance = averages(weight, sums)
        away, ratio, concentrated = (centre - mean) / sd, variance / sd**2, self.concentrated(values)
        if concentrated.any():
            away, ratio = (np.where(concentrated[..., None], *pair) for pair in ((centre, away), (variance, ratio)))
        return weight * away / values[1], weight * (ratio + away**2 - 1)

    def information(self, values: Values) -> list[list[Array]]:
        none = np.zeros_like(values[0])
        return [[1 / values[1] ** 2, none], [none, none + 2.0]]


def averages(weight: Array, sums: Array) -> tuple[Array, Array]:
    """Mean and variance, of sums and sums of squares."""
    d = sums.shape[-1] // 2
    mean = sums[..., :d] / weight
    return mean, np.maximum(sums[..., d:] / weight - mean * mean, 0.0)
