"""A family of the first columns, beside others that are known and not described: they tell the mixing weights."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.engine.family import (
    BoundFamily,
    Completing,
    Elliptic,
    Family,
)
from em_cli.families.within import Within


@dataclass(frozen=True, slots=True, eq=False)
class WithCovariates:
    """A family around one that describes the first so many columns."""

    base: Family
    n_own: int

    describes: ClassVar[str] = "mixed"
    title: ClassVar[str] = "mixture beside covariates"
    comparable: ClassVar[bool] = False
    narrowest: ClassVar[float] = 0.0
    parameters: ClassVar[tuple[Parameter, ...]] = ()  # those of the base

    @property
    def support(self) -> None:
        """Cells are checked by groups of columns."""
        return None

    def bind(self, columns: Columns) -> BoundWithCovariates:
        own = columns.select(np.arange(self.n_own))
        return BoundWithCovariates(self.base.bind(own), self.n_own, columns)


@dataclass(frozen=True, slots=True, eq=False)
class BoundWithCovariates(Within):
    """The two steps are those of the family within, at the first columns."""

    approximate: ClassVar[None] = None

    base: BoundFamily
    n_own: int
    columns: Columns  # all of them

    @property
    def completing(self) -> BoundWithCovariates | None:
        return self if self.base.completing else None

    @property
    def elliptic(self) -> Elliptic | None:
        """The places of its columns are the same."""
        return self.base.elliptic

    def features(self, x: Array, out: Array) -> None:
        self.base.features(x[: self.n_own], out)

    def base_measure(self, x: Array) -> Array:
        return self.base.base_measure(x[: self.n_own])

    def embedding(self, x: Array) -> Array:
        return self.base.embedding(x[: self.n_own])

    def moments(self, parameters: object) -> tuple[Array, Array]:
        """Of the other columns those of all rows, in every component."""
        own, every = self.base.moments(parameters), (self.columns.mean, self.columns.sd)
        mean, sd = (
            np.concatenate([found, np.tile(of_all[self.n_own :], (len(found), 1))], axis=1)
            for found, of_all in zip(own, every, strict=True)
        )
        return mean, sd

    def sample(self, parameters: object, labels: Integers, rng: np.random.Generator) -> Array:
        """What is not described is not drawn: its cells are missing."""
        drawn = self.base.sample(parameters, labels, rng)
        return np.concatenate([drawn, np.full((len(self.columns.mean) - self.n_own, len(labels)), np.nan)])

    def complete(self, x: Array, parameters: object, responsibilities: Array) -> Array:
        return self._filled(x, self._completing.complete(x[: self.n_own], parameters, responsibilities))

    def draw(self, x: Array, parameters: object, labels: Integers, rng: np.random.Generator) -> Array:
        return self._filled(x, self._completing.draw(x[: self.n_own], parameters, labels, rng))

    @property
    def _completing(self) -> Completing:
        completing = self.base.completing
        assert completing is not None, "the family within can fill missing cells"
        return completing

    def _filled(self, x: Array, own: Array) -> Array:
        filled: Array = np.concatenate([own, x[self.n_own :]])
        return filled
