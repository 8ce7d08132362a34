"""All components have the same one variance, in every column and direction."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners
from em_cli.families.covariances.structure import Letters


@dataclass(frozen=True, slots=True)
class EII:
    letters: ClassVar[Letters] = Letters(*"EII")

    def constrain(
        self, owners: Owners, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60
    ) -> Array:
        variance = np.maximum(owners.mean(weight, scatter).mean(axis=-1, keepdims=True), (floor**2).max())
        return np.repeat(variance, len(floor), axis=-1)[owners.of]
