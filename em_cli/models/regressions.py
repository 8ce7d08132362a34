"""Mixtures of regressions of data that are there: whether their cells will do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from em_cli.engine.arrays import Flags
from em_cli.engine.rows import cells
from em_cli.errors import DataError
from em_cli.families.regression.options import Regression
from em_cli.families.regression.responses import RESPONSES
from em_cli.models.asked_regression import LAWS, Asked
from em_cli.models.groups import REGRESSION, Group
from em_cli.sources.quoting import argument, quoted

if TYPE_CHECKING:
    from em_cli.sources.table import Data


def regression_group(asked: Asked, data: Data) -> Group:
    """All columns, once their cells have been looked at."""
    known = {column.name: column for column in data.schema.columns}
    found = known[asked.response].type
    if asked.kind is None and found not in ("numeric", "count", "binary"):
        n_levels, name = len(known[asked.response].levels), asked.response
        remedy = f"Give it as --type {argument(f'{name}=binary')}" if n_levels == 2 else "Name another with --response"
        raise DataError(
            f"{data.name}, column {quoted(name)}: a response must be of numbers, or given as one of two levels, and "
            f"this is text with {n_levels:,} levels. {remedy}."
        )
    law, trials = LAWS[asked.kind or found], asked.trials
    if law == "binomial" and trials is None:
        trials = 1
    terms = {"on": list(asked.on), "common": list(asked.common)}
    options = {"response": asked.response, "law": law, **terms, "offset": asked.offset, "trials": trials}
    options = {name: value for name, value in options.items() if value not in (None, [])}
    group = Group(REGRESSION, tuple(range(len(data.schema.columns))), options)
    _check_cells(data, group)
    return group


def _check_cells(data: Data, group: Group) -> None:
    """`DataError` names the first cell that cannot be."""
    family = group.build(data.schema, "")
    assert isinstance(family, Regression), "it is one"
    x, roles, names = cells(data.source, group.columns), family.roles, data.schema.names
    places = [*family.design.places, *(place for place in (roles.offset, roles.trials) if place is not None)]
    for place in dict.fromkeys(places):
        if data.schema.columns[place].levels and place in (roles.offset, roles.trials):
            raise DataError(f"{data.name}, column {quoted(names[place])}: an offset or trials must be numbers.")
        refuse_cells(
            data,
            place,
            np.isnan(x[place]),
            "is missing: a response is described given its regressors. Use --missing drop, which leaves such rows out",
        )
    for place, refused in enumerate(family.design.refused(x)):
        refuse_cells(data, place, refused, "has no logarithm, which must be of numbers above 0", x[place])
    if family.law != "gaussian":
        trials = np.full(x.shape[1], roles.n_trials) if roles.trials is None else x[roles.trials]
        y, law = x[roles.response], RESPONSES[family.law]
        refused = ~law.allows(y, trials) & ~np.isnan(y)
        refuse_cells(
            data, roles.response, refused, f"cannot be; a response of law {family.law} must be {law.requirement}", y
        )


def refuse_cells(data: Data, place: int, refused: Flags, fault: str, values: Sequence[float] | None = None) -> None:
    """`DataError` names the first of the cells of a column that are refused, if any is."""
    if refused.any():
        row = int(refused.argmax())
        cell = "the cell" if values is None else f"{values[row]:.15g}"
        name = quoted(data.schema.names[place])
        raise DataError(f"{data.name}, row {data.row_of(row)}, column {name}: {cell} {fault}.")
