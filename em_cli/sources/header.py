"""Whether the first line names the columns, or is a row like those below it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from em_cli.errors import DataError
from em_cli.sources.number_formats import number
from em_cli.sources.quoting import quoted
from em_cli.sources.read_options import ReadOptions

FIRST_YEAR, LAST_YEAR = 1500, 2200
NUMBERED = 4  # columns without names of their own, beside no row names
ENOUGH = 10  # rows, for the ranges of their numbers to mean something
NOT_IN_ORDER = 3  # numbers, that may be out of order
FEW = 5  # numbers, in order by chance at times; one of 360 rows of six
EVEN = 1e-6  # of a step, by which equal ones may differ


def lacks_header(
    every: tuple[str, ...], names: tuple[str, ...], rows: list[list[str]], shown: str, options: ReadOptions
) -> bool:
    """Whether the first line is plainly a row; `DataError` if it may be one.

    The names are what stands in it but blanks at its end.
    """
    if not _like_data(every, rows, options) and not _like_a_row(names, rows, options):
        return False
    if not _is_a_row(every, rows, options):
        raise DataError(_header_less(every, shown))
    return True


def _like_data(names: tuple[str, ...], rows: list[list[str]], options: ReadOptions) -> bool:
    """Whether the names could be a row: each a number, blank, or a text that recurs in its column; one a number."""
    numbers = [number(name, options.decimal, options.thousands) is not None for name in names]
    if not any(numbers):
        return False
    recurs = [any(row[place : place + 1] == [name] for row in rows) for place, name in enumerate(names)]
    return all(there or not name or again for name, there, again in zip(names, numbers, recurs, strict=True))


def _like_a_row(names: tuple[str, ...], rows: list[list[str]], options: ReadOptions) -> bool:
    """Whether most of the names are numbers in the order of no scale, above others in their columns."""

    def value(cell: str) -> float | None:
        return number(cell.strip(), options.decimal, options.thousands or ",")

    numbers = [found for name in names if (found := value(name)) is not None]
    if 2 * len(numbers) < len(names) or not rows or len(set(numbers)) < 2:
        return False
    steps = {after > before for before, after in pairwise(numbers)}
    below = [
        row[place] for place, name in enumerate(names) if value(name) is not None for row in rows if place < len(row)
    ]
    return len(steps) == 2 and 2 * sum(value(cell) is not None for cell in below) >= len(below)


def numbered_columns(names: tuple[str, ...], rows: list[list[str]], beside_row_names: bool) -> bool:
    """Whether columns are called by numbers that follow each other: 0, 1, 2, … as pandas writes those without names,
    1, 2, 3, … or years, which may be some apart.

    Several, or from 0 or 1, beside row names; else several from 0 or 1, or several years, above no years.
    """
    own = names[1:] if beside_row_names and not names[0] else names
    first, second = (int(name) if name.isdecimal() else -1 for name in (*own, "", "")[:2])
    years = FIRST_YEAR <= first < second < LAST_YEAR
    step = second - first if years else 1
    if first < 0 or own != tuple(str(first + step * place) for place in range(len(own))):
        return False
    several = len(own) >= NUMBERED
    if beside_row_names:
        cells = [row[0] for row in rows if row]
        return (several or first <= 1) and len(set(cells)) == len(cells) > 1
    others = [cell.strip() for row in rows for cell in row]
    if years:
        return several and not any(cell.isdecimal() and FIRST_YEAR <= int(cell) < LAST_YEAR for cell in others)
    return several and first <= 1 and any(cell not in own for cell in others if cell)


def _header_less(names: tuple[str, ...], shown: str) -> str:
    shown_names = [quoted(name) for name in names[:3]] + (["…"] if len(names) > 3 else [])
    if len(names) == 1:
        would_be = f"the only column name would be {shown_names[0]}"
    else:
        would_be = f"the column names would be {', '.join(shown_names[:-1])} and {shown_names[-1]}"
    return f"{shown} looks header-less: {would_be}. Use --no-header, or --header to keep them."


def _is_a_row(names: tuple[str, ...], rows: list[list[str]], options: ReadOptions) -> bool:
    """Whether what could be a row can be nothing else: rows are as long, its numbers are none too large nor too small
    for their columns, and no scale of names.

    Not where columns were asked for by name: names are awaited then.
    """
    awaited = options.named or options.exclude or options.aside or not options.may_lack_header
    if awaited or len(rows) < ENOUGH or any(len(row) != len(names) for row in rows):
        return False
    numbers = list[float]()
    for place, name in enumerate(names):
        value = number(name, options.decimal, options.thousands)
        others = [number(row[place], options.decimal, options.thousands) for row in rows]
        below = [other for other in others if other is not None]
        if value is None:
            if name and 2 * len(below) >= len(rows) and all(row[place] != name for row in rows):
                return False
            continue
        lowest, highest = (min(below), max(below)) if below else (np.inf, -np.inf)
        width = highest - lowest
        if not lowest - width <= value <= highest + width or 2 * len(below) < len(rows):
            return False
        numbers.append(value)
    steps = {after > before for before, after in pairwise(numbers)}
    in_order = len(numbers) < NOT_IN_ORDER or (len(steps) == 1 and len(set(numbers)) == len(numbers))
    return bool(numbers) and not (in_order and _may_be_names(numbers))


def _may_be_names(numbers: list[float]) -> bool:
    """Whether numbers in order are whole, or as far from each other, or too many to be so by chance."""
    steps = np.diff(numbers)
    even = len(steps) > 1 and bool(np.ptp(steps) <= EVEN * abs(steps[0]))
    return len(numbers) > FEW or even or all(value.is_integer() for value in numbers)
