"""Angles, or times of a day or a year: columns of independent von Mises variables given the component."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.engine.family import Degeneracy
from em_cli.errors import UsageError
from em_cli.families.distributions.bessel_ratio import (
    LARGEST_CONCENTRATION,
    concentration,
    resultant_gap,
    resultant_share,
    resultant_slope,
)
from em_cli.families.distributions.charts import LARGEST_LOG
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.declared import Declared
from em_cli.families.distributions.degeneracies import degeneracies, floor
from em_cli.families.distributions.distribution import Values
from em_cli.families.distributions.parameters import any_number, from_zero
from em_cli.families.distributions.support import Support
from em_cli.parts import Option

TIGHT = 1e6  # concentration, beyond which more than 1e-10 would cancel
UNIFORM = np.pi**2 / 3  # variance of an angle that may be any


@dataclass(frozen=True, slots=True)
class VonMises:
    """Angles, or times of a day or a year: columns of independent von Mises variables given the component."""

    describes: ClassVar[str] = "angle"
    title: ClassVar[str] = "von Mises mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("means", replace(any_number(), holds=np.isfinite, fault="missing")),
        Parameter("concentrations", from_zero()),
    )

    period: Annotated[float, Option("of the columns: 360 for degrees, 24 for hours")] = 2 * np.pi

    def __post_init__(self) -> None:
        if not 0 < self.period < np.inf:
            raise UsageError(f"period must be a number above 0, not {self.period!r}.")

    @property
    def support(self) -> Support:
        return Support("a finite number", np.isfinite, self._on_the_circle, drawn=self._turn, refuses=self._turns)

    def _on_the_circle(self, x: Array, columns: Columns) -> Array:
        return np.concatenate(_directions(x, self.period))

    def _turn(self, lowest: float, highest: float, margin: float) -> tuple[float, float]:
        start = 0.0 if lowest >= 0 and highest <= self.period else lowest
        return start, start + self.period

    def _turns(self, x: Array) -> str | None:
        if np.nanmax(x) - np.nanmin(x) <= self.period:
            return None
        return (
            f"the angles cover more than the period of {self.period:.6g}. "
            "Use von_mises:360 for degrees, von_mises:24 for hours."
        )

    def bind(self, columns: Columns) -> Columnwise:
        own = VonMisesDistribution(columns, float(self.period))
        declared = Declared(self, own, columns, coordinates=own, degeneracies=own.degenerate, filling=own.fill)
        return Columnwise(declared, columns, framed=own)


@dataclass(frozen=True, slots=True, eq=False)
class VonMisesDistribution:
    """Mean directions μ and concentrations κ; features cos θ and sin θ, where θ = 2πx / period.

    The standard deviation of concentrated components, nearly κ^−½, is held above the rounding of the data.
    """

    columns: Columns
    period: float

    @property
    def _frequency(self) -> float:
        return 2 * np.pi / self.period

    def features(self, x: Array, out: Array) -> None:
        d = len(x)
        out[:d], out[d:] = _directions(x, self.period)

    def base_measure(self, x: Array) -> Array:
        return np.full_like(x, -np.log(self.period))

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
        kappa, (east, north), concentrated = values[1], self._direction(values), self.concentrated(values)[..., None]
        first, second = np.split(sums, 2, axis=-1)
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


def _directions(x: Array, period: float) -> tuple[Array, Array]:
    """Cosines and sines of the angles."""
    angle = np.remainder(x, period) * (2 * np.pi / period)
    return np.cos(angle), np.sin(angle)


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
