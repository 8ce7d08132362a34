"""k-means on sphered rows: their overall covariance is the identity, so that no direction counts more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.starts.kmeans import KMeans


@dataclass(frozen=True, slots=True)
class Sphered:
    max_iterations: int = 50

    def labels(
        self, embedding: Array, n_components: int, seed: tuple[int, ...], weights: Array | None = None
    ) -> Integers:
        return KMeans(self.max_iterations).labels(sphere(embedding, weights), n_components, seed, weights)


def sphere(embedding: Array, weights: Array | None = None) -> Array:
    """The rows in coordinates where their covariance is the identity; directions without spread are left out."""
    centred = embedding - np.average(embedding, axis=1, weights=weights, keepdims=True)
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(centred, bias=True, aweights=weights)))
    kept = values > 1e-10 * values[-1]
    kept[-1] = True  # even where all rows are equal
    sphered: Array = (vectors[:, kept] / np.sqrt(np.maximum(values[kept], 1e-300))).T @ centred
    return sphered
