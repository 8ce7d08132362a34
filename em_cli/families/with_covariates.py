"""A family of the first columns, beside others that are known and not described: they tell the mixing weights."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.columns import Columns
from em_cli.engine.exponential import Exponential
from em_cli.engine.family import (
    BoundFamily,
    Chart,
    Completing,
    Degeneracy,
    Elliptic,
    Family,
    Penalised,
    Reweighting,
)


@dataclass(frozen=True, slots=True, eq=False)
class WithCovariates:
    """A family around one that describes the first so many columns."""

    base: Family
    n_own: int

    describes: ClassVar[str] = "mixed"
    title: ClassVar[str] = "mixture beside covariates"
    comparable: ClassVar[bool] = False
    narrowest: ClassVar[float] = 0.0

    @property
    def support(self) -> None:
        """Cells are checked by groups of columns."""
        return None

    def bind(self, columns: Columns) -> BoundWithCovariates:
        own = columns.select(np.arange(self.n_own))
        return BoundWithCovariates(self.base.bind(own), self.n_own, columns)


@dataclass(frozen=True, slots=True, eq=False)
class BoundWithCovariates:
    """The two steps are those of the family within, at the first columns."""

    base: BoundFamily
    n_own: int
    columns: Columns  # all of them

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
    def completing(self) -> BoundWithCovariates | None:
        return self if self.base.completing else None

    @property
    def elliptic(self) -> Elliptic | None:
        """The places of its columns are the same."""
        return self.base.elliptic

    @property
    def approximate(self) -> None:
        return None

    @property
    def coupled(self) -> bool:
        return self.base.coupled

    def n_features(self) -> int:
        return self.base.n_features()

    def features(self, x: Array, out: Array) -> None:
        self.base.features(x[: self.n_own], out)

    def base_measure(self, x: Array) -> Array:
        return self.base.base_measure(x[: self.n_own])

    def embedding(self, x: Array) -> Array:
        return self.base.embedding(x[: self.n_own])

    def log_density(self, features: Array, parameters: Any, offset: Array, out: Array) -> None:
        self.base.log_density(features, parameters, offset, out)

    def statistics(self, features: Array, responsibilities: Array, parameters: Any) -> Array:
        return self.base.statistics(features, responsibilities, parameters)

    def maximize(self, statistics: Array, parameters: Any) -> Any:
        return self.base.maximize(statistics, parameters)

    def expected_log_density(self, statistics: Array, parameters: Any) -> Array:
        return self.base.expected_log_density(statistics, parameters)

    def n_parameters(self, n_components: int) -> int:
        return self.base.n_parameters(n_components)

    def degenerate(self, parameters: Any, support: Array) -> list[Degeneracy | None]:
        return self.base.degenerate(parameters, support)

    def chart(self, parameters: Any, weight: Array) -> Chart | None:
        return self.base.chart(parameters, weight)

    def to_document(self, parameters: Any) -> dict[str, Any]:
        return self.base.to_document(parameters)

    def from_document(self, document: Mapping[str, Any], n_components: int) -> Any:
        return self.base.from_document(document, n_components)

    def moments(self, parameters: Any) -> tuple[Array, Array]:
        """Of the other columns those of all rows, in every component."""
        own, every = self.base.moments(parameters), (self.columns.mean, self.columns.sd)
        mean, sd = (
            np.concatenate([found, np.tile(of_all[self.n_own :], (len(found), 1))], axis=1)
            for found, of_all in zip(own, every, strict=True)
        )
        return mean, sd

    def sample(self, parameters: Any, labels: Integers, rng: np.random.Generator) -> Array:
        """What is not described is not drawn: its cells are missing."""
        drawn = self.base.sample(parameters, labels, rng)
        return np.concatenate([drawn, np.full((len(self.columns.mean) - self.n_own, len(labels)), np.nan)])

    def complete(self, x: Array, parameters: Any, responsibilities: Array) -> Array:
        return self._filled(x, self._completing.complete(x[: self.n_own], parameters, responsibilities))

    def draw(self, x: Array, parameters: Any, labels: Integers, rng: np.random.Generator) -> Array:
        return self._filled(x, self._completing.draw(x[: self.n_own], parameters, labels, rng))

    @property
    def _completing(self) -> Completing:
        completing = self.base.completing
        assert completing is not None, "the family within can fill missing cells"
        return completing

    def _filled(self, x: Array, own: Array) -> Array:
        filled: Array = np.concatenate([own, x[self.n_own :]])
        return filled
