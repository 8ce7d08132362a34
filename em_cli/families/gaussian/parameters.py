"""Parameters of normal components, completed once with all that the E-step needs of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.families.covariances.structure import clamp_definite, clamp_full

LOG_2PI = float(np.log(2 * np.pi))
CANCELLATION = 1e6  # of the expanded quadratic form; beyond it a component is evaluated about its mean


@dataclass(frozen=True, slots=True, weakref_slot=True)
class GaussianParameters:
    """In the coordinates of the family; factors and natural parameters are made once, in the M-step."""

    means: Array  # (R, K, D)
    covariances: Array  # (R, K, D, D), or variances (R, K, D) of a diagonal structure
    factors: Array  # inverse Cholesky factors, or reciprocal standard deviations, of the same shape
    theta: Array  # (R, K, F) natural parameters
    concentrated: Flags  # (R, K) components that the expanded form would evaluate with loss


@dataclass(frozen=True, eq=False)
class Bounds:
    """Of the columns, in the coordinates of the family."""

    floor: Array  # (D,) smallest standard deviation
    variance: Array  # (D,) the smallest
    largest: Array  # (D,) distance from the origin

    @cached_property
    def squares(self) -> Array:
        """(D,) of the largest distances."""
        return self.largest * self.largest

    @cached_property
    def products(self) -> Array:
        """(D²,) of the largest distances."""
        return np.outer(self.largest, self.largest).ravel()


def bounds_of(floor: Array, largest: Array) -> Bounds:
    """From the smallest standard deviations, and the largest distances from the origin: infinite ones are unknown."""
    return Bounds(floor, floor * floor, np.minimum(largest, 1e100))


def of_variances(means: Array, variances: Array, bounds: Bounds, one: bool) -> GaussianParameters:
    """Completed with variances (…, K, D), one and the same for all columns if it says so; stacked or not."""
    factors = 1 / np.sqrt(variances)
    precision = factors * factors
    d = means.shape[-1]
    theta = np.empty((*means.shape[:-1], d + 2 if one else 1 + 2 * d))
    linear = np.multiply(precision, means, out=theta[..., 1 : 1 + d])
    np.multiply(precision[..., :1] if one else precision, -0.5, out=theta[..., 1 + d :])
    half = np.log(factors) - 0.5 * linear * means
    theta[..., 0] = np.add.reduce(half, axis=-1) - 0.5 * d * LOG_2PI
    loss = np.add.reduce(precision * bounds.squares, axis=-1)
    return GaussianParameters(means, variances, factors, theta, np.logical_not(loss <= CANCELLATION))


def of_matrices(
    means: Array, covariances: Array, bounds: Bounds, floored: bool, of: Integers | None = None
) -> GaussianParameters:
    """Completed with covariances (…, K, D, D), or (…, 1, D, D) in common, held above the floor if wanted.

    Or with (M, D, D) of which each component (K,) has the one that it is told.
    """
    k, d = means.shape[-2:]
    covariances, factors, precision = _factored(covariances, bounds if floored else None)
    if of is not None:
        covariances, factors, precision = covariances[of], factors[of], precision[of]
    elif covariances.shape[-3] != k:
        covariances, factors, precision = (np.repeat(each, k, axis=-3) for each in (covariances, factors, precision))
    theta = np.empty((*means.shape[:-1], 1 + d + d * (d + 1) // 2))
    linear = np.matmul(precision, means[..., None])[..., 0]
    theta[..., 1 : 1 + d] = linear
    flat = precision.reshape(*precision.shape[:-2], d * d)
    np.multiply(flat.take(_flat_pairs(d), axis=-1), _factor(d), out=theta[..., 1 + d :])
    half = np.log(_diagonal(factors)) - 0.5 * linear * means
    np.subtract(np.add.reduce(half, axis=-1), 0.5 * d * LOG_2PI, out=theta[..., 0])
    concentrated = np.logical_not(np.add.reduce(np.abs(flat) * bounds.products, axis=-1) <= CANCELLATION)
    return GaussianParameters(means, covariances, factors, theta, concentrated)


def _factored(covariances: Array, bounds: Bounds | None) -> tuple[Array, Array, Array]:
    """The covariances, clamped if the floor binds, with inverse Cholesky factors and inverses."""
    if bounds is None:
        try:
            factors, precision = _inverted(covariances)
        except np.linalg.LinAlgError:
            covariances = clamp_definite(covariances)
            factors, precision = _inverted(covariances)
        return covariances, factors, precision
    try:
        with np.errstate(over="ignore", invalid="ignore"):  # of matrices that are hardly invertible: they are clamped
            factors, precision = _inverted(covariances)
    except np.linalg.LinAlgError:
        return _factored(clamp_full(covariances, bounds.floor), None)
    # the trace of the inverse in units of the floor is no less than the inverse of the smallest eigenvalue
    low = np.logical_not(np.add.reduce(_diagonal(precision) * bounds.variance, axis=-1) < 1)
    if np.logical_or.reduce(low, axis=None):
        own = covariances, factors, precision = covariances.copy(), factors, precision
        for array, held in zip(own, _factored(clamp_full(covariances[low], bounds.floor), None), strict=True):
            array[low] = held
    return covariances, factors, precision


def _inverted(covariances: Array) -> tuple[Array, Array]:
    factors = np.linalg.inv(np.linalg.cholesky(covariances))
    return factors, np.matmul(factors.swapaxes(-1, -2), factors)


def _diagonal(matrices: Array) -> Array:
    d = matrices.shape[-1]
    return matrices.reshape(*matrices.shape[:-2], d * d)[..., :: d + 1]


@lru_cache
def pairs(d: int) -> tuple[Integers, Integers]:
    """The columns i, j of the product features, in their order."""
    pairs = [(i, (i + s) % d) for s in range((d - 1) // 2 + 1) for i in range(d)]
    if d % 2 == 0:
        pairs += [(i, i + d // 2) for i in range(d // 2)]
    i, j = np.array(pairs, np.intp).T
    return i, j


@lru_cache
def _flat_pairs(d: int) -> Integers:
    i, j = pairs(d)
    return i * d + j


@lru_cache
def _factor(d: int) -> Array:
    """Of each product in the exponent: those of different columns stand for two."""
    i, j = pairs(d)
    return np.where(i == j, -0.5, -1.0)


@lru_cache
def square(d: int) -> Integers:
    """Where the product of columns i, j is among the product features (D, D)."""
    i, j = pairs(d)
    places = np.empty((d, d), np.intp)
    places[i, j] = places[j, i] = np.arange(len(i))
    return places
