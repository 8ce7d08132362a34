"""Volume and shape are common; the orientations are the components' own."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners
from em_cli.families.covariances.structure import Letters, composed, least


@dataclass(frozen=True, slots=True)
class EEV:
    letters: ClassVar[Letters] = Letters(*"EEV")

    def constrain(
        self, owners: Owners, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60
    ) -> Array:
        values, vectors = np.linalg.eigh(scatter)
        return composed(vectors, np.maximum(owners.mean(weight, values), least(floor))[owners.of])
