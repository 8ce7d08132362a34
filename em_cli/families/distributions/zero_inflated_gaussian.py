"""Numbers, many of them one value: columns of independent variables with a point mass, and normal elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.hurdle import SHARES, VALUE, bound, support_beside
from em_cli.families.distributions.normal import NormalDistribution
from em_cli.families.distributions.parameters import above_zero, any_number
from em_cli.families.distributions.support import NUMBERS, Support
from em_cli.parts import Option


@dataclass(frozen=True, slots=True)
class ZeroInflatedGaussian:
    """Numbers, many of them one value: columns of independent variables with a point mass, and normal elsewhere."""

    value: Annotated[float | None, Option(VALUE)] = None

    describes: ClassVar[str] = "semicontinuous"
    title: ClassVar[str] = "zero-inflated Gaussian mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    parameters: ClassVar[tuple[Parameter, ...]] = (
        SHARES,
        Parameter("means", any_number()),
        Parameter("sds", above_zero()),
    )

    @property
    def support(self) -> Support:
        return support_beside(self.value, NUMBERS)

    def bind(self, columns: Columns) -> Columnwise:
        return bound(self, self.value, columns, NormalDistribution)
