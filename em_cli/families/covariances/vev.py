"""The shape is common; volumes and orientations are the components' own."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners
from em_cli.families.covariances.structure import Letters, composed, least
from em_cli.families.covariances.volumes import alternated_shape, common_shape


@dataclass(frozen=True, slots=True)
class VEV:
    letters: ClassVar[Letters] = Letters(*"VEV")

    def constrain(
        self, owners: Owners, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60
    ) -> Array:
        values, vectors = np.linalg.eigh(scatter)
        bound = least(floor)
        unit = bound or 1.0
        if steps == 1:
            sizes = np.trace(scatter if at is None else at, axis1=-2, axis2=-1) / unit
            variances = alternated_shape(owners, weight, values / unit, sizes, bound / unit)
        else:
            known = None if at is None else np.trace(at, axis1=-2, axis2=-1) / unit
            variances = owners.by_size(partial(common_shape, bound / unit, steps), weight, values / unit, known)
        return composed(vectors, variances * unit)
