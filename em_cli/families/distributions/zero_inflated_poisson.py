"""Counts with too many zeros: columns of independent zero-inflated Poisson variables given the component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import Columns, unit_columns
from em_cli.engine.documents import LARGEST_RATE, table
from em_cli.engine.family import Degeneracy
from em_cli.families.distributions.charts import InformationChart, log_ratio, scaled
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.distribution import TINY, Layout, Values, per_column
from em_cli.families.distributions.poisson import Poisson

SMALLEST_ZERO = 1e-200  # the probability of one, where it stands below a line
LARGEST_SHARE = float(np.nextafter(1.0, 0.0))  # of zeros: positive counts stay possible
LARGEST_LOG_ODDS = 36.0
ODDS = 10.0  # of a share of zeros that is small
TURNS = 9  # of Newton's method, which end at the rounding error whatever the mean


def zero_inflated_poisson() -> Columnwise:
    """Counts with too many zeros: columns of independent zero-inflated Poisson variables given the component."""
    return Columnwise(ZeroInflatedPoisson())


@dataclass(frozen=True, slots=True, eq=False)
class ZeroInflatedPoisson:
    """A zero with probability ω, else a Poisson count with rate λ (Lambert 1992).

    It is linear in 1, [x = 0] and x, so that the M-step needs no missing data but the labels: the
    positive counts tell λ, and the share of zeros then ω. Where there are fewer zeros than a
    Poisson law has, ω is zero.
    """

    columns: Columns = field(default_factory=lambda: unit_columns(1), repr=False)
    requirement = "a whole number ≥ 0"

    @property
    def _poisson(self) -> Poisson:
        return Poisson(self.columns)

    def layout(self) -> Layout:
        return per_column(len(self.columns.mean), 2)

    def features(self, x: Array, out: Array) -> None:
        np.equal(x, 0.0, out=out[: len(x)])
        out[len(x) :] = x

    def base_measure(self, x: Array) -> Array:
        return self._poisson.base_measure(x)

    def embedding(self, x: Array) -> Array:
        return self._poisson.embedding(x)

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

    def n_parameters(self) -> int:
        return 2 * len(self.columns.mean)

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]:
        return [None] * len(support)

    def moments(self, values: Values) -> tuple[Array, Array]:
        rates, omega = values
        mean = (1 - omega) * rates
        return mean, np.sqrt(mean * (1 + omega * rates))

    def fill(self, values: Values, responsibilities: Array) -> Array:
        """The conditional mean, made a count."""
        mean, _ = self.moments(values)
        return np.rint(mean.T @ responsibilities)

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        rates, omega = values
        return np.where(rng.random(rates.shape) < omega, 0.0, rng.poisson(rates))

    def chart(self, values: Values, weight: Array) -> InformationChart:
        return InformationChart(self, values, weight)

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

    def to_document(self, values: Values) -> dict[str, Any]:
        return {"rates": values[0].tolist(), "zero_probabilities": values[1].tolist()}

    def from_document(self, document: Mapping[str, Any], n_components: int) -> Values:
        shape = (n_components, len(self.columns.mean))
        rates = table(document, "rates", shape, lambda rates: (rates >= 0) & (rates <= LARGEST_RATE), "negative")
        name, fault = "zero_probabilities", "below 0 or not below 1"
        return rates, table(document, name, shape, lambda omega: (omega >= 0) & (omega < 1), fault)

    def allows(self, x: Array) -> Flags:
        return self._poisson.allows(x)


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
