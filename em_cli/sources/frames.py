"""From delimited text to a pandas frame, every record with as many fields as there are columns."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype
from pandas.errors import DtypeWarning, ParserError, ParserWarning

from em_cli.errors import DataError
from em_cli.printable import safe
from em_cli.sources.decoding import Lines
from em_cli.sources.layout import Layout
from em_cli.sources.number_formats import MISSING, number
from em_cli.sources.quoting import plural
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.records import Record, records


@dataclass(frozen=True, slots=True)
class Found:
    """A cell as it stands in the file."""

    line: int | None  # None: the file has no lines
    text: str


class Reading(io.TextIOBase):
    """Text as a file; `io.StringIO` would first spread it over four bytes a character."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0

    def read(self, size: int | None = -1) -> str:
        first = self._at
        self._at = len(self._text) if size is None or size < 0 else first + size
        return self._text[first : self._at]


def frame_of_text(text: Lines, found: Layout, shown: str, options: ReadOptions) -> pd.DataFrame:
    """The rows as pandas reads them; `DataError` for a record of another length than the header."""
    missing = [mark for mark in (*MISSING, *options.na) if mark not in options.na_level]
    try:
        frame = _parsed(text, found, 0, missing, options)
    except (ParserError, ParserWarning) as error:
        blank = _blank_beyond(text, found, shown)
        if not blank or "inside string" in str(error):
            raise _unparsable(text, found, shown, options, str(error)) from None
        try:
            frame = _parsed(text, found, blank, missing, options)
        except (ParserError, ParserWarning) as further:
            raise _unparsable(text, found, shown, options, str(further)) from None
    if _to_be_counted(frame, text, found, shown):
        _refuse_ragged(text, found, shown, options)
    for name, dtype in frame.dtypes.items():
        if not is_numeric_dtype(dtype) and name != options.id:
            frame[name] = _without_padded(frame[name], missing)
    return frame


def _parsed(text: Lines, found: Layout, beyond: int, missing: list[str], options: ReadOptions) -> pd.DataFrame:
    """As pandas reads it, so many blank fields left out that stand beyond the last column."""
    names = list(found.names)
    no_names = [f"\n{place}" for place in range(beyond)]
    as_text: dict[str, type] | type | None = {name: str for name in names if options.as_text(name)} or None
    if options.thousands is not None:
        as_text = str  # pandas would take these marks out wherever they stand
    with warnings.catch_warnings():
        warnings.simplefilter("error", ParserWarning)
        warnings.simplefilter("ignore", DtypeWarning)
        frame = pd.read_csv(
            Reading(text.text),
            sep=found.delimiter,
            header=None,
            names=[*names, *no_names],
            index_col=False,
            skipinitialspace=True,
            decimal=options.decimal,
            dtype=as_text,
            keep_default_na=False,
            na_values=_missing_in([*names, *no_names], missing, options),
        )
    return frame[names] if beyond else frame


def _missing_in(names: list[str], missing: list[str], options: ReadOptions) -> list[str] | dict[str, list[str]]:
    """What marks a missing cell: in all columns, or by column where one differs, which costs pandas more."""
    aside = set(options.aside.values())
    if options.id not in names and not aside & set(names):
        return missing
    marks = {name: [*missing, *options.na_level, "None"] if name in aside else missing for name in names}
    return {name: own for name, own in marks.items() if name != options.id}


def _without_padded(cells: pd.Series[Any], missing: list[str]) -> pd.Series[Any]:
    """The cells, those missing as well that mark it with blanks behind."""
    if not any(isinstance(cell, str) and cell[-1:].isspace() for cell in cells.unique()):
        return cells
    texts = cells[cells.map(lambda cell: isinstance(cell, str) and cell[-1:].isspace()).to_numpy(dtype=bool)]
    padded = texts[texts.str.strip().isin(missing).to_numpy(dtype=bool)] if len(texts) else texts
    if not len(padded):
        return cells
    kept = cells.copy()
    kept[padded.index] = None
    return kept


def text_cell(text: Lines, found: Layout, shown: str, row: int, column: str) -> Found:
    """The cell in that row of the piece."""
    record = next(islice(records(text.text, found.delimiter, text.first_line, shown), row, None))
    place = found.names.index(column)
    return Found(record.line, record.fields[place] if place < len(record.fields) else "")


def _to_be_counted(frame: pd.DataFrame, text: Lines, found: Layout, shown: str) -> bool:
    """Whether some record may be of another length: pandas is silent if it is shorter, or all have a blank more."""
    if frame.empty:
        return False
    first = next(records(text.text, found.delimiter, text.first_line, shown))
    if len(first.fields) != len(found.names):
        return True
    last = frame[found.names[-1]]
    if len(found.names) == 1 or not bool((last.isna() | (last == "")).any()):
        return False  # a short record would lack the last cell
    return '"' in text.text or text.text.count(found.delimiter) != len(last) * (len(found.names) - 1)


def _blank_beyond(text: Lines, found: Layout, shown: str) -> int:
    """How many fields stand beyond the last column, in some record; 0 if not all of them are blank."""
    beyond = 0
    for record in records(text.text, found.delimiter, text.first_line, shown):
        if _too_long(record, found):
            return 0
        beyond = max(beyond, len(record.fields) - len(found.names))
    return beyond


def _too_long(record: Record, found: Layout) -> bool:
    """Whether there is anything beyond the last column; blank fields are nothing."""
    return any(field.strip() for field in record.fields[len(found.names) :])


def _refuse_ragged(text: Lines, found: Layout, shown: str, options: ReadOptions) -> None:
    width = len(found.names)
    for record in records(text.text, found.delimiter, text.first_line, shown):
        if len(record.fields) < width:
            words = len(record.fields) == 1 and number(record.fields[0]) is None
            note = " If it is a note below the table, take it out." if words else ""
            raise DataError(
                f"{_lengths(record, found, shown)} Is the file cut short? A missing value in the last column "
                f"still needs its delimiter.{note}{_no_header(record, found)}"
            )
        if _too_long(record, found):
            raise DataError(_lengths(record, found, shown) + _what_it_may_be(record, found, options))


def _unparsable(text: Lines, found: Layout, shown: str, options: ReadOptions, problem: str) -> DataError:
    line = text.first_line
    for record in records(text.text, found.delimiter, text.first_line, shown):
        line = record.line
        if "inside string" not in problem and (len(record.fields) < len(found.names) or _too_long(record, found)):
            return DataError(_lengths(record, found, shown) + _what_it_may_be(record, found, options))
    if "inside string" in problem:
        return DataError(f'{shown}, line {line}: a quote (") is opened here and never closed.')
    return DataError(f"{shown} cannot be read as delimited text: {safe(problem.strip())}")


def _lengths(record: Record, found: Layout, shown: str) -> str:
    wanted = "the header has" if found.body_line is not None else "the first line has"
    names = f"{len(found.names)}" + (f" with a name and {found.unnamed} without" if found.unnamed else "")
    return f"{shown}: line {record.line} has {plural(len(record.fields), 'field')}, {wanted} {names}."


def _no_header(record: Record, found: Layout) -> str:
    """What the first row says, if it is short."""
    first = record.line == found.body_line and (len(record.fields) < len(found.names) or found.unnamed > 0)
    return " If lines stand above the header, pass --skip N, the number of them." if first else ""


def _what_it_may_be(record: Record, found: Layout, options: ReadOptions) -> str:
    """What to do about a record that is too long, as far as it can be told."""
    width = len(found.names)
    if found.names[0][:1] in ("#", "%") and options.comment is None:
        return f" If the line taken for the header is a comment, pass --comment '{found.names[0][0]}'."
    if len(record.fields) <= width or found.unnamed:
        return _no_header(record, found)
    if width == 1:
        return " Is it the title of the table? Then pass --skip N, the number of lines above the header."
    hints = []
    n_numbers = sum(number(text) is not None for text in record.fields)
    if found.delimiter == "," and options.decimal == "." and 2 * n_numbers >= len(record.fields):
        hints.append("A decimal comma? Try --delimiter ';' --decimal ','.")
    if n_numbers == 0:
        hints.append(f"Is it the header? Then pass --skip {record.line - 1}.")
    if len(record.fields) == width + 1 and found.body_line == record.line:
        hints.append("Row names, as R writes them? Give them a name in the header.")
    return f" ({' '.join(hints)})" if hints else ""
