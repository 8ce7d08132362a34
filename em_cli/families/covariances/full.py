"""Each component has a covariance of its own."""

from dataclasses import dataclass
from typing import ClassVar

from em_cli.engine.arrays import Array
from em_cli.families.covariances.structure import shaped


@dataclass(frozen=True, slots=True)
class Full:
    diagonal: ClassVar[bool] = False
    common_scale: ClassVar[bool] = False
    shared: ClassVar[bool] = False
    bounded: ClassVar[bool] = False
    mclust: ClassVar[tuple[str, str]] = ("V", "VVV")

    def constrain(self, weight: Array, scatter: Array, floor: Array) -> Array:
        return scatter

    def n_parameters(self, n_components: int, n_columns: int) -> int:
        return n_components * n_columns * (n_columns + 1) // 2

    def to_document(self, covariances: Array) -> Array:
        return covariances

    def from_document(self, values: Array, n_components: int, n_columns: int) -> Array:
        return shaped(values, (n_components, n_columns, n_columns))
