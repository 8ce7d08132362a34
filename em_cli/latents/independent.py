"""Independent labels: the finite mixture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import lgamma
from typing import Annotated, ClassVar, Literal

import numpy as np

from em_cli.engine.arrays import Array, Integers, map_arrays
from em_cli.engine.assignment import SOFT, Assignment
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.documents import field, numbers
from em_cli.engine.expectation import ModelStatistics
from em_cli.engine.family import BoundFamily
from em_cli.engine.latent import Described, Posterior
from em_cli.engine.owners import Owners
from em_cli.engine.rows import Block
from em_cli.errors import DataError
from em_cli.latents.bayes import bayes, honour_labels
from em_cli.latents.single_rows import SingleRows
from em_cli.parts import Option

TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True, slots=True)
class MixingWeights:
    weights: Array  # (R, K), positive, sum one
    log_weights: Array  # (R, K)


def mixing_weights(weights: Array) -> MixingWeights:
    return MixingWeights(weights, np.log(weights))


def shares_refused(weights: str | Sequence[float]) -> str | None:
    """What is wrong with fixed mixing weights."""
    if isinstance(weights, str) or (min(weights) > 0 and abs(sum(weights) - 1) <= 1e-6):
        return None
    return "must be numbers above 0 that sum to one"


@dataclass(frozen=True, slots=True)
class Independent(SingleRows):
    """Each row draws its component by the mixing weights.

    These are free, or fixed: all equal, or as given.
    """

    extra: ClassVar[tuple[str, ...]] = ()
    beyond: ClassVar[None] = None
    is_bayes_alone: ClassVar[bool] = True

    weights: Annotated[
        Literal["free", "equal"] | tuple[float, ...],
        Option("of the components: free, equal, or fixed to these numbers", check=shares_refused),
    ] = "free"
    concentration: float = 1.0  # α of a symmetric Dirichlet prior, at whose posterior's mode free weights are
    quantities: ClassVar[Mapping[str, Quantity]] = {"weights": Quantity.PROBABILITY}
    declines: ClassVar[Mapping[str, str]] = {}
    includes: ClassVar[tuple[str, ...]] = ()

    def refuses(self, columns: Sequence[Described], n_components: Sequence[int]) -> str | None:
        if isinstance(self.weights, str) or all(len(self.weights) == k for k in n_components):
            return None
        return f"mixing_weights has {len(self.weights)} numbers; each model needs one for each component."

    def bind(self, family: BoundFamily, columns: Columns) -> Independent:
        return self

    @classmethod
    def of_document(cls, document: Mapping[str, object]) -> Independent:
        match document.get("weights_fixed", "free"):
            case "free" | "equal" as fixed:
                return cls(fixed)
            case "given":
                return cls(tuple(field(document, "weights")))
            case other:
                raise DataError(f"the field 'weights_fixed' must be equal or given, not {other!r}.")

    def divergence(self, parameters: MixingWeights) -> Array | float:
        """The negative log-density of the prior, if there is one."""
        alpha, k = self.concentration, parameters.weights.shape[-1]
        if alpha == 1.0 or not self._free(k):
            return 0.0
        total = lgamma(k * alpha) - k * lgamma(alpha)
        return np.asarray(-(alpha - 1) * np.add.reduce(parameters.log_weights, axis=-1) - total)

    def log_prior(self, parameters: MixingWeights) -> Array:
        return parameters.log_weights

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
        log_likelihood, own = bayes(log_density, weights, assignment, block.first_row)
        return Posterior(log_likelihood, None, objective=own)

    def log_weights(self, parameters: MixingWeights, x: Array) -> Array:
        """(R, K, 1) logarithms of the mixing weights, the same for all units."""
        return parameters.log_weights[..., None]

    def tallied(self, responsibilities: Array, log_weights: Array, x: Array, weights: Array | None) -> Array:
        """No statistics (R, K, 0) beyond the weights that the components bear."""
        return np.zeros((*responsibilities.shape[:2], 0))

    def maximize(self, weight: Array, statistics: Array | None, parameters: MixingWeights | None) -> MixingWeights:
        if not self._free(weight.shape[-1]):
            return mixing_weights(np.broadcast_to(self._fixed(weight.shape[-1]), weight.shape).copy())
        weight = np.maximum(weight + (self.concentration - 1), TINY)
        shares = weight / np.add.reduce(weight, axis=-1, keepdims=True)
        return mixing_weights(np.maximum(shares, TINY, out=shares))

    @property
    def kindred(self) -> Independent | None:
        plain = type(self) is Independent  # what builds on it may have an M-step of its own
        return self if plain and self.weights == "free" and self.concentration == 1.0 else None

    def maximize_kin(self, weight: Array, owners: Owners) -> MixingWeights:
        weight = np.maximum(weight, TINY)
        shares = weight / owners.of_stacks(weight)[owners.of]
        return mixing_weights(np.maximum(shares, TINY, out=shares))

    def _free(self, n_components: int) -> bool:
        """Numbers are for as many components; mixtures of more or fewer, which a search passes by, are free."""
        return self.weights == "free" or (isinstance(self.weights, tuple) and len(self.weights) != n_components)

    def _fixed(self, n_components: int) -> float | list[float]:
        if isinstance(self.weights, str):
            return 1 / n_components
        total = sum(self.weights)
        return [weight / total for weight in self.weights]

    def n_parameters(self, n_components: int) -> int:
        return n_components - 1 if self._free(n_components) else 0

    def chart(self, parameters: MixingWeights, weight: Array) -> WeightsChart | FixedChart:
        if not self._free(weight.shape[-1]):
            return FixedChart(parameters)
        return WeightsChart(parameters.log_weights, np.sqrt(np.maximum(weight, 1.0)), self.concentration - 1)

    def to_document(self, parameters: MixingWeights) -> dict[str, object]:
        fixed = {} if self.weights == "free" else {"weights_fixed": "equal" if self.weights == "equal" else "given"}
        return {"weights": parameters.weights.tolist()} | fixed

    def from_document(self, document: Mapping[str, object], n_components: int) -> MixingWeights:
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

    log_weights: Array  # (…, K) at the base point
    root: Array  # (…, K) √N_k
    pseudo: float = 0.0  # rows that a prior adds to each component

    @property
    def size(self) -> int:
        return int(self.root.shape[-1])

    def coordinates(self, parameters: MixingWeights) -> Array:
        coordinates: Array = (parameters.log_weights - self.log_weights) * self.root
        return coordinates

    def parameters(self, u: Array) -> MixingWeights:
        logs = self.log_weights + u / self.root
        weights = np.exp(logs - logs.max(axis=-1, keepdims=True))
        return mixing_weights(np.maximum(weights / weights.sum(axis=-1, keepdims=True), np.finfo(float).tiny))

    def gradient(self, statistics: ModelStatistics, parameters: MixingWeights) -> Array:
        return self.slope(statistics.weight, parameters)

    def slope(self, weight: Array, parameters: MixingWeights) -> Array:
        """Of the log-likelihood, from the weight (…, K) that the components bear."""
        weight = weight + self.pseudo
        slope: Array = (weight - weight.sum(axis=-1, keepdims=True) * parameters.weights) / self.root
        return slope


@dataclass(frozen=True, slots=True)
class FixedChart:
    """Of what does not move."""

    fixed: MixingWeights
    size = 0

    def coordinates(self, parameters: MixingWeights) -> Array:
        return np.zeros((*parameters.weights.shape[:-1], 0))

    def parameters(self, u: Array) -> MixingWeights:
        shape = (*u.shape[:-1], self.fixed.weights.shape[-1])
        return map_arrays(lambda array: np.broadcast_to(array, shape), self.fixed)

    def gradient(self, statistics: ModelStatistics, parameters: MixingWeights) -> Array:
        return self.coordinates(parameters)
