"""Columns that number the rows or are named as identifiers are: left out of the fit, and the first carried along."""

from __future__ import annotations

import re

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.printable import safe
from em_cli.sources.column_types import Decided
from em_cli.sources.examined import written
from em_cli.sources.options import ReadOptions
from em_cli.sources.quoting import listed, short
from em_cli.sources.table import Notice
from em_cli.sources.usable import Parts

_NAMED = re.compile(
    r"(.*[ _.-])?(id|index|idx|row|nr|no|number)|(row|obs|case)[ _.]?(id|index|names?|number)|unnamed.*", re.IGNORECASE
)
_CAMEL_CASE = re.compile(r".*[a-z](ID|Id)")
FEW = 3  # rows; fewer that differ mean nothing
ENOUGH = 20  # rows, for numbers that count up to be theirs whatever the name of the column


def leave_out_identifiers(decided: Decided, parts: Parts, options: ReadOptions) -> tuple[str, list[str]] | None:
    """Leave identifiers out, unless the user named them or nothing else is left; the name and cells of the first.

    None if there is none, or if the user chose another column for the id.
    """
    found: dict[str, Array] = {}
    for column in decided.columns:
        if column.levels or column.name in options.named:
            continue
        values = np.concatenate([part.values for part in parts[column.name]])
        if _identifies(column.name, values):
            found[column.name] = values
    if not found or len(found) == len(decided.columns):
        return None
    decided.columns = [column for column in decided.columns if column.name not in found]
    for name in found:
        decided.why.pop(name, None)
    first = next(iter(found))
    carried = options.id is None and options.sequence is None
    message = "left out, numbering the rows or being named as an id and never repeated: column "
    message += f"{listed(list(found))}; --columns names what is fitted anyway"
    if carried:
        message += f"; {safe(short(first))} is carried to the outputs, as with --id"
    decided.notices.append(Notice("row_numbers", message))
    return (first, [written(value) for value in found[first].tolist()]) if carried else None


def _identifies(name: str, values: Array) -> bool:
    """Whether whole numbers (n,) count the rows up from 0 or 1, or are all different and named as ids are."""
    if len(values) < FEW or not bool((values == np.floor(values)).all()):
        return False
    if len(values) >= ENOUGH and values[0] in (0, 1) and bool((np.diff(values) == 1).all()):
        return True
    named = _NAMED.fullmatch(name.strip()) or _CAMEL_CASE.fullmatch(name.strip())
    return bool(named) and len(np.unique(values)) == len(values)
