"""Local coordinates of probabilities that sum to one."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.families.distributions.charts import LARGEST_LOG, log_ratio
from em_cli.families.distributions.distribution import Values


class SimplexChart:
    """√(N_k p) times the change of log p; back by a softmax.

    A common change of all log p of a column is none: so its coordinates are reflected (Householder
    1958) to where that direction √p is an axis, at the likeliest level, and this one is left out.
    A level of probability zero stays there.
    """

    def __init__(self, base: Array, weight: Array, column: Integers) -> None:
        self.base, self.column = base, column  # (…, K, F), (F,)
        self.first = np.flatnonzero(np.diff(column, prepend=-1))
        direction = np.sqrt(base)
        self.root = np.sqrt(np.maximum(weight, 1.0))[..., None] * direction
        self.axis = np.zeros(base.shape, np.bool_)
        for levels in np.split(np.arange(len(column)), self.first[1:]):
            likeliest = levels[base[..., levels].argmax(axis=-1)]
            np.put_along_axis(self.axis, likeliest[..., None], True, axis=-1)
        self.mirror = direction + self.axis
        self.depth = self._total(np.where(self.axis, self.mirror, 0.0))

    def coordinates(self, values: Values) -> Array:
        return self._beside_axes(self._reflected(log_ratio(self.base, values[0]) * self.root))

    def values(self, u: Array) -> Values:
        whole = np.zeros((*u.shape[:-1], *self.base.shape[-2:]))
        whole[np.broadcast_to(~self.axis, whole.shape)] = u.ravel()
        logs = self._reflected(whole) / np.where(self.root > 0, self.root, np.inf)
        moved = self.base * np.exp(np.clip(logs, -LARGEST_LOG, LARGEST_LOG))
        return (moved / self._total(moved),)

    def gradient(self, weight: Array, sums: Array, values: Values) -> Array:
        excess = sums - weight[..., self.column] * values[0]
        return self._beside_axes(self._reflected(excess / np.where(self.root > 0, self.root, np.inf)))

    def _beside_axes(self, u: Array) -> Array:
        """(…, P) of (…, K, F)."""
        return u[np.broadcast_to(~self.axis, u.shape)].reshape(*u.shape[:-2], -1)

    def _reflected(self, u: Array) -> Array:
        reflected: Array = u - self.mirror * (self._total(self.mirror * u) / self.depth)
        return reflected

    def _total(self, u: Array) -> Array:
        """The sum over the levels of its column, for each level."""
        total: Array = np.add.reduceat(u, self.first, axis=-1)[..., self.column]
        return total
