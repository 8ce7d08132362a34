"""From delimited text to a pandas frame, every record with as many fields as there are columns."""

from __future__ import annotations

import io
import warnings
from dataclasses import dataclass
from itertools import islice

import pandas as pd
from pandas.errors import DtypeWarning, ParserError, ParserWarning

from em_cli.errors import DataError
from em_cli.sources.layout import Layout
from em_cli.sources.numerals import number
from em_cli.sources.options import ReadOptions
from em_cli.sources.quoting import plain, plural
from em_cli.sources.records import Record, records
from em_cli.sources.text import Lines

# pandas's own, written down because ids are to be spared them
MISSING = [
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
]


@dataclass(frozen=True, slots=True)
class Found:
    """A cell as it stands in the file."""

    line: int | None  # None: the file has no lines
    text: str


class _Reading(io.TextIOBase):
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
    names = list(found.names)
    missing = [*MISSING, *options.na]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ParserWarning)
            warnings.simplefilter("ignore", DtypeWarning)
            frame = pd.read_csv(
                _Reading(text.text),
                sep=found.delimiter,
                header=None,
                names=names,
                index_col=False,
                skipinitialspace=True,
                decimal=options.decimal,
                thousands=options.thousands,
                dtype={name: str for name in names if options.as_text(name)} or None,
                keep_default_na=False,
                na_values=missing if options.id is None else {name: missing for name in names if name != options.id},
            )
    except (ParserError, ParserWarning) as error:
        raise _unparsable(text, found, shown, options, str(error)) from None
    if _to_be_counted(frame, text, found, shown):
        _refuse_ragged(text, found, shown)
    return frame


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


def _refuse_ragged(text: Lines, found: Layout, shown: str) -> None:
    width = len(found.names)
    for record in records(text.text, found.delimiter, text.first_line, shown):
        if len(record.fields) < width:
            raise DataError(
                f"{_lengths(record, found, shown)} Is the file cut short? "
                "A missing value in the last column still needs its delimiter."
            )
        if len(record.fields) > width and record.fields[width:] != [""]:
            raise DataError(_lengths(record, found, shown))


def _unparsable(text: Lines, found: Layout, shown: str, options: ReadOptions, problem: str) -> DataError:
    line = text.first_line
    for record in records(text.text, found.delimiter, text.first_line, shown):
        line = record.line
        if "inside string" not in problem and len(record.fields) != len(found.names):
            return DataError(_lengths(record, found, shown) + _decimal_comma(record, found, options))
    if "inside string" in problem:
        return DataError(f'{shown}, line {line}: a quote (") is opened here and never closed.')
    return DataError(f"{shown} cannot be read as delimited text: {plain(problem.strip())}")


def _lengths(record: Record, found: Layout, shown: str) -> str:
    wanted = "the header has" if found.body_line is not None else "the first line has"
    return f"{shown}: line {record.line} has {plural(len(record.fields), 'field')}, {wanted} {len(found.names)}."


def _decimal_comma(record: Record, found: Layout, options: ReadOptions) -> str:
    if found.delimiter != "," or options.decimal != "." or len(record.fields) < len(found.names):
        return ""
    if sum(number(text) is not None for text in record.fields) < len(record.fields) / 2:
        return ""
    return " (A decimal comma? Try --delimiter ';' --decimal ','.)"
