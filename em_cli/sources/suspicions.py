"""What one would see by looking at the numbers: marks of missing cells, dates in one number, a last total."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.printable import safe
from em_cli.sources.examined import written
from em_cli.sources.quoting import argument, plural
from em_cli.sources.table import Notice

_MARK = re.compile(r"-1|-?(9{2,}|8{2,}|7{2,})")
ENOUGH_OTHERS = 5  # distinct values, to say what is far from them
OFTEN = 3  # cells, and a mark may be nearer to the others if no other value is as frequent, or none is below nought
ENOUGH_DATES = 5
ROUNDING = 1e-4  # of a sum of cells that were rounded after they were added up
ENOUGH_ROWS = 5  # with the total


def suspicions(columns: Mapping[str, Array], place_of_last: Callable[[], str]) -> list[Notice]:
    """What to say of the columns of numbers, each with a value per row, NaN where that is missing."""
    notices = [Notice("looks_like_missing", said) for name, x in columns.items() if (said := _marks(name, x))]
    if _has_total(list(columns.values())):
        message = f"the last row ({place_of_last()}) is the sum of the rows above in every column of numbers; "
        notices.append(Notice("looks_like_total", f"{message}a total is no case: take it out of the file"))
    return notices


def are_dates(values: Array) -> bool:
    """Whether whole numbers all write a day, as 20191201 does."""
    distinct = np.unique(values)
    year, month, day = distinct // 10000, distinct // 100 % 100, distinct % 100
    possible = (year >= 1800) & (year < 2200) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    return len(distinct) >= ENOUGH_DATES and bool(possible.all())


def _marks(name: str, x: Array) -> str:
    """What to say of a repeated value that marks missing cells elsewhere and lies far outside the others; or ""."""
    values, times = np.unique(x[np.isfinite(x)], return_counts=True)
    for end, others in ((0, values[1:]), (-1, values[:-1])):
        if len(others) < ENOUGH_OTHERS or times[end] < 2 or not _MARK.fullmatch(written(values[end])):
            continue
        distance = others[0] - values[end] if end == 0 else values[end] - others[-1]
        reach = others[-1] - others[0]
        often = times[end] >= OFTEN and times[end] == times.max()
        alone = values[end] < 0 <= others[0] and times[end] >= OFTEN
        if distance > reach * (0.25 if alone else 0.5 if often else 1.0):
            mark = written(values[end])
            return (
                f"{safe(name)} is {mark} in {plural(int(times[end]), 'cell')}, and between {written(others[0])} and "
                f"{written(others[-1])} in the others; if it marks missing cells: --na {argument(mark)}"
            )
    return ""


def _has_total(columns: list[Array]) -> bool:
    """Whether the last row is the sum of the others in all columns."""
    if not columns or len(columns[0]) < ENOUGH_ROWS:
        return False
    sums, last = np.array([np.nansum(x[:-1]) for x in columns]), np.array([x[-1] for x in columns])
    return bool(sums.any() and np.allclose(sums, last, rtol=ROUNDING, atol=0))
