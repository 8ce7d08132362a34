"""Parameters of factor analysers, completed once with all that the E-step needs of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.families.gaussian.parameters import CANCELLATION, LOG_2PI, Bounds


@dataclass(frozen=True, slots=True, weakref_slot=True)
class FactorParameters:
    """In the coordinates of the family; no matrix has as many as D² numbers."""

    means: Array  # (R, K, D)
    loadings: Array  # (R, K, D, Q) Λ
    noise: Array  # (R, K, D) variances Ψ, all the same if the noise is isotropic
    scores: Array  # (R, K, Q, D) β: the factors are expected to be β(z − μ)
    spread: Array  # (R, K, Q, Q) V, the covariance of the factors, given a row
    whitening: Array  # (R, K, Q, D) W with |W(z − μ)|² = (z − μ)ᵀ(Ψ⁻¹ − Σ⁻¹)(z − μ)
    theta: Array  # (R, K, 1 + 2D) natural parameters, but for what the factors add
    level: Array  # (R, K) log-density at the mean
    entropy: Array  # (R, K) ½ log|V|
    concentrated: Flags  # (R, K) components that the expanded form would evaluate with loss


def of_factors(means: Array, loadings: Array, noise: Array, bounds: Bounds) -> FactorParameters:
    """Completed, by the inversion lemma of Woodbury (1950); stacked or not."""
    d, q = loadings.shape[-2:]
    precision = 1 / noise
    projected = np.swapaxes(loadings, -1, -2) * precision[..., None, :]  # ΛᵀΨ⁻¹
    lower = np.linalg.cholesky(np.eye(q) + projected @ loadings)
    root = np.linalg.inv(lower)
    whitening = root @ projected
    half = np.add.reduce(np.log(np.diagonal(root, axis1=-2, axis2=-1)), axis=-1)
    level = half - 0.5 * (np.add.reduce(np.log(noise), axis=-1) + d * LOG_2PI)
    theta = np.concatenate([level[..., None], precision * means, -0.5 * precision], axis=-1)
    theta[..., 0] -= 0.5 * np.add.reduce(precision * means * means, axis=-1)
    back = np.swapaxes(root, -1, -2)
    loss = np.add.reduce(precision * bounds.squares, axis=-1)
    concentrated = np.logical_not(loss <= CANCELLATION)
    return FactorParameters(
        means, loadings, noise, back @ whitening, back @ root, whitening, theta, level, half, concentrated
    )
