"""Rows drawn at random, each other row going to the nearest of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.starts.kmeans import nearest


@dataclass(frozen=True, slots=True)
class Random:
    def labels(self, embedding: Array, n_components: int, seed: tuple[int, ...]) -> Integers:
        n = embedding.shape[1]
        spread = embedding.std(axis=1, keepdims=True)
        scaled = embedding / np.where(spread > 0, spread, 1.0)
        drawn = np.random.default_rng(seed).choice(n, n_components, replace=False)
        return nearest(scaled, scaled[:, drawn])
