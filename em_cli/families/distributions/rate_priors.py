"""Gamma distributions of rates, of counts and of waiting times: conjugate priors and their posteriors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.columns import Columns
from em_cli.engine.documents import table
from em_cli.engine.hyperparameters import law_in
from em_cli.families.distributions.distribution import TINY, Values
from em_cli.families.variational.shares import of_gamma

KEY = "rates"


@dataclass(frozen=True, slots=True, eq=False)
class RatePriors:
    """Hyperparameters are shape a and rate b; a prior expects the mean of the column, and is worth one cell."""

    columns: Columns
    of_counts: bool  # Poisson; else exponential
    keys = frozenset({KEY})

    @property
    def _mean(self) -> Array:
        return np.where(self.columns.mean > 0, self.columns.mean, 1.0)

    def prior(self, given: Mapping[str, object]) -> Values:
        _, numbers = law_in(given, KEY)
        shape = np.full(len(self._mean), numbers[0] if numbers else 1.0)
        if len(numbers) > 1:
            return shape, np.full(len(shape), numbers[1])
        return shape, shape / self._mean if self.of_counts else shape * self._mean

    def posterior(self, prior: Values, weight: Array, sums: Array) -> Values:
        shape, rate = prior
        return (shape + sums, rate + weight + 0 * sums) if self.of_counts else (shape + weight + 0 * sums, rate + sums)

    def expected_natural(self, posterior: Values) -> tuple[Array, Array]:
        from scipy.special import digamma

        shape, rate = posterior
        mean, log = shape / rate, digamma(shape) - np.log(rate)
        return (self._mean - mean, log - np.log(self._mean)) if self.of_counts else (log, -mean)

    def point(self, posterior: Values) -> Values:
        shape, rate = posterior
        return (shape / rate,)

    def mode(self, posterior: Values) -> Values:
        shape, rate = posterior
        return (np.maximum(shape - 1, TINY) / rate,)

    def log_density(self, prior: Values, values: Values) -> Array:
        from scipy.special import gammaln

        (shape, rate), (found,) = prior, values
        own = shape * np.log(rate) - gammaln(shape) + (shape - 1) * np.log(np.maximum(found, TINY)) - rate * found
        return np.asarray(np.add.reduce(own, axis=-1))

    def divergence(self, prior: Values, posterior: Values) -> Array:
        from scipy.special import digamma, gammaln

        (a, b), (a0, b0) = posterior, prior
        own = (a - a0) * digamma(a) - gammaln(a) + gammaln(a0) + a0 * np.log(b / b0) + a * (b0 - b) / b
        return np.asarray(np.add.reduce(own, axis=-1))

    def log_predictive(self, posterior: Values, column: int, x: Array) -> Array:
        """Negative binomial counts, or Lomax times."""
        from scipy.special import gammaln

        shape, rate = (each[..., column, None] for each in posterior)
        if not self.of_counts:
            return np.asarray(np.log(shape) + shape * np.log(rate) - (shape + 1) * np.log(rate + x))
        ways = gammaln(shape + x) - gammaln(shape) - gammaln(x + 1)
        return np.asarray(ways - shape * np.log1p(1 / rate) - x * np.log1p(rate))

    def drawn(self, posterior: Values, rng: np.random.Generator) -> Values:
        shape, rate = posterior
        return (rng.standard_gamma(shape) / rate,)

    def intervals(self, posterior: Values) -> dict[str, list[object]]:
        rates = of_gamma(*posterior)
        means = rates if self.of_counts else 1 / rates[..., ::-1]
        sds = np.sqrt(rates) if self.of_counts else means
        return {"mean": means.tolist(), "sd": sds.tolist()}

    def to_document(self, hyperparameters: Values) -> dict[str, list[object]]:
        shape, rate = hyperparameters
        return {"shape": shape.tolist(), "rate": rate.tolist()}

    def from_document(self, document: Mapping[str, object], n_components: int) -> Values:
        size = n_components, len(self._mean)
        return (
            table(document, "shape", size, lambda x: x > 0, "not above 0"),
            table(document, "rate", size, lambda x: x > 0, "not above 0"),
        )
