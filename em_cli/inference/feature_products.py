"""Squares of slopes from sums of products of features, under the products of two responsibilities.

A slope is linear in the features φ of a row, so Σ r_k r_l D_k D_lᵀ is Σ r_k r_l φ φᵀ between two matrices that no row
changes; and responsibilities add up to one, so that Σ r_k φ φᵀ is the sum of these over l.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.cache import scratch

ROWS = 256  # that are looked at together
LOST = 1e-9  # of the largest square, that rounding may cost: slopes of narrow components cancel in features


@dataclass(frozen=True, slots=True, eq=False)
class FeatureProducts:
    """Sums over rows, which add; of no weights, or of weights and their squares."""

    sums: Array  # (1 or 2, K(K + 1)/2, F(F + 1)/2) of r_k r_l φ φᵀ

    def __add__(self, other: FeatureProducts) -> FeatureProducts:
        return FeatureProducts(self.sums + other.sums)


def multiplications(n_components: int, n_features: int, n_rows: int) -> int:
    """What the squares take by products of features."""
    pairs = n_components * (n_components + 1) // 2
    return pairs * (n_rows * (n_features * (n_features + 1) // 2) + 2 * n_features**3)


def feature_products(features: Array, responsibilities: Array, weights: Array | None) -> FeatureProducts:
    """Of rows with features (F, n) and responsibilities (K, n)."""
    size, n = features.shape
    one, other = np.triu_indices(len(responsibilities))
    shares = responsibilities[one] * responsibilities[other]
    products = scratch("feature_products", size * (size + 1) // 2, n)
    first = 0
    for place, feature in enumerate(features):
        last = first + size - place
        np.multiply(feature, features[place:], out=products[first:last])
        first = last
    powers = [shares] if weights is None else [shares * weights, shares * weights**2]
    sums = np.empty((len(powers), len(one), len(products)))
    for own, power in zip(sums, powers, strict=True):
        np.matmul(power, products.T, out=own)
    return FeatureProducts(sums)


def squares_of(
    found: FeatureProducts, of: tuple[Array, ...], places: tuple[Integers, ...], size: int
) -> tuple[tuple[Array, ...], Array, Array] | None:
    """Of slopes (·, F) of each component along its places of coordinates: r D Dᵀ, and s sᵀ twice; or too few digits.

    The latter under the weights, and under their squares.
    """
    within = list[Array]()
    scale, largest = 0.0, 0.0
    for slopes, own in zip(of, _of_each(found, len(of)), strict=True):
        square = slopes @ own @ slopes.T
        within.append(square)
        lengths = np.abs(slopes) @ np.sqrt(np.maximum(own.diagonal(), 0.0))
        scale = max(scale, float(np.max(lengths**2, initial=0.0)))
        largest = max(largest, float(np.max(square.diagonal(), initial=0.0)))
    if not scale * np.finfo(float).eps <= LOST * largest:
        return None
    scores = [np.zeros((size, size)) for _ in found.sums]
    for power, total in enumerate(scores):
        for k, other, products in _by_pair(found, len(of), power):
            block = of[k] @ products @ of[other].T
            total[np.ix_(places[k], places[other])] += block
            if k != other:
                total[np.ix_(places[other], places[k])] += block.T
    return tuple(within), scores[0], scores[-1]


def _by_pair(found: FeatureProducts, n_components: int, power: int) -> Iterator[tuple[int, int, Array]]:
    """Two components and (F, F), of each pair."""
    n_features = int(np.sqrt(2 * found.sums.shape[-1]))
    square = np.empty((n_features, n_features), np.intp)
    one, other = np.triu_indices(n_features)
    square[one, other] = square[other, one] = np.arange(len(one))
    for pair, (k, to) in enumerate(zip(*np.triu_indices(n_components), strict=True)):
        yield int(k), int(to), found.sums[power, pair].take(square)


def _of_each(found: FeatureProducts, n_components: int) -> Array:
    """(K, F, F) of r_k φ φᵀ."""
    totals: list[Array | float] = [0.0] * n_components
    for k, other, products in _by_pair(found, n_components, 0):
        totals[k] = totals[k] + products
        if other != k:
            totals[other] = totals[other] + products
    return np.stack(totals)
