"""Local coordinates of a Markov chain of labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.expectation import ModelStatistics
from em_cli.latents.chain import TINY, ChainParameters, Shape
from em_cli.latents.stationary import RARE, law_of_connected, slope


@dataclass(frozen=True, slots=True, eq=False)
class ChainChart:
    """√N times the change of log-probabilities that are free, N being what they were seen; back by softmax."""

    base: ChainParameters  # of a stack, or of one chain
    weight: Array  # (…, K)
    shape: Shape
    begins: str  # how: free, stationary or fixed
    pseudo: Array | float = 0.0  # (K, K) steps that a prior adds

    @property
    def size(self) -> int:
        return self._of_initial + int(self.shape.free.sum())

    @property
    def _of_initial(self) -> int:
        """How many of the coordinates, those in front, are of the law of the first state."""
        return int(self.weight.shape[-1]) if self.begins == "free" else 0

    @property
    def _roots(self) -> Array:
        """(…, P) of the transitions that are free."""
        roots: Array = np.sqrt(np.maximum(self.weight[..., :, None] * self.base.transitions, 1.0))
        return roots[..., self.shape.free]

    def coordinates(self, parameters: ChainParameters) -> Array:
        free = self.shape.free
        moved = (np.log(parameters.transitions[..., free]) - np.log(self.base.transitions[..., free])) * self._roots
        if self.begins != "free":
            return moved
        return np.concatenate([np.log(parameters.initial) - np.log(self.base.initial), moved], axis=-1)

    def parameters(self, u: Array) -> ChainParameters:
        free, k, stack = self.shape.free, self.weight.shape[-1], u.shape[:-1]
        logs = np.full((*stack, k, k), -np.inf)
        logs[..., free] = np.log(self.base.transitions[..., free]) + u[..., self._of_initial :] / self._roots
        largest = np.max(logs, axis=-1, keepdims=True)
        counts = np.exp(logs - np.where(np.isfinite(largest), largest, 0.0))
        stationary = self.begins == "stationary"
        transitions = self.shape.law(counts, self.base.transitions, RARE if stationary else TINY)
        initial = law_of_connected(transitions) if stationary else np.broadcast_to(self.base.initial, (*stack, k))
        if self.begins == "free":
            start = np.log(self.base.initial) + u[..., :k]
            start = np.exp(start - start.max(axis=-1, keepdims=True))
            initial = np.maximum(start / start.sum(axis=-1, keepdims=True), TINY)
        return ChainParameters(np.broadcast_to(self.base.weights, (*stack, k)), initial, transitions)

    def gradient(self, statistics: ModelStatistics, parameters: ChainParameters) -> Array:
        first, steps = statistics.latent
        free, transitions = self.shape.free, parameters.transitions
        own = np.where(free, steps + self.pseudo, 0.0)
        if self.begins == "stationary":
            own = own + np.where(free, transitions * slope(transitions, parameters.initial, first), 0.0)
        share = np.divide(transitions, self.shape.left, out=np.zeros_like(transitions), where=free)
        slopes: Array = (own - share * own.sum(axis=-1, keepdims=True))[..., free] / self._roots
        if self.begins != "free":
            return slopes
        excess = first - first.sum(axis=-1, keepdims=True) * parameters.initial
        return np.concatenate([excess, slopes], axis=-1)
