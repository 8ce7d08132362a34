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

    base: ChainParameters  # without a stack
    weight: Array  # (K,)
    shape: Shape
    begins: str  # how: free, stationary or fixed

    @property
    def size(self) -> int:
        return int(self.shape.free.sum()) + (len(self.weight) if self.begins == "free" else 0)

    @property
    def _roots(self) -> Array:
        """(K, K) of the transitions."""
        roots: Array = np.sqrt(np.maximum(self.weight[:, None] * self.base.transitions, 1.0))
        return roots

    def coordinates(self, parameters: ChainParameters) -> Array:
        free = self.shape.free
        moved = np.log(parameters.transitions[free]) - np.log(self.base.transitions[free])
        moved *= self._roots[free]
        if self.begins != "free":
            return moved
        return np.concatenate([np.log(parameters.initial) - np.log(self.base.initial), moved])

    def parameters(self, u: Array) -> ChainParameters:
        free, k = self.shape.free, len(self.weight)
        logs = np.full((k, k), -np.inf)
        logs[free] = (
            np.log(self.base.transitions[free]) + u[-int(free.sum()) :] / self._roots[free] if free.any() else 0
        )
        largest = np.max(logs, axis=1, keepdims=True)
        counts = np.exp(logs - np.where(np.isfinite(largest), largest, 0.0))
        stationary = self.begins == "stationary"
        transitions = self.shape.law(counts[None], self.base.transitions[None], RARE if stationary else TINY)[0]
        initial = law_of_connected(transitions) if stationary else self.base.initial
        if self.begins == "free":
            start = np.log(self.base.initial) + u[:k]
            start = np.exp(start - start.max())
            initial = np.maximum(start / start.sum(), TINY)
        return ChainParameters(self.base.weights, initial, transitions)

    def gradient(self, statistics: ModelStatistics, parameters: ChainParameters) -> Array:
        first, steps = statistics.latent
        free, transitions = self.shape.free, parameters.transitions
        own = np.where(free, steps, 0.0)
        if self.begins == "stationary":
            own = own + np.where(free, transitions * slope(transitions, parameters.initial, first), 0.0)
        share = np.divide(transitions, self.shape.left, out=np.zeros_like(transitions), where=free)
        slopes: Array = (own - share * own.sum(axis=1, keepdims=True))[free] / self._roots[free]
        if self.begins != "free":
            return slopes
        return np.concatenate([first - first.sum() * parameters.initial, slopes])
