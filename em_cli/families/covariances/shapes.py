"""The shapes in which documents hold covariances.

Under the names that scikit-learn has for a type, its shape for that type; under others, a matrix
for each component.
"""

import numpy as np

from em_cli.engine.arrays import Array


def to_shape(covariances: Array, name: str) -> Array:
    """The covariances (K, D, D) in the shape that goes with the name."""
    if name == "tied":
        one: Array = covariances[0]
        return one
    if name == "diag":
        return np.diagonal(covariances, axis1=1, axis2=2)
    if name == "spherical":
        first: Array = covariances[:, 0, 0]
        return first
    return covariances


def from_shape(values: Array, name: str, n_components: int, n_columns: int) -> Array:
    """The inverse, (K, D, D); `ValueError` if the shape is wrong."""
    k, d = n_components, n_columns
    shape = {"tied": (d, d), "diag": (k, d), "spherical": (k,)}.get(name, (k, d, d))
    if values.shape != shape:
        raise ValueError(f"its shape is {list(values.shape)}, not {list(shape)}")
    if name == "tied":
        return np.repeat(values[None], k, axis=0)
    if name in ("diag", "spherical"):
        return values.reshape(k, -1, 1) * np.eye(d)
    return values


def of_variances(variances: Array, name: str) -> Array:
    """Variances (K, D) of a diagonal structure in the shape that goes with the name."""
    if name == "diag":
        return variances
    if name == "spherical":
        first: Array = variances[:, 0]
        return first
    return to_shape(variances[..., None] * np.eye(variances.shape[1]), name)


def to_variances(values: Array, name: str, n_components: int, n_columns: int) -> Array | None:
    """The inverse, (K, D); None under a name that has matrices; `ValueError` if the shape is wrong."""
    k, d = n_components, n_columns
    shape = {"diag": (k, d), "spherical": (k,)}.get(name)
    if shape is None:
        return None
    if values.shape != shape:
        raise ValueError(f"its shape is {list(values.shape)}, not {list(shape)}")
    return np.broadcast_to(values.reshape(k, -1), (k, d))
