"""Rows drawn at random, each other row going to the nearest of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.starts.kmeans import nearest, weighed


@dataclass(frozen=True, slots=True)
class Random:
    def labels(
        self, embedding: Array, n_components: int, seed: tuple[int, ...], weights: Array | None = None
    ) -> Integers:
        scaled = weighed(embedding, seed, weights)
        share = None if weights is None else weights / weights.sum()
        drawn = np.random.default_rng(seed).choice(embedding.shape[1], n_components, replace=False, p=share)
        return nearest(scaled, scaled[:, drawn])
