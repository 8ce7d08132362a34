"""What one would see by looking at the cells: marks of missing ones, dates in numbers, angles, ids, totals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import product
from math import prod

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.printable import safe
from em_cli.sources.circles import period_of
from em_cli.sources.column_facts import ENDS, Facts, Parts
from em_cli.sources.examined import Examined
from em_cli.sources.number_formats import written
from em_cli.sources.quoting import argument, excluding, joined, listed, plural, quoted
from em_cli.sources.schema import Column
from em_cli.sources.table import Notice

_MARK = re.compile(r"-[1789]|-?(9{2,}|8{2,}|7{2,})")
_MARK_AMONG_LEVELS = re.compile(r"-\d+|[89]|(9{2,}|8{2,}|7{2,})")
MARKS = 3  # that stand beside each other, such as 97, 98 and 99, at most
ENOUGH_OTHERS = 5  # distinct values, to say what is far from them
OFTEN = 3  # cells, and a mark may be nearer to the others if no other value is as frequent, or none is below zero
ENOUGH_DATES = 5
ROUNDING = 1e-4  # of a sum of cells that were rounded after they were added up
ENOUGH_ROWS = 5  # with the total
FEW_TOTALS = 0.1  # of the rows
ENOUGH_IDS, DIGITS = 20, 6  # rows that are all different, and digits of each
SOME = 1000  # rows that tell of all
NEAR = 0.1  # of the range, from row to row
ROUND = 0.25  # of the numbers end in zero, in ids at most
UNIX = {"seconds": 1e9, "milliseconds": 1e12}  # since 1970, from 2001 to 2039
_COUNTS = re.compile(r"freq(s|uency|uencies)?|counts?|n|number|cases", re.IGNORECASE)
_WEIGHTS = re.compile(
    r"(survey|sampl(e|ing)|samp|design|post[ _.-]?strat\w*)[ _.-]?(weights?|wt|wgt)|[pfa]weights?"
    r"|fnlwgt|finalwgt|finalwt|perwt|hhwt|wtssall|wt(int|mec)\d+yr|weightvar",
    re.IGNORECASE,
)
_DATES = re.compile(r"date|day|datum|time|created|updated", re.IGNORECASE)
_TOTAL = re.compile(
    r"(.*[\W_])?(sub[- ]?total|totals?|sum|average|mean|overall|summe|gesamt|insgesamt)[:.]?", re.IGNORECASE
)


def suspicions(columns: Mapping[str, Facts], place_of_last: Callable[[], str]) -> list[Notice]:
    """What to say of the columns of numbers."""
    notices = [Notice("looks_like_missing", said) for name in columns if (said := _marks(name, columns))]
    if _has_total(list(columns.values())):
        message = f"the last row ({place_of_last()}) is the sum of the rows above in every column of numbers; "
        notices.append(Notice("looks_like_total", f"{message}a total is no case: take it out of the file"))
    return notices


def may_be_otherwise(names: Sequence[str], parts: Parts) -> list[Notice]:
    """What to say of columns of numbers that may be dates, go round, or name the rows."""
    columns = {name: parts.facts(name) for name in names}
    return [*_dates(columns), *_circles(columns), *_ids(columns, parts)]


def table_of_counts(columns: Sequence[Column], parts: Parts) -> list[Notice]:
    """What to say of a table of counts: a row for each combination of levels, and one column of whole numbers."""
    numbers, levelled = ([one for one in columns if bool(one.levels) == told] for told in (False, True))
    if len(numbers) != 1 or len(levelled) < 2:
        return []
    name, names = numbers[0].name, [one.name for one in levelled]
    crossed = parts.n_rows == prod(len(one.levels) for one in levelled)
    if not crossed and not _COUNTS.fullmatch(name.strip()):
        return []
    facts = parts.facts(name)
    if not facts.whole or facts.values[0] < 0 or facts.n_finite < facts.n or parts.n_rows > SOME:
        return []
    if np.unique(parts.some(names, np.arange(parts.n_rows)), axis=1).shape[1] < parts.n_rows:
        return []
    once = "one row for each combination" if crossed else "no more than one row for each combination"
    message = f"{once} of {listed(names)}, with a whole number in {safe(name)}, fitted as one of "
    return [Notice("looks_like_weights", f"{message}the columns; if it counts alike cases: --weights {argument(name)}")]


def survey_weights(columns: Mapping[str, Facts]) -> list[Notice]:
    """What to say of columns that are named as weights of a survey are."""
    found = [name for name, column in columns.items() if _WEIGHTS.fullmatch(name.strip()) and column.values[0] >= 0]
    if not found:
        return []
    message = f"named as weights of a survey are, and fitted like the others: {listed(found)}; as weights: --weights "
    message += (
        f"{argument(found[0])} --weight-type sampling; {excluding(found)} leaves {'them' if found[1:] else 'it'} out"
    )
    return [Notice("looks_like_weights", message)]


def totals(name: str, column: Sequence[Examined]) -> list[Notice]:
    """What to say of a column of text that calls few of the rows totals or means of others."""
    texts = {text for part in column if part.texts is not None for text in part.texts if _TOTAL.fullmatch(text.strip())}
    if not texts:
        return []
    places = [[place for place, text in enumerate(part.texts or ()) if text in texts] for part in column]
    n = sum(int(np.isin(part.values, found).sum()) for part, found in zip(column, places, strict=True))
    if not 0 < n <= FEW_TOTALS * sum(part.n_rows for part in column):
        return []
    which = joined([quoted(text) for text in sorted(texts)[:3]]) + " and others" * (len(texts) > 3)
    message = f"{plural(n, 'row')} called {which} in {safe(name)}; totals are no cases: take them out of the file"
    return [Notice("looks_like_total", message)]


def spelled_alike(columns: Mapping[str, Sequence[str]]) -> list[Notice]:
    """What to say of levels that differ in capital letters or blanks only."""
    found = list[str]()
    for name, levels in columns.items():
        alike = dict[str, list[str]]()
        for level in levels:
            alike.setdefault(" ".join(level.casefold().split()), []).append(level)
        one = max(alike.values(), key=len, default=[])
        if len(one) > 1:
            found.append(f"{safe(name)}: {joined([quoted(level) for level in one])}")
    message = "levels that differ in capital letters or blanks only are fitted as different ones: {}; write them alike"
    return [Notice("levels_alike", message.format("; ".join(found)))] if found else []


def marks_among_levels(columns: Mapping[str, Facts]) -> list[Notice]:
    """What to say of columns of few whole numbers, one of which is apart and marks missing cells elsewhere."""
    found = list[Notice]()
    for name, column in columns.items():
        values, times = column.values, column.rows
        for end, others in ((-1, values[:-1]), (0, values[1:])):
            alike = len(others) > 1 and bool((np.diff(others) == 1).all()) and others[0] in (0, 1)
            if alike and _MARK_AMONG_LEVELS.fullmatch(written(values[end])) and abs(values[end] - others[end]) > 1:
                mark = written(values[end])
                message = (
                    f"{safe(name)} is {mark} in {plural(int(times[end]), 'cell')}, and from {written(others[0])} to "
                    f"{written(others[-1])} in the others; if it marks missing cells: --na {argument(mark)}"
                )
                found.append(Notice("looks_like_missing", message + _also(name, values[[end]], columns)))
    return found


def _marks(name: str, columns: Mapping[str, Facts]) -> str:
    """What to say of repeated values that mark missing cells elsewhere and lie far outside the others; or ""."""
    column = columns[name]
    values, times = column.values, column.rows
    known = MARKS if len(values) == column.n_distinct else ENDS - 1  # of more values not all are told
    for n_marks, high in product(range(1, 1 + known), (False, True)):
        own, others = (slice(-n_marks, None), values[:-n_marks]) if high else (slice(n_marks), values[n_marks:])
        marks, cells = values[own], times[own]
        if column.n_distinct - n_marks < ENOUGH_OTHERS or cells.sum() < 2 or not _are_marks(marks, high):
            continue
        distance = marks[0] - others[-1] if high else others[0] - marks[-1]
        often = cells.sum() >= OFTEN and cells.max() == times.max()
        alone = marks[-1] < 0 <= others[0] and cells.sum() >= OFTEN
        if distance > (others[-1] - others[0]) * (0.25 if alone else 0.5 if often else 1.0):
            which = " or ".join(map(written, marks))
            options = " ".join(f"--na {argument(written(mark))}" for mark in marks)
            return (
                f"{safe(name)} is {which} in {plural(int(cells.sum()), 'cell')}, and between {written(others[0])} "
                f"and {written(others[-1])} in the others; if {'it marks' if n_marks == 1 else 'these mark'} "
                f"missing cells: {options}"
            ) + _also(name, marks, columns)
    return ""


def _are_marks(marks: Array, high: bool) -> bool:
    """Whether the outermost number marks missing cells elsewhere, and the others follow it one by one."""
    return bool((np.diff(marks) == 1).all()) and _MARK.fullmatch(written(marks[-1 if high else 0])) is not None


def _also(name: str, marks: Array, columns: Mapping[str, Facts]) -> str:
    """Which other columns hold these numbers amid others: the option would take them for missing there too."""
    held = [
        other for other, column in columns.items() if other != name and bool(np.isin(column.values[1:-1], marks).any())
    ]
    return f" (in {listed(held)} too, where that number is amid others)" if held else ""


def _dates(columns: Mapping[str, Facts]) -> Iterator[Notice]:
    """Columns that may be times, counted from a day."""
    for name, column in columns.items():
        if column.n_distinct < ENOUGH_DATES:
            continue
        lowest, highest = column.values[0], column.values[-1]
        units = [f"{unit} since 1970" for unit, least in UNIX.items() if least <= lowest <= highest < 2.2 * least]
        if _DATES.search(name) and 20_000 <= lowest <= highest <= 80_000:
            units = ["days, as Excel counts them"]
        if units:
            leave = f"--exclude {argument(name)} leaves it out"
            yield Notice("looks_like_date", f"{safe(name)} may be dates ({units[0]}), fitted as a number; {leave}")


def _circles(columns: Mapping[str, Facts]) -> Iterator[Notice]:
    """Columns that may go round, so that their highest number is next to zero."""
    for name, column in columns.items():
        if (period := period_of(name, column.values[0], column.values[-1])) is not None:
            option = f"--type {argument(f'{name}=von_mises:{period}')}"
            message = f"{safe(name)} may go round, {period} being the same as 0, fitted as a number; else {option}"
            yield Notice("looks_like_angle", message)


def _ids(columns: Mapping[str, Facts], parts: Parts) -> Iterator[Notice]:
    """Columns of whole numbers that may be names: all different, as long as each other, and few of them round."""
    for name, column in columns.items():
        lowest, highest = column.values[0], column.values[-1]
        digits = len(written(lowest))
        if column.n < ENOUGH_IDS or not column.whole or lowest <= 0 or digits < DIGITS or lowest * 10 <= highest:
            continue
        some = parts.some([name], np.arange(min(column.n, SOME)))
        times = any(least <= lowest <= highest < 2.2 * least for least in UNIX.values())
        same = len(written(highest)) == digits and not times
        if same and np.mean(some % 10 == 0) <= ROUND and not _wanders(some[0]) and parts.all_differ(name):
            message = f"{safe(name)} holds different whole numbers of {digits} digits, as ids do, but is fitted; "
            yield Notice("looks_like_id", f"{message}else use --id {argument(name)}")


def _wanders(x: Array) -> bool:
    """Whether numbers (n,) go up and down by little by row, as sums by month do: ids are in order, or in none."""
    steps = np.diff(x)
    ordered = bool((steps > 0).all() or (steps < 0).all())
    return not ordered and float(np.abs(steps).mean()) < NEAR * float(np.ptp(x))


def _has_total(columns: list[Facts]) -> bool:
    """Whether the last row is the sum of the others in all columns."""
    if not columns or columns[0].n < ENOUGH_ROWS:
        return False
    sums, last = np.array([one.total for one in columns]), np.array([one.last for one in columns])
    return bool(sums.any() and np.allclose(sums, last, rtol=ROUNDING, atol=0))
