"""Positive quantities whose logarithms are normal: columns of independent lognormal variables given the component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.engine.family import Degeneracy
from em_cli.families.distributions import positive
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.declared import Declared
from em_cli.families.distributions.degeneracies import degeneracies, floor
from em_cli.families.distributions.distribution import Values
from em_cli.families.distributions.normal_formulas import NormalFormulas, averages
from em_cli.families.distributions.parameters import above_zero, any_number
from em_cli.families.distributions.roots import settled
from em_cli.families.distributions.support import POSITIVE, Support

LARGEST_LOG = 300.0  # mean or standard deviation of logarithms
NARROWEST = 1e-12  # standard deviation of a logarithm, relative to that of the column


@dataclass(frozen=True, slots=True)
class Lognormal:
    """Positive quantities whose logarithms are normal: columns of independent lognormal variables."""

    describes: ClassVar[str] = "positive"
    title: ClassVar[str] = "lognormal mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    support: ClassVar[Support] = POSITIVE
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("log_means", any_number(LARGEST_LOG)),
        Parameter("log_sds", above_zero(LARGEST_LOG)),
    )

    def bind(self, columns: Columns) -> Columnwise:
        own = LognormalDistribution(columns)
        declared = Declared(self, own, columns, coordinates=own, within=own.within, degeneracies=own.degenerate)
        return Columnwise(declared, columns, framed=own)


@dataclass(frozen=True, slots=True, eq=False)
class LognormalDistribution(NormalFormulas):
    """Means μ and standard deviations σ of log x; features z and z², where z is log x relative to the column.

    The standard deviation of x, nearly σ exp μ, is held above the rounding of the data.
    """

    columns: Columns

    def features(self, x: Array, out: Array) -> None:
        z = out[: len(x)]
        z[...] = positive.embedding(x, self.columns)
        np.multiply(z, z, out=out[len(x) :])

    def base_measure(self, x: Array) -> Array:
        measure: Array = -np.log(x) - np.log(positive.log_sd(self.columns))[:, None]
        return measure

    def _relative(self, values: Values) -> tuple[Array, Array]:
        """Mean and standard deviation of z."""
        scale = positive.log_sd(self.columns)
        return (values[0] - np.log(positive.unit(self.columns))) / scale, values[1] / scale

    def _values(self, mean: Array, variance: Array) -> Values:
        """From those of z."""
        scale = positive.log_sd(self.columns)
        log_means, log_sds = np.log(positive.unit(self.columns)) + scale * mean, scale * np.sqrt(variance)
        held = log_sds < self._smallest(log_means)
        if held.any():
            log_means[held] += _raised(self._smallest(log_means)[held] ** 2, log_sds[held] ** 2)
            log_sds = np.where(held, self._smallest(log_means), log_sds)
        return log_means, log_sds

    def within(self, values: Values) -> Values:
        log_means, log_sds = values
        return log_means, np.maximum(log_sds, self._smallest(log_means))

    def _smallest(self, log_means: Array) -> Array:
        smallest: Array = np.maximum(
            floor(self.columns) * np.exp(-log_means), NARROWEST * positive.log_sd(self.columns)
        )
        return smallest

    def maximize_about(self, weight: Array, sums: Array, values: Values) -> Values:
        mean, sd = self._relative(values)
        away, variance = averages(weight, sums)
        return self._values(mean + sd * away, sd * sd * variance)

    def typical(self) -> Array:
        mean = -0.5 * positive.log_sd(self.columns)
        return np.concatenate([mean, 1 + mean**2])

    def typical_about(self, values: Values) -> Array:
        mean, sd = self._relative(values)
        centre = -0.5 * positive.log_sd(self.columns)
        return np.concatenate([(centre - mean) / sd, (1 + (centre - mean) ** 2) / sd**2], axis=-1)

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]:
        return degeneracies(self.at_resolution(values), self.relative_variance(values), support)

    def at_resolution(self, values: Values) -> Flags:
        low: Flags = values[1] < (1 + 1e-6) * self._smallest(values[0])
        return low

    def moments(self, values: Values) -> tuple[Array, Array]:
        with np.errstate(over="ignore"):
            mean = np.exp(values[0] + 0.5 * values[1] ** 2)
            return mean, mean * np.sqrt(np.expm1(values[1] ** 2))

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        return rng.lognormal(*values)


def _raised(smallest: Array, variance: Array) -> Array:
    """What the best log-means are higher by, where the variances of x are those of rounding."""

    def step(at: Values) -> Values:
        (up,) = at
        spread, fits = variance + up + up * up, smallest * np.exp(-2 * up)
        return ((fits - spread) / (2 * spread + 1 + 2 * up),)

    start = np.minimum(smallest, np.maximum(0.62, 0.5 * np.log(smallest)))
    (up,) = settled(step, (start,))
    return np.maximum(up, 0.0)
