"""Counts with too many zeros: columns of independent zero-inflated Poisson variables given the component."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.engine.documents import LARGEST_RATE
from em_cli.families.distributions.charts import log_ratio, scaled
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.declared import Declared
from em_cli.families.distributions.distribution import TINY, Values
from em_cli.families.distributions.parameters import from_zero, from_zero_to_one
from em_cli.families.distributions.poisson import PoissonDistribution
from em_cli.families.distributions.support import COUNTS, Support

SMALLEST_ZERO = 1e-200  # the probability of one, where it stands below a line
LARGEST_SHARE = float(np.nextafter(1.0, 0.0))  # of zeros: positive counts stay possible
LARGEST_LOG_ODDS = 36.0
ODDS = 10.0  # of a share of zeros that is small
SHARES_OF_ZEROS = replace(
    from_zero_to_one(), holds=lambda omega: (omega >= 0) & (omega < 1), fault="below 0 or not below 1"
)
TURNS = 9  # of Newton's method, which end at the rounding error whatever the mean


@dataclass(frozen=True, slots=True)
class ZeroInflatedPoisson:
    """Counts with too many zeros: columns of independent zero-inflated Poisson variables given the component."""

    describes: ClassVar[str] = "count"
    title: ClassVar[str] = "zero-inflated Poisson mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    support: ClassVar[Support] = COUNTS
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("rates", from_zero(LARGEST_RATE)),
        Parameter("zero_probabilities", SHARES_OF_ZEROS),
    )

    def bind(self, columns: Columns) -> Columnwise:
        own = ZeroInflatedPoissonDistribution(columns)
        return Columnwise(Declared(self, own, columns, coordinates=own), columns)


@dataclass(frozen=True, slots=True, eq=False)
class ZeroInflatedPoissonDistribution:
    """A zero with probability ω, else a Poisson count with rate λ (Lambert 1992).

    It is linear in 1, [x = 0] and x, so that the M-step needs no missing data but the labels: the
    positive counts tell λ, and the share of zeros then ω. Where there are fewer zeros than a
    Poisson law has, ω is zero.
    """

    columns: Columns

    @property
    def _poisson(self) -> PoissonDistribution:
        return PoissonDistribution(self.columns)

    def features(self, x: Array, out: Array) -> None:
        np.equal(x, 0.0, out=out[: len(x)])
        out[len(x) :] = x

    def base_measure(self, x: Array) -> Array:
        return self._poisson.base_measure(x)

    def natural(self, values: Values) -> tuple[Array, Array]:
        rates, omega = values
        constant, slopes = self._poisson.natural((rates,))
        counted = np.log1p(-omega)
        with np.errstate(divide="ignore"):
            excess = np.logaddexp(0.0, np.log(omega) - counted + rates)
        return constant + counted, np.concatenate([excess, slopes], axis=-1)

    def maximize(self, weight: Array, sums: Array) -> Values:
        zeros, total = np.split(sums, 2, axis=-1)
        largest = self.columns.mean + self.columns.largest
        positive = np.clip(weight - zeros, total / np.maximum(largest, 1.0), total)  # a positive count is one at least
        rates = truncated_rate(np.maximum(total / np.maximum(positive, TINY), 1.0))
        more = zeros / weight - np.exp(-rates)
        inflated = (more > 0) & (total > 0)
        omega = np.where(inflated, more, 0.0) / np.where(inflated, -np.expm1(-rates), 1.0)
        return np.where(inflated, rates, total / weight), np.minimum(omega, LARGEST_SHARE)

    def typical(self) -> Array:
        return np.concatenate([np.exp(-self.columns.mean), self.columns.mean])

    def moments(self, values: Values) -> tuple[Array, Array]:
        rates, omega = values
        mean = (1 - omega) * rates
        return mean, np.sqrt(mean * (1 + omega * rates))

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        rates, omega = values
        return np.where(rng.random(rates.shape) < omega, 0.0, rng.poisson(rates))

    def steps(self, base: Values, values: Values) -> Values:
        """Of log λ, and of the log of 1 + ODDS ω / (1 - ω): so ω = 0 is not far away."""
        return log_ratio(base[0], values[0]), np.log1p(_odds(values)) - np.log1p(_odds(base))

    def moved(self, base: Values, steps: Values) -> Values:
        rates, omega = base
        odds = np.expm1(np.clip(np.log1p(_odds(base)) + steps[1], 0.0, LARGEST_LOG_ODDS)) / ODDS
        return scaled(rates, steps[0]), np.where(steps[1] == 0, omega, odds / (1 + odds))

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        """That of a share of zeros that cannot fall is not negative."""
        rates, omega = values
        zeros, total = np.split(sums, 2, axis=-1)
        zero = _of_zero(values)
        by_share = (zeros / zero - weight) * (omega + (1 - omega) / ODDS)
        by_share = np.where(omega > 0, by_share, np.maximum(by_share, 0.0))
        return total - rates * (weight - zeros * omega / zero), by_share

    def information(self, values: Values) -> list[list[Array]]:
        rates, omega = values
        zero = _of_zero(values)
        counted = rates * (1 - omega / zero)  # of a zero
        per_step = omega + (1 - omega) / ODDS
        both = np.where(omega > 0, -counted * per_step, 0.0)  # at its end, the share does not go along with the rate
        by_share = (1 - omega) * -np.expm1(-rates) / zero * per_step**2
        return [[(1 - omega) * rates - rates * counted * omega, both], [both, by_share]]


def _of_zero(values: Values) -> Array:
    """The probability of a zero."""
    rates, omega = values
    zero: Array = np.maximum(omega + (1 - omega) * np.exp(-rates), SMALLEST_ZERO)
    return zero


def _odds(values: Values) -> Array:
    odds: Array = ODDS * values[1] / (1 - values[1])
    return odds


def truncated_rate(mean: Array) -> Array:
    """λ of a Poisson law without its zeros, whose mean λ / (1 - exp(-λ)) is given.

    Newton's method from above, where the mean is a convex function of λ and cannot be overshot.
    """
    rates = np.minimum(2 * (mean - 1), mean)
    for _ in range(TURNS):
        rates = np.maximum(rates, TINY)
        some = -np.expm1(-rates)
        found = rates / some
        slope = (1 - found * np.exp(-rates)) / some
        rates = rates - (found - mean) / np.maximum(slope, 0.5)
    rates = np.maximum(rates, 0.0)
    return np.asarray(rates)
