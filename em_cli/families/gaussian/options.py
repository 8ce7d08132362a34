"""Multivariate normal components."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np

from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.errors import UsageError
from em_cli.families.covariances import COVARIANCES
from em_cli.families.distributions.parameters import any_number
from em_cli.families.gaussian.binding import bound_gaussian
from em_cli.families.gaussian.gaussian import BoundGaussian
from em_cli.families.gaussian.missing import GaussianWithGaps, with_gaps
from em_cli.parts import Option


@dataclass(frozen=True, slots=True, eq=False)
class Gaussian:
    """Normal components, in one of fourteen covariance structures; their means may be fixed."""

    covariance: Annotated[str, Option("structure of the covariances, as em parts covariances lists them")] = "full"
    means: Annotated[
        Sequence[Sequence[float]] | None, Option("of the components, in the units of the data, if they are fixed")
    ] = None

    describes: ClassVar[str] = "numeric"
    title: ClassVar[str] = "Gaussian mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    support: ClassVar[None] = None
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("means", any_number()),)

    def __post_init__(self) -> None:
        COVARIANCES.load(self.covariance)
        if self.means is not None:
            _check_lists(self.means)

    def bind(self, columns: Columns) -> BoundGaussian | GaussianWithGaps:
        bound = bound_gaussian(self.covariance, columns, self.means)
        return with_gaps(bound) if columns.gaps.any() else bound


def _check_lists(means: object) -> None:
    """`UsageError` if fixed means are not lists of numbers of equal length."""
    try:
        lists = np.array(means, np.float64)
    except (TypeError, ValueError, OverflowError):
        lists = np.empty(0)
    if lists.ndim != 2 or not lists.size or not np.isfinite(lists).all():
        raise UsageError("means must hold a list of numbers for each component.")
