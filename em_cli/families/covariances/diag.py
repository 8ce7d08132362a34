"""Columns are independent given the component (diag)."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners
from em_cli.families.covariances.structure import Letters


@dataclass(frozen=True, slots=True)
class Diagonal:
    letters: ClassVar[Letters] = Letters(*"VVI")

    def constrain(
        self, owners: Owners, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60
    ) -> Array:
        return np.maximum(scatter, floor**2)
