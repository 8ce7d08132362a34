"""Covariances as documents hold them, in the user's units."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.documents import LARGEST, finite
from em_cli.errors import DataError
from em_cli.families.covariances.shapes import from_shape, to_variances
from em_cli.families.covariances.structure import CovarianceStructure, constrained

SLACK = 1e-6  # of a standard deviation squared, by which covariances in a document may miss their structure


def covariances_of(
    document: Mapping[str, object], name: str, covariance: str, structure: CovarianceStructure, scale: Array, k: int
) -> Array:
    """Those of K components in coordinates of this scale (D,), in the shapes of the structure.

    `DataError` says what is wrong with the field of that name.
    """
    d, letters = len(scale), structure.letters
    try:
        values = finite(document, name)
        variances = to_variances(values, covariance, k, d)
        if variances is not None:
            return _variances(variances, name, scale)
        covariances = from_shape(values, covariance, k, d)
    except ValueError as error:
        raise DataError(f"the field {name!r} does not fit {covariance!r}: {error}.") from None
    if not np.allclose(covariances, np.swapaxes(covariances, -1, -2), rtol=1e-9, atol=0):
        raise DataError(f"the field {name!r} holds a matrix that is not symmetric.")
    if not (np.diagonal(covariances, axis1=1, axis2=2) >= 1 / LARGEST).all():
        raise DataError(f"the field {name!r} holds a matrix that is not positive definite.")
    covariances = covariances / np.outer(scale, scale)
    try:
        np.linalg.cholesky(covariances)
    except np.linalg.LinAlgError:
        raise DataError(f"the field {name!r} holds a matrix that is not positive definite.") from None
    variances = np.diagonal(covariances, axis1=1, axis2=2)
    own = variances if letters.diagonal else covariances
    if letters.diagonal or letters.shared:
        nearest = constrained(structure, np.ones(k), own, np.zeros(d))
        nearest = nearest[..., None] * np.eye(d) if letters.diagonal else nearest
        unit = np.sqrt(variances[:, :, None] * variances[:, None, :])
        if (np.abs(covariances - nearest) > SLACK * unit).any():
            raise DataError(f"the field {name!r} holds what is not of the structure {covariance!r}.")
    return own


def _variances(variances: Array, name: str, scale: Array) -> Array:
    """The same of variances alone (K, D), which any diagonal structure of that shape may have."""
    if not (variances >= 1 / LARGEST).all():
        raise DataError(f"the field {name!r} holds a matrix that is not positive definite.")
    own: Array = variances / (scale * scale)
    return own
