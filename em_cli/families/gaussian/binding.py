"""Normal components made ready for complete data: their coordinates, and how narrow they may be."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_cli.engine.columns import Columns
from em_cli.errors import UsageError
from em_cli.families.covariances import COVARIANCES
from em_cli.families.covariances.structure import RESOLVED
from em_cli.families.gaussian.gaussian import BoundGaussian
from em_cli.families.gaussian.parameters import bounds_of


def bound_gaussian(covariance: str, columns: Columns, means: Sequence[Sequence[float]] | None = None) -> BoundGaussian:
    """The family of complete data; means (K, D), in the user's units, if they are fixed."""
    structure = COVARIANCES.make(covariance)
    scale = columns.unit
    if structure.letters.common_scale:
        scale = np.full_like(scale, np.sqrt(np.mean(scale**2)))
    floor = columns.resolution / np.sqrt(12) / scale  # the standard deviation of rounding
    if structure.letters.rotated:
        floor = np.where(floor > 0, np.maximum(floor, RESOLVED), 0.0)
    fixed = None
    if means is not None:
        given = np.array(means, np.float64)
        if given.shape[1] != len(scale):
            raise UsageError(f"means must hold a list of {len(scale)} numbers for each component.")
        fixed = (given - columns.mean) / scale
    return BoundGaussian(covariance, structure, columns, scale, bounds_of(floor, columns.largest / scale), fixed)
