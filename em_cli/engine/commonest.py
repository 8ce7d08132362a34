"""Which value of a column most rows bear, and how many: told by sums over blocks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array

FEW_CELLS = 1 << 11  # of so many all are looked at to find the value; of more, so many, scattered over them
SCATTER = 0x9E3779B1  # 2³² over the golden ratio, so that no period of the rows hides a value
MOST_VALUES = 64  # that are remembered


@dataclass(frozen=True, slots=True, eq=False)
class Commonest:
    """The value that stands out among some cells of a column, by their weight; these add over cells.

    Exact where one quantum of rows holds all cells, or the value stands out in each; else at most the share is told.
    """

    total: float  # weight of the cells
    weights: Mapping[float, float]  # of each value that stood out among some of them

    @staticmethod
    def of(values: Array, weights: Array | None = None) -> Commonest:
        """Of cells (n,), none missing, with their weights."""
        n = len(values)
        if not n:
            return Commonest(0.0, {})
        some = slice(None) if n <= FEW_CELLS else np.arange(FEW_CELLS) * SCATTER % n
        distinct, place = np.unique(values[some], return_inverse=True)
        value = distinct[np.bincount(place, None if weights is None else weights[some]).argmax()]
        there = values == value
        if weights is None:
            return Commonest(float(n), {float(value): float(np.count_nonzero(there))})
        return Commonest(float(weights.sum()), {float(value): float(weights[there].sum())})

    def __add__(self, other: Commonest) -> Commonest:
        both = Counter(self.weights)
        both.update(other.weights)
        return Commonest(self.total + other.total, dict(both.most_common(MOST_VALUES)))

    @property
    def value(self) -> float:
        return max(self.weights, key=lambda value: (self.weights[value], -value), default=0.0)

    @property
    def share(self) -> float:
        """Of the weight of the cells, at least."""
        return self.weights[self.value] / self.total if self.total else 0.0
