"""The true conjugate prior, for approximations of a whole posterior; a penalty is another thing, see `family`."""

from __future__ import annotations

from typing import Protocol

from em_cli.engine.arrays import Array


class ConjugatePrior(Protocol):
    """A prior exp⟨θ, τ⟩ / Z(τ) of natural parameters θ, for a likelihood that is exp⟨θ, s⟩ of sufficient statistics s.

    With the statistics of the data added to its own it is the posterior (Diaconis & Ylvisaker 1979):
    the evidence of the data is Z(τ + s) / Z(τ), and the gradient of log Z the expectation of θ.
    """

    def statistics(self, n_components: int) -> Array:
        """τ (K, S) of the prior, or (K,) where each component has one statistic."""

    def expected_natural(self, statistics: Array) -> Array:
        """E[θ], shaped as the statistics (…, K, S) or (…, K) of a prior or posterior are."""

    def log_normaliser(self, statistics: Array) -> Array:
        """log Z (…) of all components together."""
