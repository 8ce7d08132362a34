"""Each component has one variance, the same in every column and direction."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.covariances.structure import shaped


@dataclass(frozen=True, slots=True)
class Spherical:
    diagonal: ClassVar[bool] = True
    common_scale: ClassVar[bool] = True
    shared: ClassVar[bool] = False
    bounded: ClassVar[bool] = False
    mclust: ClassVar[tuple[str, str]] = ("V", "VII")

    def constrain(self, weight: Array, scatter: Array, floor: Array) -> Array:
        variance = np.maximum(scatter.mean(axis=-1, keepdims=True), (floor**2).max())
        return np.repeat(variance, len(floor), axis=-1)

    def n_parameters(self, n_components: int, n_columns: int) -> int:
        return n_components

    def to_document(self, covariances: Array) -> Array:
        first: Array = covariances[:, 0, 0]
        return first

    def from_document(self, values: Array, n_components: int, n_columns: int) -> Array:
        return shaped(values, (n_components,))[:, None, None] * np.eye(n_columns)
