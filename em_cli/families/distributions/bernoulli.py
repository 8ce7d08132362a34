"""Yes or no: columns of independent Bernoulli variables given the component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import Columns, unit_columns
from em_cli.engine.documents import table
from em_cli.engine.family import Degeneracy
from em_cli.families.distributions.charts import InformationChart, log_odds_ratio, with_odds_scaled
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.distribution import Layout, Values, per_column

SMALLEST = 1e-300  # stands for a probability of zero where its logarithm is wanted


def bernoulli() -> Columnwise:
    """Yes or no: columns of independent Bernoulli variables given the component."""
    return Columnwise(Bernoulli())


@dataclass(frozen=True, slots=True, eq=False)
class Bernoulli:
    """Probabilities p of a one, zero and one allowed. The likelihood is bounded: no component can collapse."""

    columns: Columns = field(default_factory=lambda: unit_columns(1), repr=False)
    requirement = "0 or 1"

    def layout(self) -> Layout:
        return per_column(len(self.columns.mean))

    def features(self, x: Array, out: Array) -> None:
        out[...] = x

    def base_measure(self, x: Array) -> Array:
        return np.zeros_like(x)

    def embedding(self, x: Array) -> Array:
        """Twice the value: the variance is one where both are as likely."""
        return 2 * x

    def natural(self, values: Values) -> tuple[Array, Array]:
        (p,) = values
        no = np.log(np.maximum(1 - p, SMALLEST))
        return no, np.log(np.maximum(p, SMALLEST)) - no

    def maximize(self, weight: Array, sums: Array) -> Values:
        return (np.minimum(sums / weight, 1.0),)

    def typical(self) -> Array:
        return self.columns.mean

    def n_parameters(self) -> int:
        return len(self.columns.mean)

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]:
        return [None] * len(support)

    def moments(self, values: Values) -> tuple[Array, Array]:
        (p,) = values
        return p, np.sqrt(p * (1 - p))

    def fill(self, values: Values, responsibilities: Array) -> Array:
        """What is likelier."""
        return (values[0].T @ responsibilities > 0.5).astype(np.float64)

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        return (rng.random(values[0].shape) < values[0]).astype(np.float64)

    def chart(self, values: Values, weight: Array) -> InformationChart:
        return InformationChart(self, values, weight)

    def steps(self, base: Values, values: Values) -> Values:
        """Of the log-odds."""
        return (log_odds_ratio(base[0], values[0]),)

    def moved(self, base: Values, steps: Values) -> Values:
        return (with_odds_scaled(base[0], steps[0]),)

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        return (sums - weight * values[0],)

    def information(self, values: Values) -> list[list[Array]]:
        return [[values[0] * (1 - values[0])]]

    def to_document(self, values: Values) -> dict[str, Any]:
        return {"probabilities": values[0].tolist()}

    def from_document(self, document: Mapping[str, Any], n_components: int) -> Values:
        shape = (n_components, len(self.columns.mean))
        return (table(document, "probabilities", shape, lambda p: (p >= 0) & (p <= 1), "not between 0 and 1"),)

    def allows(self, x: Array) -> Flags:
        allowed: Flags = np.isnan(x) | (x == 0) | (x == 1)
        return allowed
