"""Counts: columns of independent Poisson variables given the component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.engine.documents import LARGEST_RATE
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.declared import Declared
from em_cli.families.distributions.distribution import Values
from em_cli.families.distributions.parameters import from_zero
from em_cli.families.distributions.rate_priors import RatePriors
from em_cli.families.distributions.support import COUNTS, Support

SMALLEST_RATE = 1e-300  # stands for a rate of zero where its logarithm is wanted


@dataclass(frozen=True, slots=True)
class Poisson:
    """Counts: columns of independent Poisson variables given the component."""

    describes: ClassVar[str] = "count"
    title: ClassVar[str] = "Poisson mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    support: ClassVar[Support] = COUNTS
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("rates", from_zero(LARGEST_RATE)),)

    def bind(self, columns: Columns) -> Columnwise:
        declared = Declared(self, PoissonDistribution(columns), columns)
        return Columnwise(declared, columns, priors=RatePriors(columns, of_counts=True))


@dataclass(frozen=True, slots=True, eq=False)
class PoissonDistribution:
    """Rates λ. The likelihood is bounded: no component can collapse.

    Rates are taken relative to the column means m, x log(λ/m) − (λ − m), the rest being base
    measure: large counts would cancel otherwise.
    """

    columns: Columns

    @property
    def scale(self) -> Array:
        """(D,) the mean of each column, or one."""
        return self.columns.positive_unit

    def features(self, x: Array, out: Array) -> None:
        out[...] = x

    def base_measure(self, x: Array) -> Array:
        from scipy.special import gammaln  # a quarter of a second to import: only where there are counts

        mean = self.scale[:, None]
        measure: Array = x * np.log(mean) - mean - gammaln(x + 1)
        return measure

    def natural(self, values: Values) -> tuple[Array, Array]:
        (rates,) = values
        return self.scale - rates, np.log(np.maximum(rates, SMALLEST_RATE) / self.scale)

    def maximize(self, weight: Array, sums: Array) -> Values:
        return (sums / weight,)

    def typical(self) -> Array:
        return self.columns.mean

    def moments(self, values: Values) -> tuple[Array, Array]:
        return values[0], np.sqrt(values[0])

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        return rng.poisson(values[0]).astype(np.float64)

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        return (sums - weight * values[0],)

    def information(self, values: Values) -> list[list[Array]]:
        return [[values[0]]]
