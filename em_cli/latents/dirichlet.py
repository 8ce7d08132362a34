"""The conjugate prior of mixing weights: a symmetric Dirichlet distribution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.errors import UsageError


@dataclass(frozen=True, slots=True)
class Dirichlet:
    """θ = log π. Statistics (…, K) are the weights that components bear; those of the prior are α − 1."""

    concentration: float = 1.0  # α of each component; at one, all weights are equally likely

    def __post_init__(self) -> None:
        if not self.concentration > 0:
            raise UsageError(f"the concentration of a Dirichlet prior must be above 0, not {self.concentration!r}.")

    def statistics(self, n_components: int) -> Array:
        return np.full(n_components, self.concentration - 1)

    def expected_natural(self, statistics: Array) -> Array:
        from scipy.special import digamma

        alpha = statistics + 1
        expected: Array = digamma(alpha) - digamma(alpha.sum(axis=-1, keepdims=True))
        return expected

    def log_normaliser(self, statistics: Array) -> Array:
        from scipy.special import gammaln

        alpha = statistics + 1
        log_normaliser: Array = gammaln(alpha).sum(axis=-1) - gammaln(alpha.sum(axis=-1))
        return log_normaliser
