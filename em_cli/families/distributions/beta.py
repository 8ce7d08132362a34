"""Proportions: columns of independent beta variables given the component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.engine.family import Degeneracy
from em_cli.families.distributions.charts import log_ratio, scaled
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.declared import Declared
from em_cli.families.distributions.degeneracies import degeneracies, floor
from em_cli.families.distributions.distribution import Values
from em_cli.families.distributions.gamma_function import log_minus_digamma, stirling_rest, trigamma_rest
from em_cli.families.distributions.parameters import above_zero
from em_cli.families.distributions.roots import settled
from em_cli.families.distributions.support import PROPORTIONS, Support, unit_interval_moments

LARGEST_PRECISION = 1e15
SMALLEST = 1e-300  # parameter
TIGHT = 1e6  # precision, beyond which more than 1e-10 would cancel
LONGEST = 2.0  # step of the logit of the mean


@dataclass(frozen=True, slots=True)
class Beta:
    """Proportions: columns of independent beta variables given the component."""

    describes: ClassVar[str] = "proportion"
    title: ClassVar[str] = "beta mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    support: ClassVar[Support] = PROPORTIONS
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("alphas", above_zero()), Parameter("betas", above_zero()))

    def bind(self, columns: Columns) -> Columnwise:
        own = BetaDistribution(columns)
        declared = Declared(self, own, columns, coordinates=own, degeneracies=own.degenerate)
        return Columnwise(declared, columns, framed=own)


@dataclass(frozen=True, slots=True, eq=False)
class BetaDistribution:
    """Parameters α and β, of mean m = α/φ and precision φ = α + β; features log x and log(1 − x).

    The log-density is g(α) + g(β) − g(φ) + α log(x/m) + β log((1 − x)/(1 − m)), where g is what
    Stirling's formula leaves; concentrated components are computed so. Their standard deviation,
    nearly √(m(1 − m)/φ), is held above the rounding of the data.
    """

    columns: Columns

    def features(self, x: Array, out: Array) -> None:
        np.log(x, out=out[: len(x)])
        np.log1p(-x, out=out[len(x) :])

    def base_measure(self, x: Array) -> Array:
        measure: Array = -np.log(x) - np.log1p(-x)
        return measure

    def natural(self, values: Values) -> tuple[Array, Array]:
        a, b = values
        constant = _level(a, b) - a * np.log(a / (a + b)) - b * np.log(b / (a + b))
        return constant, np.concatenate([a, b], axis=-1)

    def concentrated(self, values: Values) -> Flags:
        concentrated: Flags = np.logical_or.reduce(values[0] + values[1] > TIGHT, axis=-1)
        return concentrated

    def _logs(self, cells: Array, observed: Flags | None, values: Values, j: int) -> list[Array]:
        """log(x/m) and log((1 − x)/(1 − m)) (T, n) in column j, of the same x; zero where a cell is missing."""
        m, rest = (value[:, [j]] / (values[0] + values[1])[:, [j]] for value in values)
        low, high = cells[j] - np.log(m), cells[len(self.columns.mean) + j] - np.log(rest)
        away = np.where(m < 0.5, m * np.expm1(low), -rest * np.expm1(high))
        near = np.abs(away) < 0.5 * np.minimum(m, rest)
        if observed is not None:
            near, low, high = near & observed[j], np.where(observed[j], low, 0.0), np.where(observed[j], high, 0.0)
        away = np.where(near, away, 0.0)
        return [np.where(near, np.log1p(away / m), low), np.where(near, np.log1p(-away / rest), high)]

    def log_density_about(self, cells: Array, observed: Flags | None, values: Values) -> Array:
        level, total = _level(*values), np.zeros((len(values[0]), cells.shape[1]))
        for j in range(len(self.columns.mean)):
            total += level[:, [j]] if observed is None else level[:, [j]] * observed[j]
            for value, logs in zip(values, self._logs(cells, observed, values, j), strict=True):
                total += value[:, [j]] * logs
        return total

    def sums_about(self, cells: Array, observed: Flags | None, responsibilities: Array, values: Values) -> Array:
        d = len(self.columns.mean)
        sums = np.empty((len(responsibilities), 2 * d))
        for j in range(d):
            for place, logs in zip((j, d + j), self._logs(cells, observed, values, j), strict=True):
                sums[:, place] = np.einsum("tn,tn->t", responsibilities, logs)
        return sums

    def maximize(self, weight: Array, sums: Array) -> Values:
        low, high = self._averages(weight, sums)
        spread = np.maximum(2 * (1 - np.exp(low) - np.exp(high)), 1 / LARGEST_PRECISION)
        a, b = (np.exp(logs) / spread + 1 / (2 - logs) for logs in (low, high))
        share, rest = a / (a + b), b / (a + b)
        return self._solved(low - np.log(share), high - np.log(rest), share, rest, a + b)

    def maximize_about(self, weight: Array, sums: Array, values: Values) -> Values:
        total = values[0] + values[1]
        return self._solved(*self._averages(weight, sums), values[0] / total, values[1] / total, total)

    def _averages(self, weight: Array, sums: Array) -> tuple[Array, Array]:
        d = len(self.columns.mean)
        return sums[..., :d] / weight, sums[..., d:] / weight

    def _solved(self, low: Array, high: Array, share: Array, rest: Array, precision: Array) -> Values:
        """From the mean logarithms of x/m and (1 − x)/(1 − m): scoring in the logit of the mean and the log precision.

        It starts at the mean m, which is the share, and the precision.
        """
        most = np.log(LARGEST_PRECISION)

        def largest(up: Array) -> Array:
            """The log precision at which the standard deviation is that of rounding."""
            product = np.log(share) + np.log(rest) + up - 2 * np.log1p(share * np.expm1(up))
            logs: Array = np.minimum(product - 2 * np.log(floor(self.columns)), most)
            return logs

        def at(up: Array, log_precision: Array) -> tuple[Array, Array, Array, Array]:
            """α, β and by how much the mean logarithms exceed what they expect."""
            down, total = np.log1p(share * np.expm1(up)), np.exp(log_precision)
            a, b = total * share * np.exp(up - down), total * rest * np.exp(-down)
            above, below = _excess(low - up + down, high + down, a, b)
            return a, b, above, below

        def step(state: Values) -> Values:
            a, b, above, below = at(*state)
            (by_mean, by_precision), ((mm, mp), (_, pp)) = _score(a, b, above, below), _information(a, b)
            determinant = mm * pp - mp * mp
            up = (pp * by_mean - mp * by_precision) / determinant
            more = (mm * by_precision - mp * by_mean) / determinant
            return np.clip(up, -LONGEST, LONGEST), np.minimum(more, most - state[1])

        def step_at_floor(state: Values) -> Values:
            a, b, above, below = at(state[0], largest(state[0]))
            (by_mean, by_precision), ((mm, mp), (_, pp)) = _score(a, b, above, below), _information(a, b)
            slope = (b - a) / (a + b)
            up = (by_mean + slope * by_precision) / (mm + slope * (2 * mp + slope * pp))
            return (np.clip(up, -LONGEST, LONGEST),)

        up, log_precision = settled(step, (np.zeros_like(share), np.log(precision)))
        held = log_precision > largest(up)
        if held.any():
            (bounded,) = settled(step_at_floor, (up,))
            up = np.where(held, bounded, up)
            log_precision = np.where(held, largest(up), log_precision)
        a, b, _, _ = at(up, log_precision)
        return np.maximum(a, SMALLEST), np.maximum(b, SMALLEST)

    def typical(self) -> Array:
        mean, variance = unit_interval_moments(self.columns)
        low, high = (np.log(m) - 0.5 * variance / m**2 for m in (mean, 1 - mean))
        return np.concatenate([low, high])

    def typical_about(self, values: Values) -> Array:
        total = values[0] + values[1]
        about: Array = self.typical() - np.log(np.concatenate([values[0] / total, values[1] / total], axis=-1))
        return about

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]:
        total, (mean, variance) = values[0] + values[1], unit_interval_moments(self.columns)
        m, rest = values[0] / total, values[1] / total
        largest = np.minimum(m * rest / floor(self.columns) ** 2, LARGEST_PRECISION)
        return degeneracies(total > (1 - 1e-6) * largest, mean * (1 - mean) / variance / total, support)

    def moments(self, values: Values) -> tuple[Array, Array]:
        total = values[0] + values[1]
        m = values[0] / total
        return m, np.sqrt(m * (values[1] / total) / (total + 1))

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        return np.clip(rng.beta(*values), SMALLEST, 1 - 2.0**-53)

    def steps(self, base: Values, values: Values) -> Values:
        """Of the logit of m and of log φ."""
        odds = log_ratio(base[0], values[0]) - log_ratio(base[1], values[1])
        return odds, log_ratio(base[0] + base[1], values[0] + values[1])

    def moved(self, base: Values, steps: Values) -> Values:
        odds, total = scaled(base[0] / base[1], steps[0]), scaled(base[0] + base[1], steps[1])
        m, rest = odds / (1 + odds), 1 / (1 + odds)
        total = np.minimum(total, np.minimum(m * rest / floor(self.columns) ** 2, LARGEST_PRECISION))
        return total * m, total * rest

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        a, b = values
        low, high = self._averages(weight, sums)
        concentrated = self.concentrated(values)[..., None]
        above, below = _excess(
            np.where(concentrated, low, low - np.log(a / (a + b))),
            np.where(concentrated, high, high - np.log(b / (a + b))),
            a,
            b,
        )
        by_mean, by_precision = _score(a, b, above, below)
        return weight * by_mean, weight * by_precision

    def information(self, values: Values) -> list[list[Array]]:
        return _information(*values)


def _level(a: Array, b: Array) -> Array:
    """α log m + β log(1 − m) − log B(α, β)."""
    first, second, both = stirling_rest(np.stack([a, b, a + b]))
    level: Array = first + second - both
    return level


def _excess(low: Array, high: Array, a: Array, b: Array) -> tuple[Array, Array]:
    """By how much mean logarithms of x/m and (1 − x)/(1 − m) exceed what is expected."""
    first, second, both = log_minus_digamma(np.stack([a, b, a + b]))
    return low + first - both, high + second - both


def _score(a: Array, b: Array, above: Array, below: Array) -> tuple[Array, Array]:
    """Of one cell, by the logit of m and by log φ."""
    return a * b / (a + b) * (above - below), a * above + b * below


def _information(a: Array, b: Array) -> list[list[Array]]:
    """Of one cell, by the same."""
    first, second, both = trigamma_rest(np.stack([a, b, a + b]))
    half = a * b / (a + b)
    mixed = half * (first / a - second / b)
    return [
        [half**2 * ((first + a) / a**2 + (second + b) / b**2), mixed],
        [mixed, first + second - both],
    ]
