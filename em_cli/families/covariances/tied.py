"""All components have the same covariance."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.covariances.structure import shaped


@dataclass(frozen=True, slots=True)
class Tied:
    diagonal: ClassVar[bool] = False
    common_scale: ClassVar[bool] = False
    shared: ClassVar[bool] = True
    bounded: ClassVar[bool] = True
    mclust: ClassVar[tuple[str, str]] = ("E", "EEE")

    def constrain(self, weight: Array, scatter: Array, floor: Array) -> Array:
        share = weight / weight.sum(axis=-1, keepdims=True)
        pooled: Array = np.add.reduce(share[..., None, None] * scatter, axis=-3, keepdims=True)
        return pooled

    def n_parameters(self, n_components: int, n_columns: int) -> int:
        return n_columns * (n_columns + 1) // 2

    def to_document(self, covariances: Array) -> Array:
        one: Array = covariances[0]
        return one

    def from_document(self, values: Array, n_components: int, n_columns: int) -> Array:
        return np.repeat(shaped(values, (n_columns, n_columns))[None], n_components, axis=0)
