"""The type of a column of text, or of numbers that are written as codes are; or why it is left out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from em_cli.sources.examined import Examined
from em_cli.sources.measures import clock_times
from em_cli.sources.number_formats import number, writings, written
from em_cli.sources.quoting import plural, quoted
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.refusals import MARKS, refuse_text, without

_DATE = re.compile(
    r"\d{4}[-/.]\d{1,2}([-/.]\d{1,2})?([T ].*)?$|\d{1,2}[-/.]\d{1,2}[-/.]\d{2,4}([T ].*)?$|\d{1,2}:\d\d"
    r"|-?\d+ days( .*)?$"  # a duration, as pandas writes it
    r"|\d{4}[- ]?[QMW]\d{1,2}$|[QMW]\d{1,2}[- ]?\d{4}$"  # a quarter, month or week
    r"|(\w+, )?(\d{1,2}[ -])?(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]{0,6}\.?[ -]"
    r"((\d{1,2},? )?\d{4}|\d{2})$"  # 3 January 1999, Jan-99
)
_SEVERAL = re.compile(r"\W*[-+]?\d+(\.\d*)?%?(\s*([-–/×x*,;:|]|to|\s|±|\()\s*[-+]?\d+(\.\d*)?%?)+\W*")
ENOUGH = 20  # rows, for text that mostly differs to name them
MANY_LEVELS = 100
FEW_PER_LEVEL = 5  # rows
FEW_NUMBERS, SEVERAL = 7, 2  # that are taken for levels where words stand among them, and rows of each
MANY_WORDS = 0.05  # of the cells, words with a number in them: those that are numbers are codes too

LEFT_OUT = {
    "text_column": "left out, being text: {}",
    "date_column": "left out as dates: {}; --type NAME=categorical fits them as categories",
    "time_column": "left out as times of the day or durations: {}; --unit NAME=s reads them as seconds",
    "several_numbers": "left out, with several numbers in each cell: {}; have a column for each if they are to be "
    "fitted",
    "row_names": "left out, as nearly every cell is different: {}; --type NAME=categorical fits it anyway",
    "code_column": "left out, written with leading zeros as codes are: {}; --type NAME=categorical takes it "
    "as levels, --type NAME=numeric as a number",
    "quoted_column": "left out, many numbers in quotes, as names or codes are, where others of the file have none: {}; "
    "--type NAME=numeric takes it as a number, --type NAME=categorical as levels",
    "too_many_levels": "left out, having too many levels for categories: {}; --type NAME=categorical fits it anyway",
    "empty_column": "left out, being empty: {}",
    "nearly_empty": "left out, having cells in few rows only: {}; --columns names what is fitted anyway",
    "constant_column": "left out, having one value only: {}",
}  # why, and what is said of the columns


def kind_of_text(name: str, column: Sequence[Examined], asked: str, options: ReadOptions) -> tuple[str, str]:
    """The type of a column in which some cells are no numbers, and why; or the reason to leave it out."""
    n_text, n_present = sum(part.n_text for part in column), present(column)
    if mostly_numbers(column) or (asked != "auto" and name in options.named):
        if asked == "auto" and _are_levels(column, n_text, n_present):
            return "categorical", f"numbers and words, {plural(len(levels_of(column)), 'level')}"
        refuse_text(name, column, None if name in options.needed else without(name, options))
    if asked != "auto":
        return "text_column", ""
    levels = levels_of(column)
    if name not in options.named:
        if clock_times(levels):
            return "time_column", ""
        if all(_DATE.match(text) for text in levels):
            return "date_column", ""
        if len(levels) == n_present > 2 or (n_present >= ENOUGH and 2 * len(levels) > n_present):
            alike = all(map(_SEVERAL.fullmatch, levels))
            return ("several_numbers", f"such as {quoted(levels[0])}") if alike else ("row_names", "")
        if len(levels) > MANY_LEVELS:
            return "too_many_levels", f"{len(levels):,}"
    return "categorical", f"text, {plural(len(levels), 'level')}"


def mostly_numbers(column: Sequence[Examined]) -> bool:
    """Whether at least half of the cells of a column that has words are numbers, in some way of writing."""
    n_text, n_words = sum(part.n_text for part in column), sum(part.n_text - part.n_foreign for part in column)
    return n_text > 0 and 2 * n_words <= present(column)


def _are_levels(column: Sequence[Examined], n_text: int, n_present: int) -> bool:
    """Whether words stand among few numbers, each in several rows; or codes such as 1a among others such as 1."""
    words: Counter[str] = Counter()
    for part in column:
        words.update(part.forms)
    if writings(words) or any(form.strip() in MARKS for form in words):
        return False
    numbers = _rows_of_numbers(column)
    n_levels = len(numbers) + len(words)
    if min(words.values()) < SEVERAL or n_present < max(ENOUGH, FEW_PER_LEVEL * n_levels):
        return False
    if len(numbers) <= FEW_NUMBERS:
        return min(numbers.values()) >= SEVERAL
    codes = sum(n for form, n in words.items() if any(map(str.isdigit, form)))
    return n_levels <= MANY_LEVELS and 2 * codes >= n_text >= MANY_WORDS * n_present


def _rows_of_numbers(column: Sequence[Examined]) -> Counter[str]:
    """The numbers among the cells, and the rows that bear each."""
    found: Counter[str] = Counter()
    for part in column:
        values, rows = np.unique(part.values[np.isfinite(part.values)], return_counts=True)
        cells = map(written, values) if part.texts is None else (part.texts[int(value)] for value in values)
        for cell, n in zip(cells, rows.tolist(), strict=True):
            if number(cell) is not None:
                found[cell] += n
    return found


def kind_of_codes(name: str, column: Sequence[Examined], options: ReadOptions) -> tuple[str, str]:
    """The same of numbers with leading zeros: levels, where they are few."""
    n_levels = len(levels_of(column))
    if name not in options.named and (n_levels > MANY_LEVELS or present(column) < FEW_PER_LEVEL * n_levels):
        return "code_column", f"{n_levels:,} different"
    return "categorical", f"leading zeros, {plural(n_levels, 'level')}"


def present(column: Sequence[Examined]) -> int:
    return sum(part.n_rows - part.n_missing for part in column)


def levels_of(column: Sequence[Examined]) -> tuple[str, ...]:
    """The distinct cells: numbers by size, before texts in alphabetical order."""
    found: set[str] = set()
    for part in column:
        found.update(
            part.texts if part.texts is not None else map(written, np.unique(part.values[np.isfinite(part.values)]))
        )

    def place(text: str) -> tuple[bool, float, str]:
        value = number(text)
        return value is None, value or 0.0, text

    return tuple(sorted(found, key=place))
