"""Amounts, many of them zero: columns of independent variables with a point mass, and gamma elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.gamma import Gamma, GammaDistribution
from em_cli.families.distributions.hurdle import SHARES, VALUE, bound, support_beside
from em_cli.families.distributions.support import POSITIVE, Support
from em_cli.parts import Option


@dataclass(frozen=True, slots=True)
class ZeroInflatedGamma:
    """Amounts, many of them zero: columns of independent variables with a point mass, and gamma elsewhere."""

    value: Annotated[float | None, Option(VALUE)] = None

    describes: ClassVar[str] = "semicontinuous"
    title: ClassVar[str] = "zero-inflated gamma mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    parameters: ClassVar[tuple[Parameter, ...]] = (SHARES, *Gamma.parameters)

    @property
    def support(self) -> Support:
        return support_beside(self.value, POSITIVE)

    def bind(self, columns: Columns) -> Columnwise:
        return bound(self, self.value, columns, GammaDistribution)
