"""What families around another one leave to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.exponential_family import Exponential
from em_cli.engine.family import BoundFamily, Chart, Degeneracy, Penalised, Reweighting


class Within:
    """The two steps, and what is told of the parameters, are those of the family within."""

    __slots__ = ()

    base: BoundFamily

    @property
    def exponential(self) -> Exponential | None:
        return self.base.exponential

    @property
    def reweighting(self) -> Reweighting | None:
        return self.base.reweighting

    @property
    def penalty(self) -> Penalised | None:
        return self.base.penalty

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        return self.base.quantities

    @property
    def coupled(self) -> bool:
        return self.base.coupled

    def n_features(self) -> int:
        return self.base.n_features()

    def log_density(self, features: Array, parameters: object, offset: Array, out: Array) -> None:
        self.base.log_density(features, parameters, offset, out)

    def statistics(self, features: Array, responsibilities: Array, parameters: object) -> Array:
        return self.base.statistics(features, responsibilities, parameters)

    def maximize(self, statistics: Array, parameters: object) -> Any:
        return self.base.maximize(statistics, parameters)

    def expected_log_density(self, statistics: Array, parameters: object) -> Array:
        return self.base.expected_log_density(statistics, parameters)

    def n_parameters(self, n_components: int) -> int:
        return self.base.n_parameters(n_components)

    def degenerate(self, parameters: object, support: Array) -> list[Degeneracy | None]:
        return self.base.degenerate(parameters, support)

    def chart(self, parameters: object, weight: Array) -> Chart | None:
        return self.base.chart(parameters, weight)

    def to_document(self, parameters: object) -> dict[str, object]:
        return self.base.to_document(parameters)

    def from_document(self, document: Mapping[str, object], n_components: int) -> Any:
        return self.base.from_document(document, n_components)


@dataclass(frozen=True, slots=True)
class OwnMStep:
    """The two products of the family within, where the M-step is another: it goes with no other family's."""

    kindred: ClassVar[None] = None

    base: Exponential

    @property
    def needs_frame(self) -> bool:
        return self.base.needs_frame

    def natural(self, parameters: object) -> tuple[Array, Flags]:
        return self.base.natural(parameters)

    def n_own_features(self) -> int:
        return self.base.n_own_features()

    def monomials(self) -> Integers | None:
        return None

    def common_sums(self, features: Array, weights: Array | None) -> Array:
        return self.base.common_sums(features, weights)
