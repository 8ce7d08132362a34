"""Columns that number the rows or are named as identifiers are: left out of the fit.

Of those that never repeat, the first is carried along; those that repeat tell which rows belong together.
"""

from __future__ import annotations

import re

from em_cli.printable import safe
from em_cli.sources.column_facts import Facts, Parts
from em_cli.sources.column_types import FEW_LEVELS, Decided
from em_cli.sources.number_formats import written
from em_cli.sources.quoting import argument, listed, short
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.table import Notice

_NAMED = re.compile(
    r"(.*[ _.-])?(id|ident|identifier|idx)|index|row|nr|no|number|case|record|observation|serial"
    r"|(row|obs|case)[ _.]?(id|index|names?|number)|unnamed.*",
    re.IGNORECASE,
)
_OF_SEVERAL_ROWS = re.compile(
    r"(.*[ _.-])?(id|ident|identifier|nr)|(subj|subject|patient|participant|respondent|study|entity|firm)"
    r"([ _.]?(nr|no|num|number))?|(case|child|class|client|cust|customer|es|family|fam|hh|household|p|person|pt|school"
    r"|study|student|subj|subject|teacher|user)(id|nr|num)|(account|booking|invoice|order|ticket)s?(id|nr|no|num)",
    re.IGNORECASE,
)
_ABBREVIATED = re.compile(r"(es|p|pt)id", re.IGNORECASE)  # or answers: pid is which party one is of, too
_NUMBERED = re.compile(r".+[ _.-](nr|no|number)", re.IGNORECASE)  # or how many there are of something, or "no" itself
_YES = re.compile(r"(.*[ _.-])?yes([ _.-].*)?", re.IGNORECASE)
_CAMEL_CASE = re.compile(r".*[a-z](ID|Id)")
FEW = 3  # cells; fewer that differ mean nothing
ENOUGH = 20  # rows, for numbers that count up to be theirs whatever the name of the column


def leave_out_identifiers(decided: Decided, parts: Parts, options: ReadOptions) -> str | None:
    """Leave identifiers out, unless the user named them or nothing else is left; the name of the first of one row each.

    None if there is none, or if the user chose another column for the id.
    """
    _leave_out_repeated(decided, parts, options)
    asked = [column.name for column in decided.columns if not column.levels and column.name not in options.named]
    found = [name for name in asked if identifies(name, parts)]
    if not found or len(found) == len(decided.columns):
        return None
    decided.columns = [column for column in decided.columns if column.name not in found]
    for name in found:
        decided.why.pop(name, None)
    first = found[0]
    carried = options.id is None and options.sequence is None
    message = "left out, numbering the rows or being named as an id and never repeated: column "
    message += f"{listed(found)}; --columns names what is fitted anyway"
    if carried:
        message += f"; {safe(short(first))} is carried to the outputs, as with --id"
    decided.notices.append(Notice("row_numbers", message))
    return first if carried else None


def _leave_out_repeated(decided: Decided, parts: Parts, options: ReadOptions) -> None:
    """Leave out ids that several rows bear, unless the user named them or nothing else is left."""
    asked = [column.name for column in decided.columns if not column.levels and column.name not in options.named]
    found = [name for name in asked if repeats_ids(name, parts)]
    if not found or len(found) == len(decided.columns):
        return
    decided.columns = [column for column in decided.columns if column.name not in found]
    for name in found:
        decided.why.pop(name, None)
        column, which = parts.facts(name), argument(name)
        message = f"left out, being an id of several rows: column {safe(short(name))} ({column.n_distinct:,} ids in "
        message += f"{column.n_finite:,} rows); --group {which} gives rows of one id one component, "
        message += f"--type {argument(f'{name}=numeric')} fits it as a number"
        decided.notices.append(Notice("repeated_ids", message))


def repeats_ids(name: str, parts: Parts) -> bool:
    """Whether whole numbers come again, and are named as ids are."""
    column = parts.facts(name)
    if not column.whole or column.values[0] < 0 or not FEW <= column.n_distinct < column.n_finite:
        return False
    if column.n_distinct <= FEW_LEVELS and _ABBREVIATED.fullmatch(name.strip()):
        return False
    return bool(_OF_SEVERAL_ROWS.fullmatch(name.strip()) or _CAMEL_CASE.fullmatch(name.strip()))


def identifies(name: str, parts: Parts) -> bool:
    """Whether whole numbers count the rows up from 0 or 1, or are all different and named as ids are."""
    column = parts.facts(name)
    if column.n < FEW or not column.whole or column.n_finite < column.n:
        return False
    if column.n >= ENOUGH and column.first in (0, 1) and column.counts_up:
        return True
    named = any(form.fullmatch(name.strip()) for form in (_NAMED, _CAMEL_CASE, _OF_SEVERAL_ROWS))
    numbered = _NUMBERED.fullmatch(name.strip()) and _may_number(column) and not any(map(_YES.fullmatch, parts))
    return (named or bool(numbered)) and parts.all_differ(name)


def _may_number(column: Facts) -> bool:
    """Whether whole numbers have as many digits, or leave few out between the lowest and the highest."""
    lowest, highest = float(column.values[0]), float(column.values[-1])
    return len(written(lowest)) == len(written(highest)) or highest - lowest < 2 * column.n
