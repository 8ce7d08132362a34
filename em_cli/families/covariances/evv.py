"""The components have the same volume; shapes and orientations are their own."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners
from em_cli.families.covariances.spectra import common_volume
from em_cli.families.covariances.structure import Letters, composed, floors


@dataclass(frozen=True, slots=True)
class EVV:
    letters: ClassVar[Letters] = Letters(*"EVV")

    def constrain(
        self, owners: Owners, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60
    ) -> Array:
        unit, bound = floors(floor)
        product = np.sqrt(np.outer(unit, unit))
        values, vectors = np.linalg.eigh(scatter / product)
        return composed(vectors, common_volume(owners, weight, values, bound)) * product
