"""Positive quantities: columns of independent inverse Gaussian variables given the component (Tweedie 1957)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.families import distributions as em
from em_cli.families.distributions import Array, Columns, Values


@dataclass(frozen=True, slots=True)
class InverseGaussian:
    describes: ClassVar[str] = "positive"
    title: ClassVar[str] = "inverse Gaussian mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 1e-3
    support: ClassVar[em.Support] = em.POSITIVE
    parameters: ClassVar = (em.Parameter("means", em.above_zero()), em.Parameter("shapes", em.above_zero()))

    def bind(self, columns: Columns) -> em.Columnwise:
        own = Formulas(columns, em.unit(columns), em.floor(columns, self.narrowest))
        return em.Columnwise(em.Declared(self, own, columns, within=own.within), columns)


@dataclass(frozen=True, slots=True, eq=False)
class Formulas:
    """Means μ and shapes λ; features u − 1 and (u − 1)²/u, where u = x/m, and m is the mean of the column."""

    columns: Columns
    m: Array  # (D,)
    floor: Array  # (D,) standard deviations

    def features(self, x: Array, out: Array) -> None:
        u, d = x / self.m[:, None], len(x)
        out[:d], out[d:] = u - 1, (u - 1) ** 2 / u

    def base_measure(self, x: Array) -> Array:
        return np.asarray(-1.5 * np.log(x) - 0.5 * np.log(2 * np.pi))

    def natural(self, values: Values) -> tuple[Array, Array]:
        inverse, half = self.m / values[0], 0.5 * values[1] / self.m
        level = 0.5 * np.log(values[1]) - half * (inverse - 1) ** 2
        return level, np.concatenate([half * (1 - inverse**2), -half], axis=-1)

    def maximize(self, weight: Array, sums: Array) -> Values:
        away, spread = np.split(sums, 2, axis=-1)
        s = np.maximum(1 + away / weight, 1e-100)
        return self.m * s, self.m / np.maximum(spread / weight - (s - 1) ** 2 / s, 1e-100)

    def within(self, values: Values) -> Values:
        return values[0], np.minimum(values[1], values[0] * np.minimum(values[0] / self.floor, 1e15) ** 2)

    def typical(self) -> Array:
        return np.concatenate([np.zeros_like(self.m), (self.columns.sd / self.m) ** 2])

    def moments(self, values: Values) -> tuple[Array, Array]:
        return values[0], values[0] * np.sqrt(values[0] / values[1])

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        return rng.wald(*values)

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        (away, spread), s, ratio = np.split(sums, 2, axis=-1), values[0] / self.m, values[1] / self.m
        squares = (1 / s - 1) ** 2 * weight + (1 / s**2 - 1) * away + spread
        return ratio / s**2 * (away + (1 - s) * weight), 0.5 * (weight - ratio * squares)

    def information(self, values: Values) -> list[list[Array]]:
        return [[values[1] / values[0], 0 * values[0]], [0 * values[0], 0 * values[0] + 0.5]]
