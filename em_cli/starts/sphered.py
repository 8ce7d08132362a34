"""k-means on sphered rows: their overall covariance is the identity, so that no direction counts more."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.starts.kmeans import KMeans


@dataclass(frozen=True, slots=True)
class Sphered:
    max_iterations: int = 50

    def labels(self, embedding: Array, n_components: int, seed: tuple[int, ...]) -> Integers:
        return KMeans(self.max_iterations).labels(sphere(embedding), n_components, seed)


def sphere(embedding: Array) -> Array:
    """The rows in coordinates where their covariance is the identity; directions without spread are left out."""
    centred = embedding - embedding.mean(axis=1, keepdims=True)
    values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(centred, bias=True)))
    kept = values > 1e-10 * values[-1]
    kept[-1] = True  # even where all rows are equal
    sphered: Array = (vectors[:, kept] / np.sqrt(np.maximum(values[kept], 1e-300))).T @ centred
    return sphered
