"""What columns of numbers may be taken for beside what they are taken for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from shlex import quote
from typing import TYPE_CHECKING

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.rows import cells
from em_cli.engine.transforms import TRANSFORMS
from em_cli.errors import DataError, UsageError
from em_cli.families import FAMILIES
from em_cli.models.groups import Group, takes
from em_cli.printable import safe
from em_cli.registry import did_you_mean
from em_cli.sources.circles import period_of
from em_cli.sources.column_types import CODE_VALUES, ROWS_PER_CODE
from em_cli.sources.domains import WANTED, impossible
from em_cli.sources.quoting import quoted
from em_cli.sources.schema import TYPES, Column, Schema

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig
    from em_cli.sources.table import Data

POSITIVE = ("lognormal", "gamma", "weibull")
COUNTS = ("poisson", "negative_binomial", "zero_inflated_poisson")
ON_LOG_SCALE = "log"
OR = "|"  # between what a column may be taken for
DENSITIES = ("numeric", "positive", "proportion", "angle")  # types whose cells have densities of the same unit
COMPARABLE = (*DENSITIES, "count")


@dataclass(frozen=True, slots=True)
class Change:
    """A column taken for another family, or fitted on another scale."""

    column: str
    family: str = ""  # of the column alone, with its argument; or a type
    transform: str | None = None

    @property
    def type(self) -> str:
        """Of the column, if it is taken so."""
        name = self.family.partition(":")[0]
        return "numeric" if self.transform is not None else name if name in TYPES else takes(name)

    @property
    def word(self) -> str:
        return f"{self.column}={self.transform or self.family}"

    @property
    def option(self) -> str:
        """As one types it."""
        return f"--{'type' if self.transform is None else 'transform'} {quote(safe(self.word))}"

    @property
    def described(self) -> str:
        return f"{self.column} {f'on a {self.transform} scale' if self.transform else f'as {self.family}'}"


def alternatives(column: Column, group: Group, values: Array) -> list[Change]:
    """Other families that can describe the values (n,) of a column, and are likely enough to be worth a refit.

    A density at a whole number stands for the probability of the unit about it, so that of a count may be beside it.
    Of few whole numbers, which may be codes, and of numbers that may go round, as hours do, it is asked what they are,
    and not how they are distributed.
    """
    x = values[~np.isnan(values)]
    if not len(x) or period_of(column.name, x.min(), x.max()) is not None:
        others = []
    elif column.type == "positive":
        others = [name for name in POSITIVE if name != group.family] if group.family in POSITIVE else []
    elif column.type == "count":
        others = list(COUNTS[1:]) if group.family == "poisson" else []
    elif column.type == "numeric" and _like_codes(x):
        others = []
    elif column.type == "numeric" and column.transform is None and group.family in ("gaussian", "student_t"):
        others = [ON_LOG_SCALE, *POSITIVE[:2]] if x.min() > 0 else []
        others += ["negative_binomial"] if _like_counts(x) else []
    else:
        others = []
    return [
        Change(column.name, transform=name) if name == ON_LOG_SCALE else Change(column.name, name) for name in others
    ]


def _like_counts(x: Array) -> bool:
    """Whether numbers are whole, and near enough to zero for a count to be another thing than a normal number."""
    return bool(0 <= x.min() < x.std() and (x == np.floor(x)).all())


def _like_codes(x: Array) -> bool:
    """Whether numbers are whole and few, each in many rows."""
    n_distinct = len(np.unique(x))
    return n_distinct <= CODE_VALUES and ROWS_PER_CODE * n_distinct <= len(x) and bool((x == np.floor(x)).all())


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
    return replace(column, type=change.type, transform=change.transform)


def asked(types: Mapping[str, str]) -> list[list[Change]]:
    """What each column may be taken for that is given several families, such as numeric|lognormal|log."""
    return [[_read(name, each.strip()) for each in said.split(OR)] for name, said in types.items() if OR in said]


def _read(column: str, said: str) -> Change:
    name = said.partition(":")[0]
    if said in TRANSFORMS:
        return Change(column, transform=said)
    known = dict.fromkeys([*TYPES, *FAMILIES.names(), *TRANSFORMS])
    if name not in known:
        raise UsageError(f"--type {column}: unknown type {name!r}{did_you_mean(name, known)}")
    change = Change(column, said)
    if change.type not in COMPARABLE or (name not in TYPES and not _comparable(name)):
        raise UsageError(
            f"--type {column}: {name!r} is none that others can be compared with: its likelihood is not that of the "
            f"same cells. There are {', '.join(filter(_comparable, FAMILIES.names()))} and {', '.join(TRANSFORMS)}."
        )
    return change


def _comparable(family: str) -> bool:
    return takes(family) in COMPARABLE and FAMILIES.load(family).comparable


def check_cells_of(data: Data, changes: Sequence[Change]) -> None:
    """`DataError` names the first cell that cannot be of the type that it is to be taken for."""
    for change in changes:
        place = data.schema.names.index(change.column)
        values = cells(data.source, [place])[0]
        refused = impossible(values, change.type, change.transform)
        if refused.any():
            row = int(refused.argmax())
            wanted = WANTED.get(change.type, f"such that it has a {change.transform}")
            raise DataError(
                f"{data.name}, row {data.row_of(row)}, column {quoted(change.column)}: {values[row]:.15g} cannot be "
                f"taken as {change.transform or change.family}: it must be {wanted}. "
                f"Leave that out of --type {change.column}."
            )
