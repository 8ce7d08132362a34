"""The conjugate priors of normal components: Normal–Wishart, and Normal–gamma where columns are independent.

With precision Λ = Σ⁻¹ the mean is normal about m with covariance (βΛ)⁻¹, and Λ is Wishart with ν degrees of freedom
and inverse scale matrix S. Of a diagonal structure the precision of each column has such a law in one dimension, which
is a gamma distribution; of a spherical one the one precision has; of a tied one all components share a Wishart matrix.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.covariances.structure import Letters


@dataclass(frozen=True, slots=True)
class NormalWishart:
    """Of K components, in coordinates of the family; the same numbers in all of them where they share them."""

    mean_precision: Array  # (…, K) β
    means: Array  # (…, K, D) m
    dof: Array  # (…, K) ν
    scales: Array  # (…, K, D, D) S, or (…, K, D) of a diagonal structure


def posterior_of(prior: NormalWishart, letters: Letters, weight: Array, means: Array, scatter: Array) -> NormalWishart:
    """From the weight (…, K) of each component, the mean (…, K, D) of its rows, and their covariance as a Gaussian's.

    The prior has no leading axes, and one component.
    """
    d = means.shape[-1]
    precision = prior.mean_precision + weight
    shift = means - prior.means
    centre = prior.means + (weight / precision)[..., None] * shift
    pull, rows = prior.mean_precision * weight / precision, weight
    if letters.diagonal:
        sums = weight[..., None] * scatter
        pulled = pull[..., None] * shift * shift
        if letters.isotropic:
            sums, pulled, rows = d * sums, np.add.reduce(pulled, axis=-1, keepdims=True), d * weight
        sums = np.broadcast_to(sums + pulled, means.shape)
    else:
        outer = shift[..., :, None] * shift[..., None, :]
        sums = weight[..., None, None] * scatter + pull[..., None, None] * outer
    if letters.shared:
        sums = np.broadcast_to(np.add.reduce(sums, axis=-3, keepdims=True), sums.shape)
        rows = np.broadcast_to(np.add.reduce(weight, axis=-1, keepdims=True), weight.shape)
    return NormalWishart(precision, centre, prior.dof + rows, prior.scales + sums)


def covariances(at: NormalWishart, letters: Letters) -> Array:
    """Inverses of the expected precisions, in the shapes in which a Gaussian is completed with them."""
    found: Array = at.scales / at.dof.reshape(*at.dof.shape, *(1,) * (at.scales.ndim - at.dof.ndim))
    return found[..., :1, :, :] if letters.shared else found


def modes(at: NormalWishart, letters: Letters) -> Array:
    """Covariances of highest density together with their means, in the same shapes."""
    k, d = at.means.shape[-2:]
    more = (2 + d if letters.isotropic else 3) if letters.diagonal else d + 1 + (k if letters.shared else 1)
    wide = at.dof + more
    found: Array = at.scales / wide.reshape(*wide.shape, *(1,) * (at.scales.ndim - wide.ndim))
    return found[..., :1, :, :] if letters.shared else found


def log_density(prior: NormalWishart, letters: Letters, means: Array, factors: Array) -> Array:
    """(…, K) of means and covariances, whose inverse Cholesky factors are these; of one that is shared equal parts."""
    k, d = means.shape[-2:]
    shift, dof, strength = means - prior.means, float(prior.dof[0]), float(prior.mean_precision[0])
    if letters.diagonal:
        side, laws = 1, 1 if letters.isotropic else d
        log_precision = 2 * np.add.reduce(np.log(factors), axis=-1)
        away = np.add.reduce((factors * shift) ** 2, axis=-1)
        trace = np.add.reduce(factors * factors * prior.scales, axis=-1) * laws / d
        log_scale = float(np.log(prior.scales[0]).sum()) * laws / d
    else:
        side, laws = d, 1
        log_precision = 2 * np.add.reduce(np.log(np.diagonal(factors, axis1=-2, axis2=-1)), axis=-1)
        away = np.add.reduce((factors @ shift[..., None])[..., 0] ** 2, axis=-1)
        trace = np.add.reduce((factors @ np.linalg.cholesky(prior.scales)) ** 2, axis=(-2, -1))
        log_scale = float(np.linalg.slogdet(prior.scales[0])[1])
    of_means = 0.5 * (d * np.log(strength / (2 * np.pi)) + log_precision - strength * away)
    gammas = float(_log_gamma(prior.dof / 2, side)[0]) + 0.25 * side * (side - 1) * np.log(np.pi)
    constant = 0.5 * dof * log_scale - laws * (0.5 * dof * side * np.log(2) + gammas)
    of_laws = log_precision * laws / d if letters.diagonal else log_precision
    own = constant + 0.5 * (dof + side + 1) * of_laws - 0.5 * trace
    return np.asarray(of_means + (own / k if letters.shared else own))


def offset(at: NormalWishart, letters: Letters) -> Array:
    """(…, K) what makes of the log-density at mean and covariance the expected one."""
    d = at.means.shape[-1]
    side, times = (1, d) if letters.diagonal else (d, 1)
    log_determinant = times * (_digamma(at.dof / 2, side) - side * np.log(at.dof / 2))
    return np.asarray(0.5 * (log_determinant - d / at.mean_precision))


def divergence(at: NormalWishart, prior: NormalWishart, letters: Letters) -> Array:
    """(…, K) nats from the prior (Kullback–Leibler); of a precision that is shared each bears an equal part."""
    of_means = _of_means(at, prior, letters)
    side, laws, log_ratio, trace = _compared(at, prior, letters)
    gammas = _log_gamma(prior.dof / 2, side) - _log_gamma(at.dof / 2, side)
    gammas = gammas + 0.5 * (at.dof - prior.dof) * _digamma(at.dof / 2, side)
    of_precisions = laws * (gammas - 0.5 * side * at.dof) + 0.5 * (prior.dof * log_ratio + trace)
    return np.asarray(of_means + (of_precisions / at.dof.shape[-1] if letters.shared else of_precisions))


def _of_means(at: NormalWishart, prior: NormalWishart, letters: Letters) -> Array:
    """(…, K) of the means given the precisions, expected."""
    shift, ratio = at.means - prior.means, prior.mean_precision / at.mean_precision
    if letters.diagonal:
        away = np.add.reduce(shift * shift / at.scales, axis=-1)
    else:
        away = np.einsum("...i,...i->...", shift, np.linalg.solve(at.scales, shift[..., None])[..., 0])
    d = shift.shape[-1]
    return np.asarray(0.5 * (d * (ratio - 1 - np.log(ratio)) + prior.mean_precision * at.dof * away))


def _compared(at: NormalWishart, prior: NormalWishart, letters: Letters) -> tuple[int, int, Array, Array]:
    """The side of the Wishart matrices, how many a component has, and Σ log |S|/|S₀| and ν Σ tr(S₀S⁻¹) of them."""
    d = at.means.shape[-1]
    if letters.diagonal:
        ratio = at.scales / prior.scales
        log_ratio, trace = np.add.reduce(np.log(ratio), axis=-1), np.add.reduce(1 / ratio, axis=-1)
        laws = 1 if letters.isotropic else d
        return 1, laws, log_ratio * laws / d, at.dof * trace * laws / d
    factor = np.linalg.inv(np.linalg.cholesky(at.scales))
    log_ratio = -2 * np.add.reduce(np.log(np.diagonal(factor, axis1=-2, axis2=-1)), axis=-1)
    log_ratio = log_ratio - np.linalg.slogdet(prior.scales)[1]
    root = np.linalg.cholesky(prior.scales)
    return d, 1, log_ratio, at.dof * np.add.reduce((factor @ root) ** 2, axis=(-2, -1))


def _digamma(half: Array, side: int) -> Array:
    """Σ ψ(a − i/2), the derivative of the multivariate log-gamma function."""
    from scipy.special import digamma

    return np.asarray(np.add.reduce(digamma(half[..., None] - np.arange(side) / 2), axis=-1))


def _log_gamma(half: Array, side: int) -> Array:
    """The multivariate log-gamma function, less a constant of the side alone."""
    from scipy.special import gammaln

    return np.asarray(np.add.reduce(gammaln(half[..., None] - np.arange(side) / 2), axis=-1))
