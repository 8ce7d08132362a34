"""k-means on sphered rows: their overall covariance is the identity, so that no direction counts more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.parts import Option
from em_cli.starts.kmeans import ROWS, KMeans


@dataclass(frozen=True, slots=True)
class Sphered:
    max_iterations: Annotated[int, Option("of Lloyd's iteration, at most", least=0)] = 50
    rows: Annotated[int, Option("drawn for Lloyd's iteration, where there are more", least=1)] = ROWS

    def labels(
        self, embedding: Array, n_components: int, seed: tuple[int, ...], weights: Array | None = None
    ) -> Integers:
        return KMeans(self.max_iterations, self.rows).labels(sphere(embedding, weights), n_components, seed, weights)


def sphere(embedding: Array, weights: Array | None = None) -> Array:
    """The rows in coordinates where their covariance is the identity; directions without spread are left out.

    The answer for the latest rows is kept: every start of a search asks for the same.
    """
    if not _latest or _latest[0] is not embedding or _latest[1] is not weights:
        _latest[:] = embedding, weights, _sphered(embedding, weights)
    sphered: Array = _latest[2]
    return sphered


_latest: list[Any] = []  # embedding, weights, what came of them


def _sphered(embedding: Array, weights: Array | None) -> Array:
    centred = embedding - np.average(embedding, axis=1, weights=weights, keepdims=True)
    e, n = centred.shape
    if e <= n:
        values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(centred, bias=True, aweights=weights)))
    else:  # directions beyond the rows have no spread
        values, vectors = axes_of_few(centred, np.full(n, 1 / n) if weights is None else weights / weights.sum())
    return along_axes(centred, values, vectors)


def axes_of_few(centred: Array, share: Array) -> tuple[Array, Array]:
    """Eigenvalues and eigenvectors of the covariance of fewer rows than columns, those that are zero left out."""
    vectors, lengths, _ = np.linalg.svd(centred * np.sqrt(share), full_matrices=False)
    return lengths[::-1] ** 2, vectors[:, ::-1]


def along_axes(centred: Array, values: Array, vectors: Array) -> Array:
    """The rows along the axes that have spread, in units of it."""
    kept = values > 1e-10 * max(values[-1], 1e-300)
    kept[-1] = True  # even where all rows are equal
    sphered: Array = (vectors[:, kept] / np.sqrt(np.maximum(values[kept], 1e-300))).T @ centred
    return sphered
