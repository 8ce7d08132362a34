"""Amounts, many of them zero: columns of independent variables with a point mass, and lognormal elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.hurdle import SHARES, VALUE, bound, support_beside
from em_cli.families.distributions.lognormal import Lognormal, LognormalDistribution
from em_cli.families.distributions.support import POSITIVE, Support
from em_cli.parts import Option


@dataclass(frozen=True, slots=True)
class ZeroInflatedLognormal:
    """Amounts, many of them zero: columns of independent variables with a point mass, and lognormal elsewhere."""

    value: Annotated[float | None, Option(VALUE)] = None

    describes: ClassVar[str] = "semicontinuous"
    title: ClassVar[str] = "zero-inflated lognormal mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    parameters: ClassVar[tuple[Parameter, ...]] = (SHARES, *Lognormal.parameters)

    @property
    def support(self) -> Support:
        return support_beside(self.value, POSITIVE)

    def bind(self, columns: Columns) -> Columnwise:
        return bound(self, self.value, columns, LognormalDistribution)
