"""Counts that share a total: columns that are multinomial, given their sum and the component.

A row with a missing cell has no known total, and says nothing by these columns; its others count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter, Quantity, quantities
from em_cli.engine.documents import LARGEST_RATE, positive, table
from em_cli.engine.family import Degeneracy
from em_cli.errors import DataError, UsageError
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.distribution import Layout, Values
from em_cli.families.distributions.parameters import from_zero_to_one
from em_cli.families.distributions.simplex_chart import SimplexChart
from em_cli.families.distributions.support import COUNTS, Support

SMALLEST = 1e-300  # stands for a probability of zero where its logarithm is wanted


@dataclass(frozen=True, slots=True)
class Multinomial:
    """Counts that share a total. That being given, the likelihood is not that of other families of counts."""

    describes: ClassVar[str] = "count"
    title: ClassVar[str] = "multinomial mixture"
    comparable: ClassVar[bool] = False
    narrowest: ClassVar[float] = 0.0
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("probabilities", from_zero_to_one()),)
    support: ClassVar[Support] = replace(COUNTS, beside=lambda place: None)

    def bind(self, columns: Columns) -> Columnwise:
        if len(columns.mean) < 2 and columns.n_rows:
            raise UsageError("family 'multinomial' needs two columns at least.")
        own = MultinomialDistribution(columns)
        return Columnwise(own, columns, conditional=own)


@dataclass(frozen=True, slots=True, eq=False)
class MultinomialDistribution:
    """Probabilities p (…, K, D) of the columns, zero allowed, and a typical total (…, K, 1).

    The total of a row is given, not modelled; that of a row with a missing cell is not known, and
    the row says nothing. The likelihood is bounded: no component can collapse.
    """

    columns: Columns

    @property
    def _column(self) -> Integers:
        """(D,) of each feature: they are of one cell, which is the whole row."""
        return np.zeros(len(self.columns.mean), np.intp)

    @property
    def _typical(self) -> float:
        """Total of a row."""
        total = float(self.columns.mean.sum())
        return total if total > 0 else 1.0

    @property
    def quantities(self) -> dict[str, Quantity]:
        return {"typical_total": Quantity.POSITIVE, **quantities(Multinomial.parameters)}

    def layout(self) -> Layout:
        return Layout(self._column, complete=True)

    def features(self, x: Array, out: Array) -> None:
        out[...] = x
        out[:, np.isnan(x).any(axis=0)] = 0.0

    def base_measure(self, x: Array) -> Array:
        from scipy.special import gammaln  # a quarter of a second to import: only where there are counts

        measure = np.zeros_like(x)
        ways = gammaln(x.sum(axis=0) + 1) - gammaln(x + 1).sum(axis=0)
        measure[0] = np.where(np.isnan(ways), 0.0, ways)
        return measure

    def embedding(self, x: Array) -> Array:
        """Square roots of the shares, whose distance is that of Hellinger (1909)."""
        shares = (x + 0.375) / (x.sum(axis=0) + 0.375 * len(x))
        embedded: Array = 2 * np.sqrt(self._typical * shares)
        return embedded

    def natural(self, values: Values) -> tuple[Array, Array]:
        p = values[0]
        return np.zeros_like(p), np.log(np.maximum(p, SMALLEST))

    def maximize(self, weight: Array, sums: Array) -> Values:
        return sums / weight, np.full(weight.shape, self._typical)

    def typical(self) -> Array:
        shares: Array = self.columns.mean / self._typical
        return shares if shares.sum() > 0 else np.full(len(shares), 1 / len(shares))

    def n_parameters(self) -> int:
        return len(self.columns.mean) - 1

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]:
        return [None] * len(support)

    def moments(self, values: Values) -> tuple[Array, Array]:
        """Of rows with the typical total."""
        p, total = values
        return p * total, np.sqrt(total * p * (1 - p))

    def fill(self, values: Values, responsibilities: Array) -> Array:
        """The conditional mean, made a count."""
        return np.rint(self.moments(values)[0].T @ responsibilities)

    def complete(self, x: Array, values: Values, responsibilities: Array) -> Array:
        """The same, in proportion to the observed cells of the rows x, if there are any."""
        each = [self._expected(x, (p, total)) for p, total in zip(*values, strict=True)]
        whole: Array = np.rint(np.einsum("kn,kdn->dn", responsibilities, np.stack(each)))
        return whole

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        p, total = values
        p = p / p.sum(axis=1, keepdims=True)
        return rng.multinomial(np.rint(total[:, 0]).astype(np.int64), p).astype(np.float64)

    def draw(self, x: Array, values: Values, rng: np.random.Generator) -> Array:
        """Missing cells are Poisson, where others of the row are known (Baker 1994)."""
        beside = rng.poisson(self._expected(x, tuple(value.T for value in values))).astype(np.float64)
        return np.where(np.isnan(x).all(axis=0), self.sample(values, rng).T, beside)

    def _expected(self, x: Array, values: Values) -> Array:
        """(D, n), of rows x whose components have p (D,) or (D, n)."""
        p, total = (value.reshape(len(value), -1) for value in values)
        observed = ~np.isnan(x)
        share = np.where(observed, p, 0.0).sum(axis=0)
        scale = np.nan_to_num(x).sum(axis=0) / np.where(share > 0, share, 1.0)
        expected: Array = p * np.where(share > 0, scale, total[0])
        return expected

    def chart(self, values: Values, weight: Array) -> MultinomialChart:
        p, total = values
        return MultinomialChart(SimplexChart(p, weight * total[..., 0], self._column), total)

    def to_document(self, values: Values) -> dict[str, object]:
        """With the typical total, which is not a parameter."""
        return {"probabilities": values[0].tolist(), "typical_total": float(values[1][0, 0])}

    def from_document(self, document: Mapping[str, object], n_components: int) -> Values:
        name, d = "probabilities", len(self.columns.mean)
        p = table(document, name, (n_components, d), lambda p: p >= 0, "negative")
        if not (abs(p.sum(axis=1) - 1) < 1e-6).all():
            raise DataError(f"the field {name!r} must hold probabilities that sum to one for each component.")
        (total,) = positive(document, "typical_total", 1)
        if total > LARGEST_RATE:
            raise DataError(f"the field 'typical_total' holds a number above {LARGEST_RATE:g}.")
        return p, np.full((n_components, 1), total)


@dataclass(frozen=True, slots=True)
class MultinomialChart:
    """That of the probabilities."""

    of_probabilities: SimplexChart
    total: Array

    def coordinates(self, values: Values) -> Array:
        return self.of_probabilities.coordinates(values[:1])

    def values(self, u: Array) -> Values:
        (p,) = self.of_probabilities.values(u)
        return p, np.broadcast_to(self.total, (*p.shape[:-2], *self.total.shape[-2:]))

    def gradient(self, weight: Array, sums: Array, values: Values) -> Array:
        return self.of_probabilities.gradient(weight, sums, values[:1])
