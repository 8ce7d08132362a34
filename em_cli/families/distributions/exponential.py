"""Waiting times: columns of independent exponential variables given the component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.engine.family import Degeneracy
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.declared import Declared
from em_cli.families.distributions.distribution import Values
from em_cli.families.distributions.parameters import above_zero
from em_cli.families.distributions.rate_priors import RatePriors
from em_cli.families.distributions.support import NON_NEGATIVE, Support

SMALLEST_MEAN = 1e-300


@dataclass(frozen=True, slots=True)
class Exponential:
    """Waiting times: columns of independent exponential variables given the component."""

    describes: ClassVar[str] = "positive"
    title: ClassVar[str] = "exponential mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    support: ClassVar[Support] = NON_NEGATIVE
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("rates", above_zero()),)

    def bind(self, columns: Columns) -> Columnwise:
        own = ExponentialDistribution(columns)
        declared = Declared(self, own, columns, within=own.within, degeneracies=own.degenerate)
        return Columnwise(declared, columns, priors=RatePriors(columns, of_counts=False))


@dataclass(frozen=True, slots=True, eq=False)
class ExponentialDistribution:
    """Rates λ. A component of zeros alone would collapse: its mean is held above the rounding of the data."""

    columns: Columns

    @property
    def _smallest(self) -> Array:
        """(D,) means."""
        smallest: Array = np.maximum(self.columns.resolution / np.sqrt(12), SMALLEST_MEAN)
        return smallest

    def features(self, x: Array, out: Array) -> None:
        out[...] = x

    def base_measure(self, x: Array) -> Array:
        return np.zeros_like(x)

    def natural(self, values: Values) -> tuple[Array, Array]:
        return np.log(values[0]), -values[0]

    def maximize(self, weight: Array, sums: Array) -> Values:
        return (1 / np.maximum(sums / weight, self._smallest),)

    def typical(self) -> Array:
        return self.columns.mean

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]:
        at_resolution = np.logical_or.reduce(values[0] * self._smallest > 1 - 1e-6, axis=-1)
        return [Degeneracy("its mean is at the resolution of the data", True) if low else None for low in at_resolution]

    def within(self, values: Values) -> Values:
        return (np.minimum(values[0], 1 / self._smallest),)

    def moments(self, values: Values) -> tuple[Array, Array]:
        return 1 / values[0], 1 / values[0]

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        return rng.exponential(1 / values[0])

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        return (weight - values[0] * sums,)

    def information(self, values: Values) -> list[list[Array]]:
        return [[np.ones_like(values[0])]]
