"""Parameters of normal components, completed once with all that the E-step needs of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers

LOG_2PI = float(np.log(2 * np.pi))
CANCELLATION = 1e6  # of the expanded quadratic form; beyond it a component is evaluated about its mean


@dataclass(frozen=True, slots=True)
class GaussianParameters:
    """In the coordinates of the family; factors and natural parameters are made once, in the M-step."""

    means: Array  # (R, K, D)
    covariances: Array  # (R, K, D, D), or variances (R, K, D) of a diagonal structure
    factors: Array  # inverse Cholesky factors, or reciprocal standard deviations, of the same shape
    theta: Array  # (R, K, F) natural parameters
    tight: Flags  # (R, K) components that the expanded form would evaluate with loss


def completed(means: Array, covariances: Array, largest: Array, diagonal: bool) -> GaussianParameters:
    """Factors, natural parameters and the loss of the expanded form, for means (…, K, D), stacked or not.

    `largest` (D,) bounds the distance of the rows from the origin of the coordinates; `diagonal`
    says that the covariances are variances.
    """
    d = means.shape[-1]
    if diagonal:
        factors = 1 / np.sqrt(covariances)
        precision = factors**2
        linear, quadratic = precision * means, -0.5 * precision
        log_determinant = np.log(factors).sum(axis=-1)
    else:
        factors = np.linalg.inv(np.linalg.cholesky(covariances))
        precision = np.swapaxes(factors, -1, -2) @ factors
        linear = (precision @ means[..., None])[..., 0]
        i, j = pairs(d)
        quadratic = precision[..., i, j] * np.where(i == j, -0.5, -1.0)
        log_determinant = np.log(np.diagonal(factors, axis1=-2, axis2=-1)).sum(axis=-1)
    if not np.isfinite(largest).all():
        loss = np.full(means.shape[:-1], np.inf)
    elif diagonal:
        loss = precision @ largest**2
    else:
        loss = np.abs(precision) @ largest @ largest
    constant = log_determinant - 0.5 * (d * LOG_2PI + (linear * means).sum(axis=-1))
    theta = np.concatenate([constant[..., None], linear, quadratic], axis=-1)
    return GaussianParameters(means, covariances, factors, theta, ~(loss <= CANCELLATION))


@lru_cache
def pairs(d: int) -> tuple[Integers, Integers]:
    """The columns i, j of the product features, in their order."""
    pairs = [(i, (i + s) % d) for s in range((d - 1) // 2 + 1) for i in range(d)]
    if d % 2 == 0:
        pairs += [(i, i + d // 2) for i in range(d // 2)]
    i, j = np.array(pairs, np.intp).T
    return i, j
