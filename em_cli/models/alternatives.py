"""What columns of numbers may be taken for beside what they are taken for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.models.groups import Group, takes
from em_cli.sources.quoting import argument
from em_cli.sources.schema import Column, Schema

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig
    from em_cli.sources.table import Data

POSITIVE = ("lognormal", "gamma", "weibull")
COUNTS = ("poisson", "negative_binomial", "zero_inflated_poisson")
ON_LOG_SCALE = "log"


@dataclass(frozen=True, slots=True)
class Change:
    """A column taken for another family, or fitted on another scale."""

    column: str
    family: str = ""  # of the column alone
    transform: str | None = None

    @property
    def option(self) -> str:
        """As one types it."""
        if self.transform is not None:
            return f"--transform {argument(f'{self.column}={self.transform}')}"
        return f"--type {argument(f'{self.column}={self.family}')}"

    @property
    def described(self) -> str:
        return f"{self.column} {f'on a {self.transform} scale' if self.transform else f'as {self.family}'}"


def alternatives(column: Column, group: Group, values: Array) -> list[Change]:
    """Other families that can describe the values (n,) of a column, and are likely enough to be worth a refit.

    A density at a whole number stands for the probability of the unit about it, so that of a count may be beside it.
    """
    x = values[~np.isnan(values)]
    if column.type == "positive":
        others = [name for name in POSITIVE if name != group.family] if group.family in POSITIVE else []
    elif column.type == "count":
        others = list(COUNTS[1:]) if group.family == "poisson" else []
    elif column.type == "numeric" and column.transform is None and group.family in ("gaussian", "student_t"):
        others = [ON_LOG_SCALE, *POSITIVE[:2]] if x.min() > 0 else []
        others += ["negative_binomial"] if _like_counts(x) else []
    else:
        others = []
    return [
        Change(column.name, transform=name) if name == ON_LOG_SCALE else Change(column.name, name) for name in others
    ]


def _like_counts(x: Array) -> bool:
    """Whether numbers are whole, and near enough to nought for a count to be another thing than a normal number."""
    return bool(0 <= x.min() < x.std() and (x == np.floor(x)).all())


def redescribed(config: RunConfig, data: Data, changes: Sequence[Change]) -> tuple[RunConfig, Data]:
    """The configuration and the data, had the user asked for these changes."""
    own = {change.column: change for change in changes}
    types = {name: kind for name, kind in config.data.types.items() if name not in own}
    transforms = {name: kind for name, kind in config.data.transforms.items() if name not in own}
    types |= {name: change.family for name, change in own.items() if change.family}
    transforms |= {name: change.transform for name, change in own.items() if change.transform is not None}
    asked = config.data.model_copy(update={"types": types, "transforms": transforms})
    columns = [_changed(column, own.get(column.name)) for column in data.schema.columns]
    return config.model_copy(update={"data": asked}), replace(data, schema=Schema(tuple(columns)))


def _changed(column: Column, change: Change | None) -> Column:
    if change is None:
        return column
    return replace(column, type=takes(change.family) if change.family else "numeric", transform=change.transform)
