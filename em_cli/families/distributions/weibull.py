"""Lifetimes: columns of independent Weibull variables given the component."""

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
from em_cli.families.distributions.distribution import TINY, Values
from em_cli.families.distributions.roots import settled
from em_cli.families.distributions.support import POSITIVE, Support

LARGEST_SHAPE = 1e12
SMALLEST = 1e-300
LARGEST_EXPONENT = 600.0
LARGEST_SQUARED = 200.0  # exponent, where the square is wanted
SD = float(np.pi / np.sqrt(6))  # of log x, times the shape
CENTRE = float(1 - np.euler_gamma)  # of log t under weights t, for Weibull variables
WIDER, NARROWER = 1.0, 0.5  # how much the shape may grow and shrink in one M-step, relative to itself


@dataclass(frozen=True, slots=True)
class Weibull:
    """Lifetimes: columns of independent Weibull variables given the component."""

    describes: ClassVar[str] = "positive"
    title: ClassVar[str] = "Weibull mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    support: ClassVar[Support] = POSITIVE
    parameters: ClassVar[tuple[Parameter, ...]] = positive.SHAPES_AND_SCALES

    def bind(self, columns: Columns) -> Columnwise:
        own = WeibullDistribution(columns)
        declared = Declared(self, own, columns, within=own.within, degeneracies=own.degenerate)
        return Columnwise(declared, columns, framed=own, expecting=own, prior=own)


@dataclass(frozen=True, slots=True, eq=False)
class WeibullDistribution:
    """Shapes c and scales λ: with t = (x/λ)^c, the log-density is log c + log t − t − log x.

    There are no sufficient statistics. The sums of a component are those of log t, t, t log t and
    t^ρ (log t − m)² for ρ = 1/2, 1, 2 about its own parameters; they tell how much the
    likelihood must grow at least wherever the shape goes, and the M-step is the maximum of that.
    Sums about nothing are of z = log x and z² (four more hold nothing): their M-step is by
    moments, and what they say of the likelihood is so if the component is Weibull.

    The prior adds log c − ½ (c/c₀)², as a normal log x would that were spread about its own mean as
    the data are: it moves no scale, and keeps the shape from growing. Its strength is the last sum.

    The standard deviation of concentrated components, nearly λπ/(√6 c), is held above the rounding of the data.
    """

    columns: Columns

    def features(self, x: Array, out: Array) -> None:
        d = len(x)
        out[:d] = positive.logs(x, self.columns)
        np.multiply(out[:d], out[:d], out=out[d : 2 * d])
        out[2 * d :] = 0.0

    def base_measure(self, x: Array) -> Array:
        measure: Array = -np.log(x)
        return measure

    def natural(self, values: Values) -> tuple[Array, Array]:
        """There are none."""
        return np.zeros_like(values[0]), np.zeros((*values[0].shape[:-1], 7 * values[0].shape[-1]))

    def concentrated(self, values: Values) -> Flags:
        """All are evaluated about their parameters."""
        return np.ones(values[0].shape[:-1], np.bool_)

    def _log_t(self, cells: Array, values: Values, j: int, largest: float) -> Array:
        """(T, n) in column j."""
        log_scale = np.log(values[1][:, [j]] / positive.unit(self.columns)[j])
        log_t: Array = np.minimum(values[0][:, [j]] * (cells[j] - log_scale), largest)
        return log_t

    def log_density_about(self, cells: Array, observed: Flags | None, values: Values) -> Array:
        level, total = np.log(values[0]), np.zeros((len(values[0]), cells.shape[1]))
        for j in range(len(self.columns.mean)):
            log_t = self._log_t(cells, values, j, LARGEST_EXPONENT)
            part = level[:, [j]] + log_t - np.exp(log_t)
            total += part if observed is None else part * observed[j]
        return total

    def sums_about(self, cells: Array, observed: Flags | None, responsibilities: Array, values: Values) -> Array:
        d = len(self.columns.mean)
        sums = np.zeros((len(responsibilities), 7, d))
        for j in range(d):
            r = responsibilities if observed is None else responsibilities * observed[j]
            log_t = self._log_t(cells, values, j, LARGEST_SQUARED)
            root = np.exp(0.5 * log_t)
            t, square = root * root, (log_t - CENTRE) ** 2
            parts = (log_t, t, t * log_t, root * square, t * square, t * t * square)
            sums[:, :6, j] = np.stack([np.einsum("tn,tn->t", r, part) for part in parts], axis=1)
        return sums.reshape(len(sums), 7 * d)

    def maximize(self, weight: Array, sums: Array) -> Values:
        mean, sd = self._moments(weight, sums)
        shapes = SD / np.maximum(sd, SD / LARGEST_SHAPE)
        scales = positive.unit(self.columns) * np.exp(mean + np.euler_gamma / shapes)
        return self.within((shapes, scales))

    def _moments(self, weight: Array, sums: Array) -> tuple[Array, Array]:
        """Mean and standard deviation of z."""
        d, weight = len(self.columns.mean), np.maximum(weight, TINY)
        mean = sums[..., :d] / weight
        return mean, np.sqrt(np.maximum(sums[..., d : 2 * d] / weight - mean * mean, 0.0))

    def within(self, values: Values) -> Values:
        shapes, scales = values
        return np.minimum(shapes, self._largest(scales)), scales

    def _largest(self, scales: Array) -> Array:
        largest: Array = np.minimum(SD * scales / floor(self.columns), LARGEST_SHAPE)
        return largest

    def expected_log_density(self, weight: Array, sums: Array, values: Values) -> Array:
        """From sums about nothing: were the cells Weibull, of these moments of z; with the prior."""
        from scipy.special import gammaln

        mean, sd = self._moments(weight, sums)
        shapes, scales = values
        log_t, ratio = shapes * (mean - np.log(scales / positive.unit(self.columns))), shapes * sd / SD
        log_mean = log_t + np.euler_gamma * ratio + gammaln(1 + ratio)
        by_rows = weight * (np.log(shapes) + log_t - np.exp(np.minimum(log_mean, LARGEST_EXPONENT)))
        expected: Array = by_rows + np.split(sums, 7, axis=-1)[6] * (np.log(shapes) - 0.5 * (shapes / self._wide) ** 2)
        return expected

    @property
    def _wide(self) -> Array:
        """(D,) the shape c₀ of the data as a whole."""
        wide: Array = SD / positive.log_sd(self.columns)
        return wide

    def prior_sums(self) -> Array:
        d = len(self.columns.mean)
        return np.concatenate([np.zeros(6 * d), np.ones(d)])

    def typical_about(self, values: Values) -> Array:
        """Those of the prior."""
        return np.tile(self.prior_sums(), (len(values[0]), 1))

    def maximize_about(self, weight: Array, sums: Array, values: Values) -> Values:
        """Where the bound of the likelihood is highest.

        With x^(ρc) for x^c the log-density is log ρ + ρ log t − τ − exp(−τ) t^ρ, up to a constant, and the
        best τ is the logarithm f(ρ) of the mean of t^ρ. Its second derivative is at most that of
        the numerator, which is log-convex in ρ, over its tangent at ρ = 1, which is below f.
        """
        shapes, scales = values
        mean_log, mean, weighed, *squares, prior = np.split(sums, 7, axis=-1)
        mean_log, mean = mean_log / weight, np.maximum(mean / weight, SMALLEST)
        below, here, above = (np.maximum(square / weight, SMALLEST) for square in squares)
        slope, curvature = weighed / weight / mean, here / mean
        prior, narrow = prior / weight, (shapes / self._wide) ** 2
        lowest = floor(self.columns) / SD

        def at(away: Array, sign: Array, growth: Array) -> tuple[Array, Array, Array, Array, Array]:
            """Where ρ = 1 ± the distance: the bound, its derivatives by the distance, shape and scale."""
            ratio = 1 + sign * away
            shape = shapes * ratio
            level = np.log(mean) + slope * sign * away + curvature * _second(growth, away)
            rise, bend = sign * slope + curvature * _first(growth, away), curvature * np.exp(growth * away)
            scale = scales * np.exp(level / shape)
            held = scale < shape * lowest  # by rounding
            scale = np.where(held, shape * lowest, scale)
            relative = np.log(scale / scales)
            down, turn = np.where(held, shape * relative, level), np.where(held, sign * shapes * (relative + 1), rise)
            short = np.exp(level - down)  # τ is too large, and the mean of t^ρ exp(−τ) is not one
            objective = (1 + prior) * np.log(ratio) - 0.5 * prior * narrow * ratio**2 + ratio * mean_log - down - short
            pull = sign * ((1 + prior) / ratio - prior * narrow * ratio + mean_log) - turn - short * (rise - turn)
            more = (1 - short) * shapes**2 / shape + short * (bend + (rise - turn) ** 2)
            return objective, pull, (1 + prior) * ratio**-2 + prior * narrow + more, shape, scale

        here_now = at(np.zeros_like(shapes), np.ones_like(shapes), np.zeros_like(shapes))
        up = here_now[1] > 0
        sign = np.where(up, 1.0, -1.0)
        growth = np.where(up, np.log(above / here) - slope, 2 * np.log(below / here) + slope)
        farthest = np.where(up, np.minimum(WIDER, np.maximum(LARGEST_SHAPE / shapes - 1, 0.0)), NARROWER)

        def step(state: Values) -> Values:
            (away,) = state
            _, pull, bend, _, _ = at(away, sign, growth)
            return (np.clip(pull / bend, -away, farthest - away),)

        (away,) = settled(step, (np.zeros_like(shapes),))
        moved = at(away, sign, growth)
        better = moved[0] >= here_now[0]
        return np.where(better, moved[3], here_now[3]), np.where(better, moved[4], here_now[4])

    def typical(self) -> Array:
        spread = positive.log_sd(self.columns)
        return np.concatenate([-0.5 * spread**2, spread**2 + 0.25 * spread**4, np.zeros(5 * len(spread))])

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]:
        at_resolution = values[0] > (1 - 1e-6) * self._largest(values[1])
        return degeneracies(at_resolution, (SD / values[0] / positive.log_sd(self.columns)) ** 2, support)

    def moments(self, values: Values) -> tuple[Array, Array]:
        from scipy.special import gammaln

        shapes, scales = values
        once, twice = gammaln(1 + 1 / shapes), gammaln(1 + 2 / shapes)
        mean = scales * np.exp(np.minimum(once, LARGEST_EXPONENT))
        spread = np.where(shapes > 100, _log_spread(np.maximum(shapes, 100)), twice - 2 * once)
        return mean, mean * np.sqrt(np.expm1(np.minimum(spread, LARGEST_EXPONENT)))

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        return np.maximum(values[1] * rng.weibull(values[0]), TINY)

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        log_t, t, weighed, *_, prior = np.split(sums, 7, axis=-1)
        by_prior = prior * (1 - (values[0] / self._wide) ** 2)
        return weight + log_t - weighed + by_prior, values[0] * (t - weight)

    def information(self, values: Values) -> list[list[Array]]:
        mixed = -CENTRE * values[0]
        return [[np.full_like(mixed, CENTRE**2 + SD**2), mixed], [mixed, values[0] ** 2]]


def _first(growth: Array, away: Array) -> Array:
    """(exp(gs) − 1)/g."""
    power = growth * away
    safe = np.where(np.abs(power) > 1e-8, power, 1.0)
    first: Array = away * np.where(np.abs(power) > 1e-8, np.expm1(safe) / safe, 1.0)
    return first


def _second(growth: Array, away: Array) -> Array:
    """(exp(gs) − 1 − gs)/g²."""
    power = growth * away
    safe = np.where(np.abs(power) > 1e-3, power, 1.0)
    exact, series = (np.expm1(safe) - safe) / safe**2, 0.5 + power / 6 + power**2 / 24
    second: Array = away**2 * np.where(np.abs(power) > 1e-3, exact, series)
    return second


def _log_spread(shapes: Array) -> Array:
    """log Γ(1 + 2/c) − 2 log Γ(1 + 1/c), which cancels, of large shapes c (Abramowitz & Stegun 1964, 6.1.33)."""
    h = 1 / shapes
    return (
        h
        * h
        * (
            1.6449340668482264
            - h * (2.4041138063191886 - h * (3.7881313179941454 - h * (6.221566530860221 - h * 10.512554638995)))
        )
    )
