"""Counts: columns of independent Poisson variables given the component."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from em_cli.engine import exponential
from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.columns import Columns, unit_columns
from em_cli.engine.protocols import Collapse
from em_cli.errors import DataError

LARGEST_LOG = 15.0  # of a rate relative to that at the base point of a chart
SMALLEST_RATE = 1e-300  # stands for a rate of zero where its logarithm is wanted


@dataclass(frozen=True, slots=True)
class PoissonParameters:
    rates: Array  # (R, K, D), zero allowed
    theta: Array  # (R, K, F)


@dataclass(frozen=True, slots=True, eq=False)
class Poisson:
    """Features 1 and x. The likelihood is bounded: no component can collapse.

    Rates are taken relative to the column means m, x log(λ/m) − (λ − m), the rest being base
    measure: large counts would cancel otherwise.
    """

    columns: Columns = field(default_factory=lambda: unit_columns(1), repr=False)

    def bind(self, columns: Columns) -> Poisson:
        return replace(self, columns=columns)

    @property
    def n_columns(self) -> int:
        return len(self.columns.mean)

    @property
    def _mean(self) -> Array:
        return np.where(self.columns.mean > 0, self.columns.mean, 1.0)

    def n_features(self) -> int:
        return 1 + self.n_columns

    def features(self, x: Array, out: Array) -> None:
        out[0] = 1.0
        out[1:] = x

    def base_measure(self, x: Array) -> Array:
        from scipy.special import gammaln  # a quarter of a second to import: only where there are counts

        mean = self._mean[:, None]
        total: Array = (x * np.log(mean) - mean - gammaln(x + 1)).sum(axis=0)
        return total

    def embedding(self, x: Array) -> Array:
        """Square roots: they have nearly the same variance whatever the rate (Anscombe 1948)."""
        return 2 * np.sqrt(x + 0.375)

    def natural(self, parameters: PoissonParameters) -> tuple[Array, Flags]:
        return parameters.theta, np.zeros(len(parameters.theta), bool)

    def n_own_features(self) -> int:
        return self.n_features()

    def common_sums(self, features: Array, weights: Array | None) -> Array:
        return np.zeros(0)

    def log_density(self, features: Array, parameters: PoissonParameters, offset: Array, out: Array) -> None:
        exponential.log_density(features, parameters.theta, offset, out)

    def statistics(self, features: Array, responsibilities: Array, parameters: PoissonParameters | None) -> Array:
        return exponential.statistics(features, responsibilities)

    def maximize(self, statistics: Array, parameters: PoissonParameters | None) -> PoissonParameters:
        weight = np.maximum(statistics[..., :1], np.finfo(float).tiny)
        return self.at_rates(statistics[..., 1:] / weight)

    def n_parameters(self, n_components: int) -> int:
        return n_components * self.n_columns

    def collapsed(self, parameters: PoissonParameters, support: Array) -> list[Collapse | None]:
        return [None] * len(support)

    def moments(self, parameters: PoissonParameters) -> tuple[Array, Array]:
        return parameters.rates, np.sqrt(parameters.rates)

    def to_document(self, parameters: PoissonParameters) -> dict[str, Any]:
        return {"rates": parameters.rates.tolist()}

    def from_document(self, document: Mapping[str, Any], n_components: int) -> PoissonParameters:
        if "rates" not in document:
            raise DataError("the field 'rates' is missing.")
        try:
            rates = np.array(document["rates"], np.float64)
        except (TypeError, ValueError):
            raise DataError("the field 'rates' must hold numbers only, in lists of equal length.") from None
        if rates.shape != (n_components, self.n_columns):
            raise DataError(f"the field 'rates' must hold {n_components} lists of {self.n_columns} numbers.")
        if not np.isfinite(rates).all() or (rates < 0).any():
            raise DataError("the field 'rates' holds a number that is negative or not finite.")
        return self.at_rates(rates)

    @property
    def coupled(self) -> bool:
        return False

    def expected_log_density(self, statistics: Array, parameters: PoissonParameters) -> Array:
        expected: Array = np.einsum("...f,...f->...", statistics, parameters.theta)
        return expected

    def chart(self, parameters: PoissonParameters, weight: Array) -> RatesChart:
        return RatesChart(parameters.rates, np.sqrt(np.maximum(weight, 1.0)[:, None] * parameters.rates), self)

    def sample(self, parameters: PoissonParameters, labels: Integers, rng: np.random.Generator) -> Array:
        drawn: Array = rng.poisson(parameters.rates[labels]).T.astype(np.float64)
        return drawn

    def at_rates(self, rates: Array) -> PoissonParameters:
        logs = np.log(np.maximum(rates, SMALLEST_RATE) / self._mean)
        excess = (rates - self._mean).sum(axis=-1, keepdims=True)
        return PoissonParameters(rates, np.concatenate([-excess, logs], axis=-1))


@dataclass(frozen=True, slots=True)
class RatesChart:
    """√(N_k λ) times the change of log λ; a rate of zero stays there."""

    rates: Array  # (K, D) at the base point
    root: Array  # (K, D) √(N_k λ)
    family: Poisson

    def coordinates(self, parameters: PoissonParameters) -> Array:
        with np.errstate(divide="ignore", invalid="ignore"):
            logs = np.log(parameters.rates / self.rates)
        return np.where((self.rates > 0) & (parameters.rates > 0), logs * self.root, 0.0).ravel()

    def parameters(self, u: Array) -> PoissonParameters:
        logs = u.reshape(self.rates.shape) / np.where(self.root > 0, self.root, 1.0)
        return self.family.at_rates(self.rates * np.exp(np.clip(logs, -LARGEST_LOG, LARGEST_LOG)))

    def gradient(self, statistics: Array, parameters: PoissonParameters) -> Array:
        excess = statistics[:, 1:] - statistics[:, :1] * parameters.rates
        return (excess / np.where(self.root > 0, self.root, np.inf)).ravel()
