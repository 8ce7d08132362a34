"""What one would see by looking at the numbers: marks of missing cells, dates in one number, a last total."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

from em_cli.printable import safe
from em_cli.sources.column_facts import Facts
from em_cli.sources.number_formats import written
from em_cli.sources.quoting import argument, plural
from em_cli.sources.table import Notice

_MARK = re.compile(r"-1|-?(9{2,}|8{2,}|7{2,})")
ENOUGH_OTHERS = 5  # distinct values, to say what is far from them
OFTEN = 3  # cells, and a mark may be nearer to the others if no other value is as frequent, or none is below nought
ROUNDING = 1e-4  # of a sum of cells that were rounded after they were added up
ENOUGH_ROWS = 5  # with the total


def suspicions(columns: Mapping[str, Facts], place_of_last: Callable[[], str]) -> list[Notice]:
    """What to say of the columns of numbers."""
    notices = [Notice("looks_like_missing", said) for name, own in columns.items() if (said := _marks(name, own))]
    if _has_total(list(columns.values())):
        message = f"the last row ({place_of_last()}) is the sum of the rows above in every column of numbers; "
        notices.append(Notice("looks_like_total", f"{message}a total is no case: take it out of the file"))
    return notices


def _marks(name: str, column: Facts) -> str:
    """What to say of a repeated value that marks missing cells elsewhere and lies far outside the others; or ""."""
    values, times = column.values, column.rows
    for end, others in ((0, values[1:]), (-1, values[:-1])):
        if column.n_distinct - 1 < ENOUGH_OTHERS or times[end] < 2 or not _MARK.fullmatch(written(values[end])):
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


def _has_total(columns: list[Facts]) -> bool:
    """Whether the last row is the sum of the others in all columns."""
    if not columns or columns[0].n < ENOUGH_ROWS:
        return False
    sums, last = np.array([one.total for one in columns]), np.array([one.last for one in columns])
    return bool(sums.any() and np.allclose(sums, last, rtol=ROUNDING, atol=0))
