"""Shape and orientation are common; the volumes are the components' own."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.covariances.structure import Letters, floors
from em_cli.families.covariances.volumes import common_form


@dataclass(frozen=True, slots=True)
class VEE:
    letters: ClassVar[Letters] = Letters(*"VEE")

    def constrain(self, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60) -> Array:
        unit, bound = floors(floor)
        product = np.sqrt(np.outer(unit, unit))
        sizes = None if at is None else np.trace(at / product, axis1=-2, axis2=-1)
        return common_form(weight, scatter / product, bound, sizes, steps) * product
