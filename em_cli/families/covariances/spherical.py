"""Each component has one variance, the same in every column and direction (spherical)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners
from em_cli.families.covariances.structure import Letters


@dataclass(frozen=True, slots=True)
class Spherical:
    letters: ClassVar[Letters] = Letters(*"VII")

    def constrain(
        self, owners: Owners, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60
    ) -> Array:
        variance = np.maximum(scatter.mean(axis=-1, keepdims=True), (floor**2).max())
        return np.repeat(variance, len(floor), axis=-1)
