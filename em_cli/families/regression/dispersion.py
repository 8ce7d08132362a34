"""The parameter that laws of a response have beside the mean: shapes of gamma laws, sizes of negative binomial ones.

Both are orthogonal to the mean: the information on the two together is none in expectation.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.distributions.gamma import shapes_of
from em_cli.families.distributions.gamma_function import log_minus_digamma, stirling_rest, trigamma_rest
from em_cli.families.distributions.negative_binomial import information_on_size
from em_cli.families.distributions.negative_binomial_sizes import LARGEST, POISSON, SMALLEST, log1p_beyond

LARGEST_SHAPE = 1e12
LONGEST = 1.0  # step of Newton's method
NEARLY_POISSON = 10.0  # means; of a law of such a size, the likelihood is nearly a parabola in steps
TINY = 1e-300
Sums = tuple[Array, Array]


def by_count(function: Callable[[Array], Array], y: Array) -> Array:
    """(…, n) of counts (n,), each computed once where they are small beside their number."""
    most = y.max(initial=0.0)
    if most >= len(y) or y.ndim > 1:
        return function(y)
    return np.take(function(np.arange(most + 1)), y.astype(np.intp), axis=-1)


class Dispersion(Protocol):
    """Such a parameter a; m is the mean of a typical row, and steps are those of climbs by gradients."""

    @property
    def name(self) -> str:
        """In documents."""

    def sums(self, eta: Array, y: Array, a: Array) -> Sums:
        """Of each row what, summed, the M-step goes by."""

    def guess(self, level: Array, mean: Array, square: Array, overall: float) -> Array:
        """From plain averages of log-likelihood, response and its square, and that of all rows as one regression."""

    def maximized(self, a: Array, seen: Array, sums: Sums, means: Array, m: float, largest: float) -> Array:
        """Where the log-likelihood is higher than at a, for the same responses; means are those of typical ones."""

    def expected(self, plain: Array, seen: Array, a: Array) -> Array:
        """Log-likelihood, from that of plain statistics."""

    def step(self, base: Array, a: Array, m: float) -> Array: ...
    def moved(self, base: Array, step: Array, m: float, largest: float) -> Array: ...
    def score(self, a: Array, seen: Array, sums: Sums, m: float) -> Array:
        """The derivative of the log-likelihood by the step."""

    def information(self, a: Array, means: Array, m: float) -> Array:
        """Of a row, on the step; of a typical one of its component, which has this mean."""

    def observed(self, a: Array, sums: Sums, m: float) -> Array:
        """Of all rows, on the step; nothing to go by where it is not above zero."""


@dataclass(frozen=True, slots=True)
class GammaShape:
    """The first sum is of log(y/μ) − y/μ + 1, of which the shape at the maximum is a function; steps are of log a."""

    name: ClassVar[str] = "shape"

    def sums(self, eta: Array, y: Array, a: Array) -> Sums:
        away = np.log(y) - eta
        return away - np.expm1(np.minimum(away, 700.0)), np.zeros_like(away)

    def guess(self, level: Array, mean: Array, square: Array, overall: float) -> Array:
        """Plain statistics are of shape one, whose log-likelihood is one less than what the first sum sums."""
        return shapes_of(np.maximum(-level - 1, 0.01 * log_minus_digamma(np.array(overall))))

    def maximized(self, a: Array, seen: Array, sums: Sums, means: Array, m: float, largest: float) -> Array:
        slack = np.where(seen > TINY, -sums[0] / np.maximum(seen, TINY), 1.0)
        return np.minimum(shapes_of(np.maximum(slack, 0.1 / LARGEST_SHAPE)), largest)

    def expected(self, plain: Array, seen: Array, a: Array) -> Array:
        return np.asarray(a * (plain + seen) + seen * stirling_rest(a))

    def typical(self, overall: float) -> float:
        """The first sum of one row that is spread as all are."""
        return -float(log_minus_digamma(np.array(overall)))

    def step(self, base: Array, a: Array, m: float) -> Array:
        return np.log(a / base)

    def moved(self, base: Array, step: Array, m: float, largest: float) -> Array:
        return np.minimum(base * np.exp(np.clip(step, -30.0, 30.0)), largest)

    def score(self, a: Array, seen: Array, sums: Sums, m: float) -> Array:
        return np.asarray(a * (sums[0] + seen * log_minus_digamma(a)))

    def information(self, a: Array, means: Array, m: float) -> Array:
        return trigamma_rest(a)

    def observed(self, a: Array, sums: Sums, m: float) -> Array:
        return np.zeros_like(a)


@dataclass(frozen=True, slots=True)
class NegativeBinomialSize:
    """The sums are the slope by log s and the negative curvature; steps are of log(1 + m/s), so Poisson's is not far.

    A step of Newton's method: the likelihood has no bound of its curvature that is worth it.
    """

    name: ClassVar[str] = "size"

    def sums(self, eta: Array, y: Array, a: Array) -> Sums:
        mean = np.exp(np.minimum(eta, 300.0))
        u, p, one = mean / a, mean / (a + mean), log_minus_digamma(a)

        def slope(counts: Array) -> Array:
            return np.asarray(log1p_beyond(counts / a) + one - log_minus_digamma(counts + a))

        def rest(counts: Array) -> Array:
            v, total = counts / a, counts + a
            return np.asarray(a * v * v / (1 + v) + (a / total) ** 2 * trigamma_rest(total))

        bent = a * (by_count(slope, y) - log1p_beyond(u))
        fall = a * u * u / (1 + u) + trigamma_rest(a) - by_count(rest, y) + (y - mean) * p * (1 - p)
        return bent + (y - mean) * p, fall - bent

    def guess(self, level: Array, mean: Array, square: Array, overall: float) -> Array:
        """No component varies more than its responses all together, whatever they regress on."""
        variance = square - mean**2
        return np.maximum(mean**2 / np.maximum(variance - mean, 0.1 * mean + SMALLEST), overall)

    def maximized(self, a: Array, seen: Array, sums: Sums, means: Array, m: float, largest: float) -> Array:
        slope, fall = self.score(a, seen, sums, m), self.observed(a, sums, m)
        step = np.where(fall > 0, slope / np.maximum(fall, TINY), np.sign(slope) * LONGEST)
        away = np.where(slope > 0, 0.5 * LARGEST, POISSON) * max(m, 1.0)
        found = self.moved(a, np.clip(step, -LONGEST, LONGEST), m, largest)
        logs = np.log(found / a)
        near = a * np.exp(np.clip(np.sign(logs) * np.log1p(2 * np.abs(logs)) / 2, -LONGEST, LONGEST))
        found = np.where(NEARLY_POISSON * means < a, found, near)
        return np.where(a < LARGEST * max(m, 1.0), found, away)

    def expected(self, plain: Array, seen: Array, a: Array) -> Array:
        return plain

    def step(self, base: Array, a: Array, m: float) -> Array:
        return np.asarray(np.log1p(m / a) - np.log1p(m / base))

    def moved(self, base: Array, step: Array, m: float, largest: float) -> Array:
        """Beyond the largest size that can be told from it, Poisson's law."""
        dispersion, least = np.expm1(np.clip(np.log1p(m / base) + step, 0.0, 30.0)) / m, 1 / (LARGEST * max(m, 1.0))
        sizes = np.maximum(1 / np.maximum(dispersion, least), SMALLEST)
        return np.where(dispersion > least, sizes, POISSON * max(m, 1.0))

    def score(self, a: Array, seen: Array, sums: Sums, m: float) -> Array:
        """A dispersion that cannot fall does not pull downwards."""
        slope = sums[0] * self._per_step(a, m)
        return np.where(a < LARGEST * max(m, 1.0), slope, np.maximum(slope, 0.0))

    def observed(self, a: Array, sums: Sums, m: float) -> Array:
        return np.asarray(sums[1] * self._per_step(a, m) ** 2 - sums[0] * (a / m) * (a + m) / m)

    def _per_step(self, a: Array, m: float) -> Array:
        """What a step does to log s."""
        return -1 - a / m

    def information(self, a: Array, means: Array, m: float) -> Array:
        return np.asarray(information_on_size(means, a) * self._per_step(a, m) ** 2)


@dataclass(slots=True, eq=False)
class DispersionChart:
    """Steps of dispersions in units of their information."""

    of: Dispersion
    base: Array  # (…, K)
    weight: Array  # (…, K)
    means: Array  # (…, K) of a typical row, by component
    told: Array  # (…, K) observed information a row, on the step
    mean: float  # of a typical row
    largest: float
    root: Array = field(init=False)  # (…, K) of the information of all rows

    def __post_init__(self) -> None:
        expected = np.maximum(self.of.information(self.base, self.means, self.mean), 1e-12)
        information = np.where(self.told > 0.1 * expected, self.told, expected)
        self.root = np.sqrt(information * np.maximum(self.weight, 1.0))

    def coordinates(self, a: Array) -> Array:
        return self.of.step(self.base, a, self.mean) * self.root

    def values(self, u: Array) -> Array:
        return self.of.moved(self.base, u / self.root, self.mean, self.largest)

    def gradient(self, statistics: Array, a: Array) -> Array:
        """From statistics whose last two are the sums."""
        sums = statistics[..., -2], statistics[..., -1]
        slope = self.of.score(a, statistics[..., 1], sums, self.mean) / self.root
        return np.where(a < self.largest, slope, np.minimum(slope, 0.0))
