"""Shape and orientation are common; the volumes are the components' own."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners
from em_cli.families.covariances.structure import Letters, floors
from em_cli.families.covariances.volumes import alternated_form, common_form


@dataclass(frozen=True, slots=True)
class VEE:
    letters: ClassVar[Letters] = Letters(*"VEE")

    def constrain(
        self, owners: Owners, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60
    ) -> Array:
        unit, bound = floors(floor)
        product = np.sqrt(np.outer(unit, unit))
        if steps == 1:
            begin = scatter if at is None else at
            sizes = np.trace(begin / product, axis1=-2, axis2=-1)
            return alternated_form(owners, weight, scatter / product, sizes, bound) * product
        sizes = None if at is None else np.trace(at / product, axis1=-2, axis2=-1)
        return owners.by_size(partial(common_form, bound, steps), weight, scatter / product, sizes) * product
