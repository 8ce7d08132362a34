"""What a covariance structure is, and what the full and the diagonal ones share."""

from __future__ import annotations

from typing import ClassVar, Protocol

import numpy as np

from em_cli.engine.arrays import Array


class CovarianceStructure(Protocol):
    """Constraints on the covariances of K components; a diagonal one handles them as (…, K, D) variances."""

    diagonal: ClassVar[bool]
    common_scale: ClassVar[bool]  # columns may not be rescaled one by one
    shared: ClassVar[bool]  # all components have the same covariance
    bounded: ClassVar[bool]  # the likelihood is bounded: no component can collapse alone
    mclust: ClassVar[tuple[str, str]]  # its name there, in one dimension and in more

    def constrain(self, weight: Array, scatter: Array, floor: Array) -> Array:
        """Maximum-likelihood covariances, given the weight (…, K) and own covariance of each component.

        Variances, which all columns may have in common (…, K, 1), are held at floor² (D,) at
        least; matrices, which all components may have in common (…, 1, D, D), are clamped by the caller.
        """

    def n_parameters(self, n_components: int, n_columns: int) -> int: ...

    def to_document(self, covariances: Array) -> Array:
        """The covariances (K, D, D) in scikit-learn's shape for this type."""

    def from_document(self, values: Array, n_components: int, n_columns: int) -> Array:
        """The inverse, (K, D, D); `ValueError` if the shape is wrong."""


def clamp_full(covariances: Array, floor: Array) -> Array:
    """Exact maximum under Σ ⪰ diag(floor²): eigenvalues, taken relative to the floor, are raised to one."""
    if not (floor > 0).all():
        return covariances
    unit = np.outer(floor, floor)
    relative = covariances / unit
    try:
        np.linalg.cholesky(relative - np.eye(len(floor)))
        return covariances
    except np.linalg.LinAlgError:
        values, vectors = np.linalg.eigh(relative)
    low = values[..., 0] < 1
    raised = (vectors * np.maximum(values, 1.0)[..., None, :]) @ np.swapaxes(vectors, -1, -2)
    raised = 0.5 * (raised + np.swapaxes(raised, -1, -2))
    clamped: Array = np.where(low[..., None, None], raised * unit, covariances)
    return clamped


def shaped(values: Array, shape: tuple[int, ...]) -> Array:
    if values.shape != shape:
        raise ValueError(f"its shape is {list(values.shape)}, not {list(shape)}")
    return values
