"""Parameters of t components, completed once with all that the E-step needs of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.gaussian.parameters import LOG_2PI, GaussianParameters
from em_cli.families.student_t.dof import log_constant


@dataclass(frozen=True, slots=True, weakref_slot=True)
class StudentTParameters:
    normal: GaussianParameters  # with the same location, and the scale matrix for covariance
    dof: Array  # (R, K)
    level: Array  # (R, K) log-density at the location
    theta: Array  # (R, K, F) of 1 + δ/ν, δ being the squared distance from the location


def of_normal(normal: GaussianParameters, dof: Array) -> StudentTParameters:
    """Completed; stacked or not."""
    d = normal.means.shape[-1]
    diagonal = normal.factors
    if diagonal.ndim > normal.means.ndim:
        diagonal = np.diagonal(diagonal, axis1=-2, axis2=-1)
    half = np.add.reduce(np.log(diagonal), axis=-1)
    theta = normal.theta * (-2 / dof)[..., None]
    theta[..., 0] += 1 + (2 * half - d * LOG_2PI) / dof
    return StudentTParameters(normal, dof, half + log_constant(dof, d), theta)


def spent(normal: GaussianParameters, scatter: Array) -> Array:
    """tr(Σ⁻¹S) (…, K) of scatters S, in the shapes of the covariances."""
    factors = normal.factors
    if factors.ndim == normal.means.ndim:
        total: Array = np.add.reduce(factors * factors * scatter, axis=-1)
        return total
    return np.asarray(np.add.reduce(np.matmul(factors, scatter) * factors, axis=(-2, -1)))
