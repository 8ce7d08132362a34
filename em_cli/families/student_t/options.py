"""Multivariate Student t components (Peel & McLachlan 2000), which outliers hardly move."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.errors import UsageError
from em_cli.families.covariances import COVARIANCES
from em_cli.families.distributions.parameters import any_number
from em_cli.families.gaussian.binding import bound_gaussian
from em_cli.families.student_t.missing import StudentTWithGaps, student_t_with_gaps
from em_cli.families.student_t.student_t import LARGEST, BoundStudentT
from em_cli.parts import Option

STRUCTURES = ("VVV", "EEE", "VVI", "VII")  # full, tied, diagonal, spherical


@dataclass(frozen=True, slots=True, eq=False)
class StudentT:
    """t components, in four structures of their scale matrices."""

    covariance: Annotated[str, Option("structure of the scale matrices: full, tied, diag or spherical")] = "full"
    dof: Annotated[
        Literal["free", "common"] | float, Option("degrees of freedom: free in each component, common, or a number")
    ] = "free"

    describes: ClassVar[str] = "numeric"
    title: ClassVar[str] = "Student t mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    support: ClassVar[None] = None
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("means", any_number()),)

    def __post_init__(self) -> None:
        fixed = isinstance(self.dof, int | float) and 0 < self.dof <= LARGEST
        if not fixed and self.dof not in ("free", "common"):
            raise UsageError(f"dof must be 'free', 'common' or a number above 0, up to {LARGEST:g}, not {self.dof!r}.")
        if COVARIANCES.load(self.covariance).letters.mclust[1] not in STRUCTURES:
            raise UsageError(f"the family 'student_t' goes with {', '.join(STRUCTURES)}, not {self.covariance!r}.")

    def bind(self, columns: Columns) -> BoundStudentT | StudentTWithGaps:
        bound = BoundStudentT(bound_gaussian(self.covariance, columns), self.dof)
        return student_t_with_gaps(bound) if columns.gaps.any() else bound
