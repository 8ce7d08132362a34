"""k-means on the sphered rows, projected where they look least like one group.

The direction is the one of smallest kurtosis that FastICA's cubic fixed point (Hyvärinen 1999)
finds from a few random ones: two separate groups have a kurtosis below the normal one
(Peña & Prieto 2001). It sees long parallel clusters that distance in all columns does not.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.parts import Option
from em_cli.starts.kmeans import ROWS, KMeans
from em_cli.starts.sphered import sphere


@dataclass(frozen=True, slots=True)
class Projection:
    directions: Annotated[int, Option("random ones to begin from", least=1)] = 6
    steps: Annotated[int, Option("of the fixed point, from each", least=0)] = 10
    max_iterations: Annotated[int, Option("of Lloyd's iteration, at most", least=0)] = 50
    rows: Annotated[
        int, Option("drawn to find the direction and for Lloyd's iteration, where there are more", least=1)
    ] = ROWS

    def labels(
        self, embedding: Array, n_components: int, seed: tuple[int, ...], weights: Array | None = None
    ) -> Integers:
        rows = sphere(embedding, weights)
        rng, n = np.random.default_rng((*seed, 1)), rows.shape[1]
        if weights is not None:
            some = rows[:, rng.choice(n, self.rows, p=weights / weights.sum())]
        else:
            some = rows if n <= self.rows else rows[:, rng.choice(n, self.rows, replace=False)]
        axes = self._axes(some, rng)
        return KMeans(self.max_iterations, self.rows).labels(axes @ rows, n_components, seed, weights)

    def _axes(self, rows: Array, rng: np.random.Generator) -> Array:
        """One or two orthogonal directions (1 or 2, E)."""
        e = len(rows)
        axes = np.zeros((0, e))
        for _ in range(min(e, int(rng.integers(1, 3)))):
            w = rng.standard_normal((self.directions, e))
            for step in range(self.steps + 1):
                w -= w @ axes.T @ axes
                w /= np.maximum(np.linalg.norm(w, axis=1, keepdims=True), 1e-300)
                if step < self.steps:
                    along = w @ rows  # its powers would be a hundred times as dear as its products
                    w = (along * along * along) @ rows.T / rows.shape[1] - 3 * w
            squares = (w @ rows) ** 2
            kurtosis = (squares * squares).mean(axis=1)
            axes = np.concatenate([axes, w[kurtosis.argmin()][None]])
        return axes
