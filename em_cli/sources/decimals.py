"""Decimal commas, as most of Europe writes numbers: found where nothing else can be meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from em_cli.sources.number_formats import number

LOOK_AT = 200  # records
ENOUGH = 8  # distinct numbers with a comma in a column; fewer may be answers such as 1,2

_WITH_COMMA = re.compile(r"[+-]?(\d+|\d{1,3}(?P<groups>(\.\d{3})+)),(?P<decimals>\d+)")
_WITH_POINT = re.compile(r"[+-]?\d*\.\d+([eE][+-]?\d+)?")
_GROUPS = re.compile(r"[+-]?\d{1,3}(\.\d{3})+")
DRESS = " \u00a0\u202f€%$£"  # that may stand beside a number


@dataclass(frozen=True, slots=True)
class Marks:
    """What stands in numbers, where nobody said so."""

    decimal: str
    thousands: str | None  # None: nothing was found


def decimal_commas(rows: Sequence[Sequence[str]], missing: Sequence[str]) -> Marks | None:
    """The marks of a table with these cells in which commas stand before decimals and no point does; else None.

    1.234 alone may be either, and so may 1,234: neither tells anything.
    """
    columns = [{cell.strip(DRESS) for cell in column} - {"", *missing} for column in zip(*rows, strict=False)]
    found = [column for column in columns if _has_commas(column)]
    if not found:
        return None
    rest = set().union(*(column for column in columns if not _has_commas(column)))
    if any(_WITH_POINT.fullmatch(cell) for cell in rest) or any(not _whole(c) for column in found for c in column):
        return None
    grouped = any("." in cell for column in found for cell in column)
    return Marks(",", "." if grouped else None)


def _has_commas(column: set[str]) -> bool:
    """Whether most of these cells have a comma before decimals, some surely so."""
    matches = [match for cell in column if (match := _WITH_COMMA.fullmatch(cell))]
    sure = any(match["groups"] or len(match["decimals"]) != 3 for match in matches)
    return sure and len(matches) >= ENOUGH and 2 * len(matches) >= len(column)


def _whole(cell: str) -> bool:
    """Whether a cell amid decimal commas is one of them, a whole number or no number at all."""
    return "." not in cell or bool(_WITH_COMMA.fullmatch(cell) or _GROUPS.fullmatch(cell)) or number(cell) is None
