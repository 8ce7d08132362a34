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
class Products:
    """Which of two features there are: those that are one monomial of the columns are one product."""

    one: Integers  # (Q,)
    other: Integers  # (Q,)
    square: Integers  # (F, F) which of the products each is


@dataclass(frozen=True, slots=True, eq=False)
class FeatureProducts:
    """Sums over rows, which add; of no weights, or of weights and their squares."""

    sums: Array  # (1 or 2, K(K + 1)/2, Q) of r_k r_l φ φᵀ

    def __add__(self, other: FeatureProducts) -> FeatureProducts:
        return FeatureProducts(self.sums + other.sums)


def products_of(n_features: int, monomials: Integers | None) -> Products:
    one, other = np.triu_indices(n_features)
    of = np.arange(len(one))
    if monomials is not None:
        keys = monomials @ np.random.default_rng(0).integers(1 << 40, size=monomials.shape[1])  # that tell powers apart
        _, first, of = np.unique(keys[one] + keys[other], return_index=True, return_inverse=True)
        one, other = one[first], other[first]
    square = np.empty((n_features, n_features), np.intp)
    upper = np.triu_indices(n_features)
    square[upper] = square.T[upper] = of
    return Products(one, other, square)


def multiplications(n_components: int, products: Products, n_rows: int) -> int:
    """What the squares take by products of features."""
    pairs = n_components * (n_components + 1) // 2
    return pairs * (n_rows * len(products.one) + 2 * len(products.square) ** 3)


def feature_products(
    products: Products, features: Array, responsibilities: Array, weights: Array | None
) -> FeatureProducts:
    """Of rows with features (F, n) and responsibilities (K, n)."""
    n, size = features.shape[1], len(products.one)
    k, to = np.triu_indices(len(responsibilities))
    shares = responsibilities[k] * responsibilities[to]
    found, other = (scratch(f"feature_products_{place}", size, n) for place in (0, 1))
    features.take(products.one, axis=0, out=found, mode="clip")
    found *= features.take(products.other, axis=0, out=other, mode="clip")
    powers = [shares] if weights is None else [shares * weights, shares * weights**2]
    sums = np.empty((len(powers), len(k), size))
    for own, power in zip(sums, powers, strict=True):
        np.matmul(power, found.T, out=own)
    return FeatureProducts(sums)


def squares_of(
    found: FeatureProducts, products: Products, of: tuple[Array, ...], places: tuple[Integers, ...], size: int
) -> tuple[tuple[Array, ...], Array, Array] | None:
    """Of slopes (·, F) of each component along its places of coordinates: r D Dᵀ, and s sᵀ twice; or too few digits.

    The latter under the weights, and under their squares.
    """
    within = list[Array]()
    scale, largest = 0.0, 0.0
    for slopes, own in zip(of, _of_each(found, products, len(of)), strict=True):
        square = slopes @ own @ slopes.T
        within.append(square)
        lengths = np.abs(slopes) @ np.sqrt(np.maximum(own.diagonal(), 0.0))
        scale = max(scale, float(np.max(lengths**2, initial=0.0)))
        largest = max(largest, float(np.max(square.diagonal(), initial=0.0)))
    if not scale * np.finfo(float).eps <= LOST * largest:
        return None
    scores = [np.zeros((size, size)) for _ in found.sums]
    for power, total in enumerate(scores):
        for k, other, between in _by_pair(found, products, len(of), power):
            block = of[k] @ between @ of[other].T
            total[np.ix_(places[k], places[other])] += block
            if k != other:
                total[np.ix_(places[other], places[k])] += block.T
    return tuple(within), scores[0], scores[-1]


def _by_pair(
    found: FeatureProducts, products: Products, n_components: int, power: int
) -> Iterator[tuple[int, int, Array]]:
    """Two components and (F, F), of each pair."""
    for pair, (k, to) in enumerate(zip(*np.triu_indices(n_components), strict=True)):
        yield int(k), int(to), found.sums[power, pair].take(products.square)


def _of_each(found: FeatureProducts, products: Products, n_components: int) -> Array:
    """(K, F, F) of r_k φ φᵀ."""
    size = len(products.square)
    totals = np.zeros((n_components, size, size))
    for k, other, between in _by_pair(found, products, n_components, 0):
        totals[k] += between
        if other != k:
            totals[other] += between
    return totals
