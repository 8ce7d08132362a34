"""Positive quantities: columns of independent gamma variables given the component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.engine.family import Degeneracy
from em_cli.families.distributions import positive
from em_cli.families.distributions.charts import log_ratio, scaled
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.declared import Declared
from em_cli.families.distributions.degeneracies import degeneracies, floor
from em_cli.families.distributions.distribution import TINY, Values
from em_cli.families.distributions.gamma_function import log_minus_digamma, stirling_rest, trigamma_rest
from em_cli.families.distributions.roots import settled
from em_cli.families.distributions.support import POSITIVE, Support

LARGEST_SHAPE = 1e15
TIGHT = 1e6  # shapes, beyond which more than 1e-10 would cancel
LOWEST = 2.0**-53 - 1  # of what a cell is away from the mean, relative to it
SMALLEST_RATIO = 1e-300


@dataclass(frozen=True, slots=True)
class Gamma:
    """Positive quantities: columns of independent gamma variables given the component."""

    describes: ClassVar[str] = "positive"
    title: ClassVar[str] = "gamma mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    support: ClassVar[Support] = POSITIVE
    parameters: ClassVar[tuple[Parameter, ...]] = positive.SHAPES_AND_SCALES

    def bind(self, columns: Columns) -> Columnwise:
        own = GammaDistribution(columns)
        declared = Declared(self, own, columns, coordinates=own, degeneracies=own.degenerate)
        return Columnwise(declared, columns, framed=own)


@dataclass(frozen=True, slots=True, eq=False)
class GammaDistribution:
    """Shapes a and scales θ, of mean μ = aθ; features x and log x, relative to the mean of the column.

    The log-density is g(a) − a(v − log(1 + v)) − log x, where v = x/μ − 1 and g is what Stirling's
    formula leaves; concentrated components are computed so. Their standard deviation μ/√a is held above the
    rounding of the data.
    """

    columns: Columns

    def features(self, x: Array, out: Array) -> None:
        d = len(x)
        np.divide(x, positive.unit(self.columns)[:, None], out=out[:d])
        np.log(out[:d], out=out[d:])

    def base_measure(self, x: Array) -> Array:
        measure: Array = -np.log(x)
        return measure

    def natural(self, values: Values) -> tuple[Array, Array]:
        shapes, scales = values
        unit = positive.unit(self.columns)
        constant = stirling_rest(shapes) + shapes * (1 + np.log(unit / (shapes * scales)))
        return constant, np.concatenate([-unit / scales, shapes], axis=-1)

    def concentrated(self, values: Values) -> Flags:
        concentrated: Flags = np.logical_or.reduce(values[0] > TIGHT, axis=-1)
        return concentrated

    def log_density_about(self, cells: Array, observed: Flags | None, values: Values) -> Array:
        rest, total = stirling_rest(values[0]), np.zeros((len(values[0]), cells.shape[1]))
        for j in range(len(self.columns.mean)):
            away = self._away(cells, observed, values, j)
            part = rest[:, [j]] - values[0][:, [j]] * (away - np.log1p(np.maximum(away, LOWEST)))
            total += part if observed is None else part * observed[j]
        return total

    def sums_about(self, cells: Array, observed: Flags | None, responsibilities: Array, values: Values) -> Array:
        """Of v and log(1 + v)."""
        d = len(self.columns.mean)
        sums = np.empty((len(responsibilities), 2 * d))
        for j in range(d):
            away = self._away(cells, observed, values, j)
            sums[:, j] = np.einsum("tn,tn->t", responsibilities, away)
            sums[:, d + j] = np.einsum("tn,tn->t", responsibilities, np.log1p(away))
        return sums

    def _away(self, cells: Array, observed: Flags | None, values: Values, j: int) -> Array:
        """v (T, n) in column j; zero where a cell is missing."""
        ratio = positive.unit(self.columns)[j] / (values[0] * values[1])[:, [j]]
        away: Array = ratio * cells[j] - 1
        return away if observed is None else np.where(observed[j], away, 0.0)

    def maximize(self, weight: Array, sums: Array) -> Values:
        mean, slack = self._averages(weight, sums)
        return self._solved(mean * positive.unit(self.columns), slack)

    def maximize_about(self, weight: Array, sums: Array, values: Values) -> Values:
        away, slack = self._averages_about(weight, sums)
        return self._solved(values[0] * values[1] * (1 + away), slack)

    def _averages(self, weight: Array, sums: Array) -> tuple[Array, Array]:
        """The mean, relative to that of the column; by how much its logarithm exceeds the mean logarithm."""
        d = len(self.columns.mean)
        mean = np.maximum(sums[..., :d] / weight, SMALLEST_RATIO)
        return mean, np.log(mean) - sums[..., d:] / weight

    def _averages_about(self, weight: Array, sums: Array) -> tuple[Array, Array]:
        """That of v instead."""
        d = len(self.columns.mean)
        away = sums[..., :d] / weight
        return away, np.log1p(away) - sums[..., d:] / weight

    def _solved(self, mean: Array, slack: Array) -> Values:
        """With the shape that the slack tells, or the largest that there may be."""
        slack = np.maximum(slack, 0.5 / LARGEST_SHAPE)
        shapes, largest = shapes_of(slack), self._largest(mean)
        held = shapes > largest
        if held.any():
            mean = mean.copy()
            mean[held] = held_means(mean[held], slack[held], largest[held])
            shapes = np.where(held, self._largest(mean), shapes)
        return shapes, mean / shapes

    def _largest(self, mean: Array) -> Array:
        largest: Array = np.minimum(mean / floor(self.columns), LARGEST_SHAPE**0.5) ** 2
        return largest

    def typical(self) -> Array:
        d = len(self.columns.mean)
        return np.concatenate([np.ones(d), -0.5 * positive.log_sd(self.columns) ** 2])

    def typical_about(self, values: Values) -> Array:
        ratio = positive.unit(self.columns) / (values[0] * values[1])
        return np.concatenate([ratio - 1, np.log(ratio) - 0.5 * positive.log_sd(self.columns) ** 2], axis=-1)

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]:
        return degeneracies(self.at_resolution(values), self.relative_variance(values), support)

    def at_resolution(self, values: Values) -> Flags:
        low: Flags = values[0] > (1 - 1e-6) * self._largest(values[0] * values[1])
        return low

    def relative_variance(self, values: Values) -> Array:
        variance: Array = 1 / (values[0] * positive.log_sd(self.columns) ** 2)
        return variance

    def moments(self, values: Values) -> tuple[Array, Array]:
        shapes, scales = values
        return shapes * scales, np.sqrt(shapes) * scales

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        return np.maximum(rng.gamma(*values), TINY)

    def steps(self, base: Values, values: Values) -> Values:
        """Of log a and log μ, which are orthogonal."""
        shape = log_ratio(base[0], values[0])
        return shape, shape + log_ratio(base[1], values[1])

    def moved(self, base: Values, steps: Values) -> Values:
        mean = scaled(base[0] * base[1], steps[1])
        shapes = np.minimum(scaled(base[0], steps[0]), self._largest(mean))
        return shapes, mean / shapes

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        shapes = values[0]
        mean, slack = self._averages(weight, sums)
        away, concentrated = mean * positive.unit(self.columns) / (shapes * values[1]) - 1, self.concentrated(values)
        if concentrated.any():
            exact = self._averages_about(weight, sums)
            away, slack = (
                np.where(concentrated[..., None], part, own) for part, own in zip(exact, (away, slack), strict=True)
            )
        by_shape = log_minus_digamma(shapes) - slack + np.log1p(away) - away
        return weight * shapes * by_shape, weight * shapes * away

    def information(self, values: Values) -> list[list[Array]]:
        none = np.zeros_like(values[0])
        return [[trigamma_rest(values[0]), none], [none, values[0]]]


def shapes_of(slack: Array) -> Array:
    """The shape a at which log a − ψ(a) is the slack (above zero); both sides are nearly powers of a."""
    log_slack = np.log(slack)

    def step(at: Values) -> Values:
        a = np.exp(at[0])
        gap = log_minus_digamma(a)
        return ((np.log(gap) - log_slack) * a * gap / trigamma_rest(a),)

    guess = (3 - slack + np.sqrt((slack - 3) ** 2 + 24 * slack)) / (12 * slack)  # Minka 2002
    (log_shapes,) = settled(step, (np.log(guess),))
    return np.asarray(np.exp(log_shapes))


def held_means(mean: Array, slack: Array, narrowest: Array) -> Array:
    """The best means of cells whose standard deviation is that of rounding, where their shapes would be `narrowest`."""

    def step(at: Values) -> Values:
        (up,) = at
        a = np.clip(narrowest * np.exp(2 * up), 1e-300, LARGEST_SHAPE)
        gap, missed = log_minus_digamma(a), -0.5 * np.expm1(-up)
        return ((gap - slack - up + missed) / (2 * trigamma_rest(a) / a + 0.5 + missed),)

    (up,) = settled(step, (np.zeros_like(mean),))
    held: Array = mean * np.exp(np.maximum(up, 0.0))
    return held
