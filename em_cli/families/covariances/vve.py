"""The orientation is common; volumes and shapes are the components' own."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners
from em_cli.families.covariances.orientation import Rule, common_axes
from em_cli.families.covariances.structure import Letters, least


@dataclass(frozen=True, slots=True)
class VVE:
    letters: ClassVar[Letters] = Letters(*"VVE")

    def constrain(
        self, owners: Owners, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60
    ) -> Array:
        bound = least(floor)

        def best(owners: Owners, share: Array, along: Array) -> Array:
            return np.maximum(along, bound)

        return common_axes(owners, weight, scatter, at, Rule(best, answer), steps)


def answer(share: Array, ratio: Array, change: Array) -> Array:
    """Each variance above the bound follows its scatter."""
    return np.where(ratio <= 1, change, 0.0)
