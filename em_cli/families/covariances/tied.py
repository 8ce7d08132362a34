"""All components have the same covariance (tied)."""

from dataclasses import dataclass
from typing import ClassVar

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners
from em_cli.families.covariances.structure import Letters


@dataclass(frozen=True, slots=True)
class Tied:
    letters: ClassVar[Letters] = Letters(*"EEE")

    def constrain(
        self, owners: Owners, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60
    ) -> Array:
        return owners.mean(weight, scatter)
