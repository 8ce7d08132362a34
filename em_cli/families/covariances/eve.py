"""Volume and orientation are common; the shapes are the components' own."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.owners import Owners
from em_cli.families.covariances.orientation import Rule, common_axes
from em_cli.families.covariances.spectra import common_volume
from em_cli.families.covariances.structure import Letters, least


@dataclass(frozen=True, slots=True)
class EVE:
    letters: ClassVar[Letters] = Letters(*"EVE")

    def constrain(
        self, owners: Owners, weight: Array, scatter: Array, floor: Array, at: Array | None = None, steps: int = 60
    ) -> Array:
        bound = least(floor)

        def best(owners: Owners, share: Array, along: Array) -> Array:
            return common_volume(owners, share, along, bound)

        return common_axes(owners, weight, scatter, at, Rule(best, answer), steps)


def answer(share: Array, ratio: Array, change: Array) -> Array:
    """Each variance v = μ_k s above the bound follows its scatter; the volume is that at which Σ π_k / μ_k = 1."""
    by = np.minimum.reduce(ratio, axis=-1, keepdims=True)
    free = ratio <= by * (1 + 1e-9)
    follows = np.where(free, by * change, 0.0)
    count = np.add.reduce(free, axis=-1, keepdims=True)
    mean, part = np.add.reduce(follows, axis=-1, keepdims=True) / count, share[..., None] / by
    volume = np.add.reduce(part * mean, axis=-2, keepdims=True) / np.add.reduce(part / count, axis=-2, keepdims=True)
    return np.where(free, follows + volume / count - mean, 0.0)
