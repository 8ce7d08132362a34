"""Waiting times: columns of independent exponential variables given the component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import Columns, unit_columns
from em_cli.engine.documents import LEAST, table
from em_cli.engine.family import Degeneracy
from em_cli.families.distributions.charts import InformationChart, log_ratio, scaled
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.distribution import Layout, Values, per_column

SMALLEST_MEAN = 1e-300


def exponential() -> Columnwise:
    """Waiting times: columns of independent exponential variables given the component."""
    return Columnwise(Exponential())


@dataclass(frozen=True, slots=True, eq=False)
class Exponential:
    """Rates λ. A component of zeros alone would collapse: its mean is held above the rounding of the data."""

    columns: Columns = field(default_factory=lambda: unit_columns(1), repr=False)
    requirement = "a number ≥ 0"

    @property
    def _smallest(self) -> Array:
        """(D,) means."""
        smallest: Array = np.maximum(self.columns.resolution / np.sqrt(12), SMALLEST_MEAN)
        return smallest

    def layout(self) -> Layout:
        return per_column(len(self.columns.mean))

    def features(self, x: Array, out: Array) -> None:
        out[...] = x

    def base_measure(self, x: Array) -> Array:
        return np.zeros_like(x)

    def embedding(self, x: Array) -> Array:
        """Fourth roots, which are nearly normal whatever the rate; their variance is near one."""
        mean = np.where(self.columns.mean > 0, self.columns.mean, 1.0)
        embedded: Array = 4 * (x / mean[:, None]) ** 0.25
        return embedded

    def natural(self, values: Values) -> tuple[Array, Array]:
        return np.log(values[0]), -values[0]

    def maximize(self, weight: Array, sums: Array) -> Values:
        return (1 / np.maximum(sums / weight, self._smallest),)

    def typical(self) -> Array:
        return self.columns.mean

    def n_parameters(self) -> int:
        return len(self.columns.mean)

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]:
        at_resolution = np.logical_or.reduce(values[0] * self._smallest > 1 - 1e-6, axis=-1)
        return [Degeneracy("its mean is at the resolution of the data", True) if low else None for low in at_resolution]

    def moments(self, values: Values) -> tuple[Array, Array]:
        return 1 / values[0], 1 / values[0]

    def fill(self, values: Values, responsibilities: Array) -> Array:
        filled: Array = (1 / values[0]).T @ responsibilities
        return filled

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        return rng.exponential(1 / values[0])

    def chart(self, values: Values, weight: Array) -> InformationChart:
        return InformationChart(self, values, weight)

    def steps(self, base: Values, values: Values) -> Values:
        """Of log λ."""
        return (log_ratio(base[0], values[0]),)

    def moved(self, base: Values, steps: Values) -> Values:
        return (np.minimum(scaled(base[0], steps[0]), 1 / self._smallest),)

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        return (weight - values[0] * sums,)

    def information(self, values: Values) -> list[list[Array]]:
        return [[np.ones_like(values[0])]]

    def to_document(self, values: Values) -> dict[str, Any]:
        return {"rates": values[0].tolist()}

    def from_document(self, document: Mapping[str, Any], n_components: int) -> Values:
        shape = (n_components, len(self.columns.mean))
        return (table(document, "rates", shape, lambda rates: rates >= LEAST, "not positive"),)

    def allows(self, x: Array) -> Flags:
        allowed: Flags = np.isnan(x) | ((x >= 0) & np.isfinite(x))
        return allowed
