"""Columns are independent; the ratios of their variances are the same in all components, the volumes their own."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners
from em_cli.families.covariances.structure import Letters, floors
from em_cli.families.covariances.volumes import alternated_shape, common_shape


@dataclass(frozen=True, slots=True)
class VEI:
    letters: ClassVar[Letters] = Letters(*"VEI")

    def constrain(
        self, owners: Owners, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60
    ) -> Array:
        unit, bound = floors(floor)
        if steps == 1:
            sizes = np.add.reduce((scatter if at is None else at) / unit, axis=-1)
            return alternated_shape(owners, weight, scatter / unit, sizes, bound) * unit
        sizes = None if at is None else np.add.reduce(at / unit, axis=-1)
        return owners.by_size(partial(common_shape, bound, steps), weight, scatter / unit, sizes) * unit
