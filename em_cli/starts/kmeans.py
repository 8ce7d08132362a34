"""k-means on coordinates scaled to unit variance, or as they are.

Seeds by greedy k-means++ (Arthur & Vassilvitskii 2007), then Lloyd's iteration (Lloyd 1982): on some of the rows where
they are many, as what follows is a climb on all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.parts import Option

ROWS = 2000


@dataclass(frozen=True, slots=True)
class KMeans:
    max_iterations: Annotated[int, Option("of Lloyd's iteration, at most", least=0)] = 50
    rows: Annotated[int, Option("drawn for Lloyd's iteration, where there are more", least=1)] = ROWS

    def labels(
        self, embedding: Array, n_components: int, seed: tuple[int, ...], weights: Array | None = None
    ) -> Integers:
        scaled = weighed(embedding, seed, weights)
        rng = np.random.default_rng(seed)
        centres = seeds(scaled, n_components, rng, weights)
        if (n := scaled.shape[1]) <= self.rows:
            return lloyd(scaled, centres, self.max_iterations, weights)[0]
        share = None if weights is None else weights / weights.sum()
        some = rng.choice(n, self.rows, replace=weights is not None, p=share)
        return nearest(scaled, lloyd(scaled[:, some], centres, self.max_iterations)[1])


def weighed(embedding: Array, seed: tuple[int, ...], weights: Array | None) -> Array:
    """The rows with every coordinate alike, or, of every second start, as they are: with every column alike.

    A categorical column has a coordinate for each of its levels: many rare ones outweigh all other columns.
    """
    return embedding if seed[-1] % 2 else unit_spread(embedding, weights)


def unit_spread(embedding: Array, weights: Array | None) -> Array:
    """The rows with every coordinate divided by its standard deviation."""
    if weights is None:
        spread = embedding.std(axis=1, keepdims=True)
    else:
        centred = embedding - np.average(embedding, axis=1, weights=weights)[:, None]
        spread = np.sqrt(np.average(centred**2, axis=1, weights=weights))[:, None]
    scaled: Array = embedding / np.where(spread > 0, spread, 1.0)
    return scaled


def seeds(points: Array, k: int, rng: np.random.Generator, weights: Array | None = None) -> Array:
    """Greedy k-means++: of a few draws by squared distance, the one that leaves the least; (E, K)."""
    n, draws = points.shape[1], 2 + int(np.log(k))
    chosen = [int(rng.integers(n) if weights is None else rng.choice(n, p=weights / weights.sum()))]
    distance = ((points - points[:, chosen]) ** 2).sum(axis=0)
    while len(chosen) < k:
        total = np.cumsum(distance if weights is None else distance * weights)
        if not total[-1] > 0:
            chosen.append(int(rng.integers(n)))
            continue
        drawn = np.minimum(np.searchsorted(total, rng.random(draws) * total[-1]), n - 1)
        reduced = np.minimum(distance, squared_distances(points, points[:, drawn]))
        best = int((reduced.sum(axis=1) if weights is None else reduced @ weights).argmin())
        chosen.append(int(drawn[best]))
        distance = reduced[best]
    return points[:, chosen]


def lloyd(points: Array, centres: Array, max_iterations: int, weights: Array | None = None) -> tuple[Integers, Array]:
    """The partition (n,) at which Lloyd's iteration from the centres (E, K) rests, and the centres of its parts."""
    k = centres.shape[1]
    labels, weighted = nearest(points, centres), points if weights is None else points * weights
    for _ in range(max_iterations):
        counts = np.bincount(labels, weights, k)
        sums = np.stack([np.bincount(labels, row, k) for row in weighted])
        centres = np.where(counts > 0, sums / np.where(counts > 0, counts, 1), centres)
        moved = nearest(points, centres)
        if (moved == labels).all():
            break
        labels = moved
    return labels, centres


def nearest(points: Array, centres: Array) -> Integers:
    """The nearest centre (n,) of each point: what the squares of the points add to all distances does not matter."""
    distances = (-2 * centres.T) @ points
    distances += (centres**2).sum(axis=0)[:, None]
    labels: Integers = distances.argmin(axis=0)
    return labels


def squared_distances(points: Array, centres: Array) -> Array:
    """(K, n), up to rounding."""
    cross = centres.T @ points
    cross *= -2
    cross += (points**2).sum(axis=0)
    cross += (centres**2).sum(axis=0)[:, None]
    return np.maximum(cross, 0, out=cross)
