"""How the fields of a file are separated and what its columns are called."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice

from em_cli.errors import DataError
from em_cli.sources.numerals import number
from em_cli.sources.options import ReadOptions
from em_cli.sources.quoting import quoted
from em_cli.sources.records import records
from em_cli.sources.text import Lines

DELIMITERS = ",;\t|"
LOOK_AT = 20  # records


@dataclass(frozen=True, slots=True)
class Layout:
    names: tuple[str, ...]
    delimiter: str
    body_line: int | None  # the line after the header; None without a header


def layout(lines: Lines, shown: str, options: ReadOptions) -> Layout | None:
    """The layout of a file that begins with these lines; None if all of them are blank."""
    delimiter = options.separator or _guess(lines, shown, options)
    first = next(records(lines.text, delimiter, lines.first_line, shown), None)
    if first is None:
        return None
    if options.header is False:
        return Layout(tuple(f"x{i}" for i in range(1, len(first.fields) + 1)), delimiter, None)
    names = tuple(name.strip() for name in first.fields)
    if options.header is None and all(number(name, options.decimal, options.thousands) is not None for name in names):
        raise DataError(_header_less(names, shown))
    _check_names(names, first.line, shown)
    return Layout(names, delimiter, first.end)


def _guess(lines: Lines, shown: str, options: ReadOptions) -> str:
    """The one that cuts the first record into most fields, preferably the next ones into as many.

    A character that is part of numbers is the last choice.
    """
    best, most = ",", (False, False, 1)
    for delimiter in DELIMITERS:
        lengths = [len(record.fields) for record in islice(records(lines.text, delimiter, 1, shown), LOOK_AT)]
        if lengths and lengths[0] > 1:
            quality = (delimiter not in (options.decimal, options.thousands), len(set(lengths)) == 1, lengths[0])
            if quality > most:
                best, most = delimiter, quality
    return best


def _header_less(names: tuple[str, ...], shown: str) -> str:
    shown_names = [quoted(name) for name in names[:3]] + (["…"] if len(names) > 3 else [])
    if len(names) == 1:
        would_be = f"the only column name would be {shown_names[0]}"
    else:
        would_be = f"the column names would be {', '.join(shown_names[:-1])} and {shown_names[-1]}"
    return f"{shown} looks header-less: {would_be}. Use --no-header, or --header to keep them."


def _check_names(names: tuple[str, ...], line: int, shown: str) -> None:
    if "" in names:
        place = names.index("") + 1
        hint = {
            1: " If these are row names written by R or pandas, name the column in the file, or write it "
            "without them (row.names = FALSE, index=False).",
            len(names): " Is there a delimiter too many at the end of the header?",
        }.get(place, "")
        raise DataError(f"{shown}, line {line}: column {place} has no name in the header.{hint}")
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        places = " and ".join(str(place) for place, other in enumerate(names, 1) if other == name)
        raise DataError(
            f"{shown}, line {line}: the column name {quoted(name)} stands {times} times in the header "
            f"(columns {places}). Give each column a name of its own."
        )
