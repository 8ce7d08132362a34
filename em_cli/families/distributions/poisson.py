"""Counts: columns of independent Poisson variables given the component."""

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
from em_cli.families.distributions.distribution import Layout, Values, per_column

SMALLEST_RATE = 1e-300  # stands for a rate of zero where its logarithm is wanted


def poisson() -> Columnwise:
    """Counts: columns of independent Poisson variables given the component."""
    return Columnwise(Poisson())


@dataclass(frozen=True, slots=True, eq=False)
class Poisson:
    """Rates λ. The likelihood is bounded: no component can collapse.

    Rates are taken relative to the column means m, x log(λ/m) − (λ − m), the rest being base
    measure: large counts would cancel otherwise.
    """

    columns: Columns = field(default_factory=lambda: unit_columns(1), repr=False)
    requirement = "a whole number ≥ 0"

    @property
    def scale(self) -> Array:
        """(D,) the mean of each column, or one."""
        return np.where(self.columns.mean > 0, self.columns.mean, 1.0)

    def layout(self) -> Layout:
        return per_column(len(self.columns.mean))

    def features(self, x: Array, out: Array) -> None:
        out[...] = x

    def base_measure(self, x: Array) -> Array:
        from scipy.special import gammaln  # a quarter of a second to import: only where there are counts

        mean = self.scale[:, None]
        measure: Array = x * np.log(mean) - mean - gammaln(x + 1)
        return measure

    def embedding(self, x: Array) -> Array:
        """Square roots: they have nearly the same variance whatever the rate (Anscombe 1948)."""
        return 2 * np.sqrt(x + 0.375)

    def natural(self, values: Values) -> tuple[Array, Array]:
        (rates,) = values
        return self.scale - rates, np.log(np.maximum(rates, SMALLEST_RATE) / self.scale)

    def maximize(self, weight: Array, sums: Array) -> Values:
        return (sums / weight,)

    def typical(self) -> Array:
        return self.columns.mean

    def n_parameters(self) -> int:
        return len(self.columns.mean)

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]:
        return [None] * len(support)

    def moments(self, values: Values) -> tuple[Array, Array]:
        return values[0], np.sqrt(values[0])

    def fill(self, values: Values, responsibilities: Array) -> Array:
        """The conditional mean, made a count."""
        return np.rint(values[0].T @ responsibilities)

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        return rng.poisson(values[0]).astype(np.float64)

    def chart(self, values: Values, weight: Array) -> InformationChart:
        return InformationChart(self, values, weight)

    def steps(self, base: Values, values: Values) -> Values:
        """Of log λ."""
        return (log_ratio(base[0], values[0]),)

    def moved(self, base: Values, steps: Values) -> Values:
        return (scaled(base[0], steps[0]),)

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        return (sums - weight * values[0],)

    def information(self, values: Values) -> list[list[Array]]:
        return [[values[0]]]

    def to_document(self, values: Values) -> dict[str, Any]:
        return {"rates": values[0].tolist()}

    def from_document(self, document: Mapping[str, Any], n_components: int) -> Values:
        shape = (n_components, len(self.columns.mean))
        return (table(document, "rates", shape, lambda rates: (rates >= 0) & (rates <= LARGEST_RATE), "negative"),)

    def allows(self, x: Array) -> Flags:
        allowed: Flags = np.isnan(x) | ((x >= 0) & (x == np.rint(x)) & np.isfinite(x))
        return allowed
