"""Columns are independent; the components have the same volume, and shapes of their own."""

from dataclasses import dataclass
from typing import ClassVar

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners
from em_cli.families.covariances.spectra import common_volume
from em_cli.families.covariances.structure import Letters, floors


@dataclass(frozen=True, slots=True)
class EVI:
    letters: ClassVar[Letters] = Letters(*"EVI")

    def constrain(
        self, owners: Owners, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60
    ) -> Array:
        unit, bound = floors(floor)
        return common_volume(owners, weight, scatter / unit, bound) * unit
