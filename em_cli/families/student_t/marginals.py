"""t components as they look where some columns are missing.

The marginal of the observed columns is a t distribution with the degrees of freedom of the whole, and so
is the conditional one of M missing columns, with ν + O of them where O are observed. With
v = ν/(ν + δ), of all columns, and u = ν/(ν + δₒ), of those observed,

    E v = u (ν + O)/(ν + D),
    E log v = log u + ψ((ν + O)/2) − ψ((ν + D)/2),
    E v (z − ẑ)(z − ẑ)ᵀ = ν/(ν + D) C,

given what is observed, C being the conditional scale matrix (Liu & Rubin 1995).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.cache import Recent
from em_cli.families.gaussian.conditional import Given
from em_cli.families.gaussian.marginals import Marginals
from em_cli.families.gaussian.parameters import LOG_2PI, GaussianParameters
from em_cli.families.student_t.dof import log_constant

_matrices = Recent[GaussianParameters]()


@dataclass(frozen=True, slots=True, eq=False)
class StudentTMarginals:
    """Of R × K components in P patterns of missing cells."""

    normal: Marginals  # with the scale matrices for covariances
    theta: Array  # (P, R, K, F) of 1 + δₒ/ν
    level: Array  # (P, R, K) log-density at the location
    power: Array  # (P, R, K) of 1 + δₒ/ν in the density
    share: Array  # (P, R, K) E v / u
    logs: Array  # (P, R, K) E log v − log u
    entropy: Array  # (P, R, K) of the missing cells, given the others, where these are at the location

    @property
    def size(self) -> int:
        return self.normal.size + self.theta.size


def student_t_marginals(made: Marginals, at: GaussianParameters, dof: Array) -> StudentTMarginals:
    """From those of the normal components `at`, whose covariances are the scale matrices."""
    from scipy.special import psi

    d = at.means.shape[-1]
    lacks = made.n_missing
    seen = d - lacks
    all_seen, none_seen = lacks == 0, seen == 0
    rest = made.entropy - 0.5 * lacks * (1 + LOG_2PI)  # half the log-determinant of C
    half = np.add.reduce(np.log(np.diagonal(at.factors, axis1=-2, axis2=-1)), axis=-1) + rest
    level = np.where(none_seen, 0.0, half + log_constant(dof, np.maximum(seen, 1.0)))
    theta = made.theta * (-2 / dof)[..., None]
    theta[..., 0] += np.where(none_seen, 1.0, 1 + (2 * half - seen * LOG_2PI) / dof)
    whole, given = dof + d, dof + seen
    logs = psi(0.5 * given) - psi(0.5 * whole)
    entropy = (
        rest + 0.5 * lacks * np.log(dof / given) - log_constant(given, np.maximum(lacks, 1.0)) - 0.5 * whole * logs
    )
    return StudentTMarginals(made, theta, level, -0.5 * given, given / whole, logs, np.where(all_seen, 0.0, entropy))


def of_matrices(normal: GaussianParameters) -> GaussianParameters:
    """The same components with a matrix each for covariance."""
    if normal.covariances.ndim > normal.means.ndim:
        return normal
    known = _matrices.of(normal)
    if known is not None:
        return known
    d = normal.means.shape[-1]
    one, products = np.eye(d), np.zeros((*normal.means.shape[:-1], d * (d + 1) // 2))
    products[..., :d] = -0.5 * normal.factors**2  # the squares are the first
    theta = np.concatenate([normal.theta[..., : 1 + d], products], axis=-1)
    made = replace(normal, covariances=normal.covariances[..., None] * one, factors=normal.factors[..., None] * one)
    return _matrices.keep(normal, replace(made, theta=theta), theta.size + 2 * made.factors.size)


def whitened_sums(given: Given, places: Integers, z: Array, weighed: Array, mass: Array) -> Array:
    """Expected Σ v (1, w)(1, w)ᵀ (T, 1 + D, 1 + D) of rows z (Q, D, m) of patterns, w being z where its component is
    standard.

    The rows have weights (Q, T, m), and what is missing of them has the mass (Q, T).
    """
    y, axes = given.whitened(places, z), given.axes[places]
    weighted, d = y * weighed[:, :, None], z.shape[1]
    sums = np.empty((*mass.shape, 1 + d, 1 + d))
    sums[..., 0, 0] = np.add.reduce(weighed, axis=-1)
    sums[..., 0, 1:] = sums[..., 1:, 0] = (axes @ np.add.reduce(weighted, axis=-1)[..., None])[..., 0]
    sums[..., 1:, 1:] = axes @ (weighted @ np.swapaxes(y, -1, -2)) @ np.swapaxes(axes, -1, -2)
    sums[..., 1:, 1:] += mass[..., None, None] * given.unknown(places)
    total: Array = np.add.reduce(sums, axis=0)
    return total
