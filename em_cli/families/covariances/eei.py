"""Columns are independent, with the same variances in all components."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.covariances.structure import Letters, pooled


@dataclass(frozen=True, slots=True)
class EEI:
    letters: ClassVar[Letters] = Letters(*"EEI")

    def constrain(self, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60) -> Array:
        variances = np.maximum(pooled(weight, scatter), floor**2)
        return np.repeat(variances, weight.shape[-1], axis=-2)
