"""The seeds of k-means alone (k-means++; Arthur & Vassilvitskii 2007): rows drawn by squared distance from each other.

Every row goes to the nearest. Seeds lie farther apart than rows drawn at random, and are left where they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.starts.kmeans import nearest, seeds, weighed


@dataclass(frozen=True, slots=True)
class KMeansSeeds:
    def labels(
        self, embedding: Array, n_components: int, seed: tuple[int, ...], weights: Array | None = None
    ) -> Integers:
        scaled = weighed(embedding, seed, weights)
        return nearest(scaled, seeds(scaled, n_components, np.random.default_rng(seed), weights))
