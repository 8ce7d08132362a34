"""Each component has a covariance of its own (full)."""

from dataclasses import dataclass
from typing import ClassVar

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners
from em_cli.families.covariances.structure import Letters


@dataclass(frozen=True, slots=True)
class Full:
    letters: ClassVar[Letters] = Letters(*"VVV")

    def constrain(
        self, owners: Owners, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60
    ) -> Array:
        return scatter
