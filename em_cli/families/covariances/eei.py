"""Columns are independent, with the same variances in all components."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners
from em_cli.families.covariances.structure import Letters


@dataclass(frozen=True, slots=True)
class EEI:
    letters: ClassVar[Letters] = Letters(*"EEI")

    def constrain(
        self, owners: Owners, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60
    ) -> Array:
        variances: Array = np.maximum(owners.mean(weight, scatter), floor**2)
        return variances[owners.of]
