"""Columns are independent given the component."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.covariances.structure import shaped


@dataclass(frozen=True, slots=True)
class Diagonal:
    diagonal: ClassVar[bool] = True
    common_scale: ClassVar[bool] = False
    shared: ClassVar[bool] = False
    bounded: ClassVar[bool] = False
    mclust: ClassVar[tuple[str, str]] = ("V", "VVI")

    def constrain(self, weight: Array, scatter: Array, floor: Array) -> Array:
        return np.maximum(scatter, floor**2)

    def n_parameters(self, n_components: int, n_columns: int) -> int:
        return n_components * n_columns

    def to_document(self, covariances: Array) -> Array:
        return np.diagonal(covariances, axis1=1, axis2=2)

    def from_document(self, values: Array, n_components: int, n_columns: int) -> Array:
        return shaped(values, (n_components, n_columns))[:, :, None] * np.eye(n_columns)
