"""Mixtures of probabilistic principal component analysers (Tipping & Bishop 1999): the noise is isotropic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.families.distributions.parameters import any_number
from em_cli.families.factor_analyzers.factor_analyzers import BoundFactorAnalyzers
from em_cli.families.factor_analyzers.missing import FactorAnalyzersWithGaps
from em_cli.families.factor_analyzers.options import FactorAnalyzers
from em_cli.parts import Option


@dataclass(frozen=True, slots=True, eq=False)
class Ppca:
    """Factor analysers with isotropic noise."""

    n_factors: Annotated[int, Option("of every component")] = 2

    describes: ClassVar[str] = "numeric"
    title: ClassVar[str] = "Ppca mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    support: ClassVar[None] = None
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("means", any_number()),)

    def __post_init__(self) -> None:
        self._factor_analyzers()

    def bind(self, columns: Columns) -> BoundFactorAnalyzers | FactorAnalyzersWithGaps:
        return self._factor_analyzers().bind(columns)

    def _factor_analyzers(self) -> FactorAnalyzers:
        return FactorAnalyzers(self.n_factors, "isotropic")
