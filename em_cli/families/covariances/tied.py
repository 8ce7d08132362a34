"""All components have the same covariance (tied)."""

from dataclasses import dataclass
from typing import ClassVar

from em_cli.engine.arrays import Array
from em_cli.families.covariances.structure import Letters, pooled


@dataclass(frozen=True, slots=True)
class Tied:
    letters: ClassVar[Letters] = Letters(*"EEE")

    def constrain(self, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60) -> Array:
        return pooled(weight, scatter)
