"""Independent labels: the finite mixture."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.assignment import SOFT, Assignment
from em_cli.engine.columns import Columns
from em_cli.engine.documents import field, numbers
from em_cli.engine.expectation import ModelStatistics
from em_cli.engine.family import Family
from em_cli.engine.latent import Posterior
from em_cli.engine.rows import Block
from em_cli.errors import DataError
from em_cli.latents.bayes import bayes, honour_labels, weighted_sum

TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True, slots=True)
class MixingWeights:
    weights: Array  # (R, K), positive, sum one
    log_weights: Array  # (R, K)


def mixing_weights(weights: Array) -> MixingWeights:
    return MixingWeights(weights, np.log(weights))


@dataclass(frozen=True, slots=True)
class Independent:
    """Each row draws its component by the mixing weights.

    These are free, or fixed: all equal, or as given.
    """

    shares: str | tuple[float, ...] = "free"  # or "equal"

    def bind(self, family: Family, columns: Columns) -> Independent:
        return self

    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Independent:
        shares = document.get("weights_fixed", "free")
        if shares in ("free", "equal"):
            return cls(shares)
        if shares != "given":
            raise DataError(f"the field 'weights_fixed' must be equal or given, not {shares!r}.")
        return cls(tuple(document.get("weights", ())))

    def log_prior(self, parameters: MixingWeights) -> Array:
        return parameters.log_weights

    @property
    def needs_groups(self) -> bool:
        return False

    def posterior(
        self,
        log_density: Array,
        parameters: MixingWeights,
        block: Block,
        weights: Array | None = None,
        assignment: Assignment = SOFT,
    ) -> Posterior:
        """Bayes' rule by rows: a softmax over the components, in place."""
        honour_labels(log_density, block.labels)
        return Posterior(bayes(log_density, weights, assignment, block.first_row), None)

    def total(self, log_likelihood: Array, block: Block, weights: Array | None) -> Array:
        return weighted_sum(log_likelihood, weights)

    def maximize(self, weight: Array, statistics: None, parameters: MixingWeights | None) -> MixingWeights:
        if self.shares != "free":
            k = weight.shape[-1]
            return mixing_weights(
                np.broadcast_to(1 / k if self.shares == "equal" else self.shares, weight.shape).copy()
            )
        weight = np.maximum(weight, TINY)
        shares = weight / np.add.reduce(weight, axis=-1, keepdims=True)
        return mixing_weights(np.maximum(shares, TINY, out=shares))

    def n_parameters(self, n_components: int) -> int:
        return n_components - 1 if self.shares == "free" else 0

    @property
    def extra(self) -> tuple[str, ...]:
        return ()

    def chart(self, parameters: MixingWeights, weight: Array) -> WeightsChart | FixedChart:
        if self.shares != "free":
            return FixedChart(parameters)
        return WeightsChart(parameters.log_weights, np.sqrt(np.maximum(weight, 1.0)))

    def to_document(self, parameters: MixingWeights) -> dict[str, Any]:
        fixed = {} if self.shares == "free" else {"weights_fixed": "equal" if self.shares == "equal" else "given"}
        return {"weights": parameters.weights.tolist()} | fixed

    def from_document(self, document: Mapping[str, Any], n_components: int) -> MixingWeights:
        """Weights as they stand in a document; they may be off one by rounding, and no more."""
        weights = numbers(field(document, "weights"), "weights")
        if weights.shape != (n_components,):
            raise DataError(f"the field 'weights' must hold {n_components} numbers.")
        if not (weights > 0).all() or not abs(weights.sum() - 1) < 1e-6:
            raise DataError(f"the weights must be positive and sum to one (their sum is {weights.sum():.9g}).")
        return mixing_weights(weights)

    def sample(self, parameters: MixingWeights, n_rows: int, rng: np.random.Generator) -> Integers:
        weights = parameters.weights
        return rng.choice(len(weights), size=n_rows, p=weights / weights.sum()).astype(np.intp)


@dataclass(frozen=True, slots=True)
class WeightsChart:
    """√N_k times the change of log π_k; back by a softmax."""

    log_weights: Array  # (K,) at the base point
    root: Array  # (K,) √N_k

    @property
    def size(self) -> int:
        return len(self.root)

    def coordinates(self, parameters: MixingWeights) -> Array:
        coordinates: Array = (parameters.log_weights - self.log_weights) * self.root
        return coordinates

    def parameters(self, u: Array) -> MixingWeights:
        logs = self.log_weights + u / self.root
        weights = np.exp(logs - logs.max())
        return mixing_weights(np.maximum(weights / weights.sum(), np.finfo(float).tiny))

    def gradient(self, statistics: ModelStatistics, parameters: MixingWeights) -> Array:
        return self.slope(statistics.weight, parameters)

    def slope(self, weight: Array, parameters: MixingWeights) -> Array:
        """Of the log-likelihood, from the weight (K,) that the components bear."""
        slope: Array = (weight - weight.sum() * parameters.weights) / self.root
        return slope


@dataclass(frozen=True, slots=True)
class FixedChart:
    """Of what does not move."""

    fixed: MixingWeights
    size = 0

    def coordinates(self, parameters: MixingWeights) -> Array:
        return np.zeros(0)

    def parameters(self, u: Array) -> MixingWeights:
        return self.fixed

    def gradient(self, statistics: ModelStatistics, parameters: MixingWeights) -> Array:
        return np.zeros(0)
