"""Mixtures of factor analysers (Ghahramani & Hinton 1997)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.errors import UsageError
from em_cli.families.distributions.parameters import any_number, from_zero
from em_cli.families.factor_analyzers.factor_analyzers import BoundFactorAnalyzers, bound_factor_analyzers
from em_cli.families.factor_analyzers.missing import FactorAnalyzersWithGaps
from em_cli.parts import Option

NOISE = ("diag", "isotropic")


@dataclass(frozen=True, slots=True, eq=False)
class FactorAnalyzers:
    """Covariances of a few factors, and of noise that is each column's own, or common to all."""

    n_factors: Annotated[int, Option("of every component")] = 2
    noise: Annotated[str, Option("variances: diag, one for each column, or isotropic, one for all")] = "diag"

    describes: ClassVar[str] = "numeric"
    title: ClassVar[str] = "Factor analyzers mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    support: ClassVar[None] = None
    parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter("means", any_number()),
        Parameter("noise_variances", from_zero()),
    )

    def __post_init__(self) -> None:
        if self.noise not in NOISE:
            raise UsageError(f"noise must be one of {', '.join(NOISE)}, not {self.noise!r}.")
        if self.n_factors < 1:
            raise UsageError(f"n_factors must be at least 1, not {self.n_factors}.")

    def bind(self, columns: Columns) -> BoundFactorAnalyzers | FactorAnalyzersWithGaps:
        if self.n_factors > len(columns.mean):
            raise UsageError(f"{self.n_factors} factors are more than the {len(columns.mean)} columns they are for.")
        bound = bound_factor_analyzers(self.n_factors, self.noise == "isotropic", columns)
        return FactorAnalyzersWithGaps(bound) if columns.gaps.any() else bound
