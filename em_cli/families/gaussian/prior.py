"""A weak prior for the covariances: it has a spread and no place.

One pseudo-observation for each component, scattered about its own mean as the data are about theirs, less widely
the more components there are: S / K^(2/D), cf. Fraley & Raftery (2007). It moves no mean, and keeps a component
from collapsing. Where the data themselves have no width in some direction, their rows being too few or columns being
copies, its columns are independent.
"""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.columns import Columns
from em_cli.families.covariances.structure import Letters
from em_cli.families.gaussian.parameters import GaussianParameters, pairs

OWN = 1.5  # times the variance of rounding; along what all data vary by no more, a component may be as narrow


def scatter(columns: Columns, scale: Array, n_components: int, diagonal: bool) -> Array:
    """(D, D) of the pseudo-observation, in coordinates of this scale, or its diagonal (D,)."""
    narrower = n_components ** (2 / len(scale))
    if diagonal:
        variances: Array = columns.joint.variances / (scale * scale) / narrower
        return variances
    scattered: Array = columns.covariance / np.outer(scale, scale) / narrower
    return scattered if _has_width(columns) else np.diag(np.diagonal(scattered))


def _has_width(columns: Columns) -> bool:
    """Whether the data vary in every direction by more than rounding makes them."""
    rounding = np.maximum(columns.resolution, 1e-300) / np.sqrt(12)
    try:
        np.linalg.cholesky(columns.covariance / np.outer(rounding, rounding) - OWN * np.eye(len(rounding)))
    except np.linalg.LinAlgError:
        return False
    return True


def penalty_statistics(spread: Array, letters: Letters, parameters: GaussianParameters, plain: bool) -> Array:
    """(…, K, S) of pseudo-observations with this scatter (D, D), or (D,) if diagonal, in the features of complete data.

    Those of concentrated components are in whitened coordinates, unless `plain`.
    """
    factors = parameters.factors
    concentrated = np.zeros_like(parameters.concentrated) if plain else parameters.concentrated
    means = np.where(concentrated[..., None], 0.0, parameters.means)
    if letters.diagonal:
        products = np.where(concentrated[..., None], factors * spread * factors, spread) + means * means
        products = products.sum(axis=-1, keepdims=True) if letters.isotropic else products
    else:
        about = np.where(concentrated[..., None, None], factors @ spread @ factors.swapaxes(-1, -2), spread)
        i, j = pairs(len(spread))
        products = (about + means[..., :, None] * means[..., None, :])[..., i, j]
    return np.concatenate([np.ones((*means.shape[:-1], 1)), means, products], axis=-1)
