"""Angles, or times of a day or a year: columns of independent von Mises variables given the component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import Columns, unit_columns
from em_cli.engine.documents import table
from em_cli.engine.family import Degeneracy
from em_cli.errors import UsageError
from em_cli.families.distributions.bessel_ratio import (
    LARGEST_CONCENTRATION,
    concentration,
    resultant_gap,
    resultant_share,
    resultant_slope,
)
from em_cli.families.distributions.charts import LARGEST_LOG, InformationChart
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.degeneracies import degeneracies, floor
from em_cli.families.distributions.distribution import Layout, Values, per_column
from em_cli.parts import Option

TIGHT = 1e6  # concentration, beyond which more than 1e-10 would cancel
UNIFORM = np.pi**2 / 3  # variance of an angle that may be any


def von_mises(
    period: Annotated[float, Option("of the columns: 360 for degrees, 24 for hours")] = 2 * np.pi,
) -> Columnwise:
    """Angles, or times of a day or a year: columns of independent von Mises variables given the component."""
    return Columnwise(VonMises(float(period)))


@dataclass(frozen=True, slots=True, eq=False)
class VonMises:
    """Mean directions μ and concentrations κ; features cos θ and sin θ, where θ = 2πx / period.

    The standard deviation of concentrated components, nearly κ^−½, is held above the rounding of the data.
    """

    period: float = 2 * np.pi  # of the columns: 360 for degrees, 24 for hours

    columns: Columns = field(default_factory=lambda: unit_columns(1), repr=False)
    requirement = "a finite number"

    def __post_init__(self) -> None:
        if not 0 < self.period < np.inf:
            raise UsageError(f"period must be a number above 0, not {self.period!r}.")

    @property
    def _frequency(self) -> float:
        return 2 * np.pi / self.period

    def layout(self) -> Layout:
        return per_column(len(self.columns.mean), 2)

    def features(self, x: Array, out: Array) -> None:
        d = len(x)
        angle = np.remainder(x, self.period) * self._frequency
        np.cos(angle, out=out[:d])
        np.sin(angle, out=out[d:])

    def base_measure(self, x: Array) -> Array:
        return np.full_like(x, -np.log(self.period))

    def embedding(self, x: Array) -> Array:
        """Points on circles."""
        embedded = np.empty((2 * len(x), x.shape[1]))
        self.features(x, embedded)
        return embedded

    def natural(self, values: Values) -> tuple[Array, Array]:
        kappa = values[1]
        east, north = self._direction(values)
        return _level(kappa) - kappa, np.concatenate([kappa * east, kappa * north], axis=-1)

    def _direction(self, values: Values) -> tuple[Array, Array]:
        angle = values[0] * self._frequency
        return np.cos(angle), np.sin(angle)

    def concentrated(self, values: Values) -> Flags:
        concentrated: Flags = np.logical_or.reduce(values[1] > TIGHT, axis=-1)
        return concentrated

    def _turned(self, cells: Array, observed: Flags | None, values: Values, j: int) -> tuple[Array, Array]:
        """1 − cos and sin (T, n) of the angles from the means of column j; zero where a cell is missing."""
        angle = np.arctan2(cells[len(self.columns.mean) + j], cells[j]) - values[0][:, [j]] * self._frequency
        if observed is not None:
            angle = np.where(observed[j], angle, 0.0)
        return 2 * np.sin(0.5 * angle) ** 2, np.sin(angle)

    def log_density_about(self, cells: Array, observed: Flags | None, values: Values) -> Array:
        level, total = _level(values[1]), np.zeros((len(values[0]), cells.shape[1]))
        for j in range(len(self.columns.mean)):
            total += level[:, [j]] if observed is None else level[:, [j]] * observed[j]
            total -= values[1][:, [j]] * self._turned(cells, observed, values, j)[0]
        return total

    def sums_about(self, cells: Array, observed: Flags | None, responsibilities: Array, values: Values) -> Array:
        """Of 1 − cos and sin of the angles from the mean."""
        d = len(self.columns.mean)
        sums = np.empty((len(responsibilities), 2 * d))
        for j in range(d):
            for place, part in zip((j, d + j), self._turned(cells, observed, values, j), strict=True):
                sums[:, place] = np.einsum("tn,tn->t", responsibilities, part)
        return sums

    def maximize(self, weight: Array, sums: Array) -> Values:
        east, north = self._averages(weight, sums)
        return self._values(np.arctan2(north, east), 1 - np.hypot(east, north))

    def maximize_about(self, weight: Array, sums: Array, values: Values) -> Values:
        missing, north = self._averages(weight, sums)
        turn, length = np.arctan2(north, 1 - missing), np.hypot(1 - missing, north)
        return self._values(values[0] * self._frequency + turn, (missing * (2 - missing) - north**2) / (1 + length))

    def _averages(self, weight: Array, sums: Array) -> tuple[Array, Array]:
        d = len(self.columns.mean)
        return sums[..., :d] / weight, sums[..., d:] / weight

    def _values(self, angle: Array, gap: Array) -> Values:
        """From the mean direction, and by how much the mean resultant length falls short of one."""
        return self._in_period(angle), np.minimum(concentration(gap), self._largest)

    def _in_period(self, angle: Array) -> Array:
        """In the user's units, from 0 up to the period."""
        within = np.remainder(angle / self._frequency, self.period)
        return np.where(within < self.period, within, 0.0)

    @property
    def _largest(self) -> Array:
        """(D,) concentrations."""
        rounding = self._frequency * floor(self.columns)
        largest: Array = np.maximum(1 / np.maximum(rounding, LARGEST_CONCENTRATION**-0.5) ** 2, 1.0)
        return largest

    def typical(self) -> Array:
        return np.zeros(2 * len(self.columns.mean))

    def typical_about(self, values: Values) -> Array:
        """No direction: the cosine is zero on average."""
        return np.concatenate([np.ones_like(values[0]), np.zeros_like(values[0])], axis=-1)

    def n_parameters(self) -> int:
        return 2 * len(self.columns.mean)

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]:
        variance = (self._frequency * self.columns.sd) ** 2
        variance = np.minimum(np.where(variance > 0, variance, UNIFORM), UNIFORM)
        return degeneracies(values[1] > (1 - 1e-6) * self._largest, 2 * resultant_gap(values[1]) / variance, support)

    def moments(self, values: Values) -> tuple[Array, Array]:
        """The mean direction, and the circular standard deviation √(−2 log A(κ)) (Mardia & Jupp 2000)."""
        gap = np.minimum(resultant_gap(values[1]), 1 - 1e-16)
        return values[0], np.sqrt(-2 * np.log1p(-gap)) / self._frequency

    def fill(self, values: Values, responsibilities: Array) -> Array:
        """The direction of the conditional mean on the circle."""
        length = 1 - resultant_gap(values[1])
        east, north = ((length * part).T @ responsibilities for part in self._direction(values))
        return self._in_period(np.arctan2(north, east))

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        return self._in_period(rng.vonmises(values[0] * self._frequency, values[1]))

    def chart(self, values: Values, weight: Array) -> InformationChart:
        return InformationChart(self, values, weight)

    def steps(self, base: Values, values: Values) -> Values:
        """In the plane where the mean direction is the angle, and log(1 + κ) the distance from the middle."""
        (east, north), (from_east, from_north) = self._plane(values), self._plane(base)
        return east - from_east, north - from_north

    def _plane(self, values: Values) -> tuple[Array, Array]:
        radius, (east, north) = np.log1p(values[1]), self._direction(values)
        return radius * east, radius * north

    def moved(self, base: Values, steps: Values) -> Values:
        east, north = (part + step for part, step in zip(self._plane(base), steps, strict=True))
        radius = np.minimum(np.hypot(east, north), np.log1p(base[1]) + LARGEST_LOG)
        return self._in_period(np.arctan2(north, east)), np.minimum(np.expm1(radius), self._largest)

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        kappa, (east, north), concentrated = values[1], self._direction(values), self.concentrated(values)[:, None]
        first, second = sums[..., : len(east[0])], sums[..., len(east[0]) :]
        short = np.where(concentrated, first, weight - first * east - second * north)
        aside = np.where(concentrated, second, second * east - first * north)
        outward = (1 + kappa) * (weight * resultant_gap(kappa) - short)
        around = _per_radius(kappa) * aside
        return outward * east - around * north, outward * north + around * east

    def information(self, values: Values) -> list[list[Array]]:
        kappa, (east, north) = values[1], self._direction(values)
        outward = (1 + kappa) ** 2 * resultant_slope(kappa)
        around = _per_radius(kappa) ** 2 * resultant_share(kappa)
        mixed = (outward - around) * east * north
        return [
            [outward * east**2 + around * north**2, mixed],
            [mixed, outward * north**2 + around * east**2],
        ]

    def to_document(self, values: Values) -> dict[str, Any]:
        return {"means": values[0].tolist(), "concentrations": values[1].tolist()}

    def from_document(self, document: Mapping[str, Any], n_components: int) -> Values:
        shape = (n_components, len(self.columns.mean))
        means = table(document, "means", shape, np.isfinite, "missing")
        return means, table(document, "concentrations", shape, lambda kappa: kappa >= 0, "negative")

    def allows(self, x: Array) -> Flags:
        allowed: Flags = np.isnan(x) | np.isfinite(x)
        return allowed


def _level(kappa: Array) -> Array:
    """κ − log I₀(κ)."""
    from scipy.special import i0e

    level: Array = -np.log(i0e(kappa))
    return level


def _per_radius(kappa: Array) -> Array:
    """κ / log(1 + κ)."""
    some = np.maximum(kappa, 1e-12)
    ratio: Array = some / np.log1p(some)
    return ratio
