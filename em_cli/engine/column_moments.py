"""Means, variances and products of columns: sums about a point of their own, which add over blocks."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags


@dataclass(frozen=True, slots=True, eq=False)
class Moments:
    """Weighted sums over some rows; missing cells are left out.

    They stand about the mean of these rows as it is rounded, and remember how far that is from the mean: so sums
    of rows far from zero lose no digits, nor where they are put together (Chan, Golub & LeVeque 1983).
    """

    weight: Array  # (D,)
    mean: Array  # (D,)
    first: Array  # (D,) Σ w (x - mean), next to nothing
    second: Array  # (D,) Σ w (x - mean)²
    scale: Array  # (D,) that the products are in
    products: Array | None  # (D, D) Σ w (x - mean)(x - mean)ᵀ in scales; None if unwanted, or where cells are missing

    @staticmethod
    def of(x: Array, seen: Flags | None, weights: Array | None, pairs: bool = True) -> Moments:
        """Of the rows x (D, n) under weights (n,), or ones; `seen` (D, n) tells which cells are not missing.

        Products are those of all pairs of columns, if these are wanted and no cell is missing.
        """
        weight, mean, first, second = np.zeros((4, len(x)))
        for j, values in enumerate(x):
            of_cells = weights
            if seen is not None:
                values = values[seen[j]]
                of_cells = None if weights is None else weights[seen[j]]
            if len(values):
                weight[j], mean[j], first[j], second[j] = _of_column(values, of_cells)
        sd = np.sqrt(second / np.where(weight > 0, weight, 1.0))
        scale = np.where(sd > 0, sd, 1.0)
        products = None
        if seen is None and pairs:
            z = (x - mean[:, None]) / scale[:, None]
            products = (z if weights is None else z * weights) @ z.T
        return Moments(weight, mean, first, second, scale, products)

    def __add__(self, other: Moments) -> Moments:
        weight = self.weight + other.weight
        far = other.weight * (other.mean - self.mean) + other.first + self.first
        mean = np.where(self.weight > 0, self.mean + far / np.where(weight > 0, weight, 1.0), other.mean)
        first, second, products = np.zeros(len(mean)), np.zeros(len(mean)), None
        if self.products is not None and other.products is not None:
            ratio = other.scale / self.scale
            products = self.products + other.products * np.outer(ratio, ratio)
        for part in (self, other):
            shift = part.mean - mean
            first += part.first + part.weight * shift
            second += part.second + shift * (2 * part.first + part.weight * shift)
            if products is not None:
                by = shift / self.scale
                cross = np.outer(part.first / self.scale, by)
                products = products + (cross + cross.T + part.weight[0] * np.outer(by, by))
        return Moments(weight, mean, first, second, self.scale, products)

    @property
    def sd(self) -> Array:
        """(D,)."""
        deviation: Array = np.sqrt(self.second / self.weight)
        return deviation

    @property
    def covariance(self) -> Array:
        """(D, D), where no cell is missing."""
        assert self.products is not None, "no cell is missing"
        covariance: Array = self.products / self.weight[0] * np.outer(self.scale, self.scale)
        return covariance


def _of_column(values: Array, weights: Array | None) -> tuple[float, float, float, float]:
    mean = values[0] + np.average(values - values[0], weights=weights)
    centred = values - mean
    if weights is None:
        return len(values), mean, centred.sum(), np.square(centred).sum()
    return weights.sum(), mean, (weights * centred).sum(), (np.square(centred) * weights).sum()
