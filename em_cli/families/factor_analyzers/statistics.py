"""Statistics of factor analysers: those of diagonal Gaussians, and what the factors are expected to be.

The origin of the rows is that of the coordinates, or the mean of a concentrated component.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array
from em_cli.families.factor_analyzers.parameters import FactorParameters
from em_cli.families.gaussian.parameters import LOG_2PI

TINY = float(np.finfo(float).tiny)
ROUNDING = 64 * float(np.finfo(float).eps)  # of second moments: keeps the covariance of the factors invertible


@dataclass(frozen=True, slots=True)
class FactorMoments:
    """Averages over rows; second moments are about the means of rows and factors."""

    weight: Array  # (…,)
    mean: Array  # (…, D) of the rows, from their origin
    variances: Array  # (…, D) of the rows
    cross: Array  # (…, Q, D) of factors and rows
    factors: Array  # (…, Q) mean of the factors
    products: Array  # (…, Q, Q) covariance of the factors
    entropy: Array  # (…,) of the factors, up to a constant


def packed(features: Array, responsibilities: Array, at: FactorParameters) -> Array:
    """(R, K, S) expected at these parameters; features are 1, z and z²."""
    sums = exponential_family.statistics(features, responsibilities)
    r, k, q, d = at.scores.shape
    z, n = features[1 : 1 + d], features.shape[1]
    scores = np.matmul(at.scores.reshape(r, k * q, d), z).reshape(r, k, q, n)
    scores -= (at.scores @ at.means[..., None]) * np.ones(n)
    for i, j in zip(*np.nonzero(at.concentrated), strict=True):
        centred = z - at.means[i, j][:, None]
        scores[i, j] = at.scores[i, j] @ centred
        sums[i, j, 1 : 1 + d] = centred @ responsibilities[i, j]
        sums[i, j, 1 + d :] = np.square(centred) @ responsibilities[i, j]
    weighed = scores * responsibilities[..., None, :]
    cross = np.matmul(weighed.reshape(r, k * q, n), z.T).reshape(r, k, q, d)
    for i, j in zip(*np.nonzero(at.concentrated), strict=True):
        cross[i, j] = weighed[i, j] @ (z - at.means[i, j][:, None]).T
    weight = sums[..., 0]
    products = weighed @ np.swapaxes(scores, -1, -2) + weight[..., None, None] * at.spread
    return side_by_side(sums, cross, np.add.reduce(weighed, axis=-1), products, weight * at.entropy)


def side_by_side(sums: Array, cross: Array, factors: Array, products: Array, entropy: Array) -> Array:
    """Sums of 1, z and z²; of products (…, Q, D) of factors and rows; of factors and their products; the entropy."""
    stack = entropy.shape
    parts = sums, cross.reshape(*stack, -1), factors, products.reshape(*stack, -1), entropy[..., None]
    return np.concatenate(parts, axis=-1)


def of_scatter(scatter: Array, at: FactorParameters) -> Array:
    """(…, K, S) expected at these parameters, of one row in each component, scattered (D, D) about its mean."""
    origin = np.where(at.concentrated[..., None], 0.0, at.means)
    one = np.ones_like(at.level)
    sums = [one[..., None], origin, np.diagonal(scatter) + origin * origin]
    cross = at.scores @ scatter
    products = cross @ np.swapaxes(at.scores, -1, -2) + at.spread
    return side_by_side(np.concatenate(sums, axis=-1), cross, np.zeros_like(cross[..., 0]), products, at.entropy)


def averages(statistics: Array, d: int, q: int) -> FactorMoments:
    """Moments of rows (d columns) and factors (q) in each component, from their sums (…, S)."""
    stack, weight = statistics.shape[:-1], np.maximum(statistics[..., 0], TINY)
    parts = np.split(statistics[..., 1:] / weight[..., None], np.cumsum([d, d, q * d, q, q * q]), axis=-1)
    mean, squares, cross, factors, products, entropy = parts
    products = products.reshape(*stack, q, q)
    rounding = ROUNDING * np.trace(products, axis1=-2, axis2=-1)[..., None, None] * np.eye(q)
    products = products - factors[..., :, None] * factors[..., None, :] + rounding
    empty = statistics[..., 0] <= TINY
    return FactorMoments(
        weight,
        mean,
        np.maximum(squares - mean * mean, 0.0),
        cross.reshape(*stack, q, d) - factors[..., :, None] * mean[..., None, :],
        factors,
        np.where(empty[..., None, None], np.eye(q), products),
        entropy[..., 0],
    )


def bound(m: FactorMoments, at: FactorParameters) -> Array:
    """Expected log-density (…,) of a row and its factors, with the entropy of these."""
    q, d = m.cross.shape[-2:]
    away = m.mean - at.means - np.einsum("...dq,...q->...d", at.loadings, m.factors)
    fitted = at.loadings @ m.products
    residual = m.variances + away * away - 2 * np.einsum("...dq,...qd->...d", at.loadings, m.cross)
    residual += np.einsum("...dq,...dq->...d", fitted, at.loadings)
    logs = np.add.reduce(np.log(at.noise) + residual / at.noise, axis=-1) + d * LOG_2PI
    wide = np.trace(m.products, axis1=-2, axis2=-1) + np.add.reduce(m.factors**2, axis=-1) - q
    bound: Array = m.entropy - 0.5 * (logs + wide)
    return bound


def standardized(m: FactorMoments) -> FactorMoments:
    """The same for factors whose mean is zero and whose covariance is the identity."""
    lower = np.linalg.cholesky(m.products)
    half = np.add.reduce(np.log(np.diagonal(lower, axis1=-2, axis2=-1)), axis=-1)
    return replace(
        m,
        cross=np.linalg.solve(lower, m.cross),
        factors=np.zeros_like(m.factors),
        products=np.broadcast_to(np.eye(lower.shape[-1]), lower.shape),
        entropy=m.entropy - half,
    )
