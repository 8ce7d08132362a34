"""How the fields of a file are separated and what its columns are called."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, replace
from itertools import islice

from em_cli.errors import DataError
from em_cli.sources import decimals
from em_cli.sources.above_header import lines_above
from em_cli.sources.decimals import Marks
from em_cli.sources.decoding import Lines
from em_cli.sources.header import lacks_header, numbered_columns
from em_cli.sources.number_formats import number
from em_cli.sources.quoting import quoted
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.records import Record, after_lines, records

DELIMITERS = ",;\t|"
LOOK_AT = 20  # records

_EXCEL = re.compile(r'"?sep=(.)"?\n', re.IGNORECASE)  # a first line that tells Excel the delimiter
_AMID_BLANKS = re.compile(r'"(?:[^"]|"")*"|\S+')  # fields
_NO_TABLE = {
    re.compile(r'\s*(\{\s*"|\[\s*[\[{])'): "is JSON, not delimited text: write the rows as CSV",
    re.compile(r"\s*<(!doctype|html|\?xml)\b", re.IGNORECASE): "is a page of HTML or XML, not delimited text",
}


@dataclass(frozen=True, slots=True)
class Layout:
    names: tuple[str, ...]
    delimiter: str
    body_line: int | None  # the line after the header; None without a header
    unnamed: int = 0  # columns at the end of the header without a name: they must be blank
    row_names: str | None = None  # what the first column is called here, where the header has no name for it
    above: int = 0  # lines above the header, found to be no part of the table
    marks: Marks | None = None  # in numbers, found where nobody had said so
    headed: bool = True  # whether a line names the columns


def layout(lines: Lines, shown: str, options: ReadOptions) -> Layout | None:
    """The layout of a file that begins with these lines; None if all of them are blank."""
    if not lines.text.strip():
        return None
    _check_table(lines, shown)
    own = _EXCEL.match(lines.text) if lines.first_line == 1 else None
    if own:
        lines = replace(lines, text=lines.text[own.end() :], first_line=2)
    above = 0 if own else _lines_above(lines, shown, options)
    if above:
        lines = replace(lines, text=after_lines(lines.text, above), first_line=1 + above)
    delimiter = options.separator or (own[1] if own else _guess(lines, shown, options))
    found = list(islice(records(lines.text, delimiter, lines.first_line, shown), 1 + LOOK_AT))
    if not found:
        return None
    first, marks = found[0], _marks(lines, delimiter, shown, options)
    options = options.with_marks(marks)
    if first.end == lines.first_line + lines.text.count("\n") + 1 and lines.text.count('"') % 2:
        raise DataError(f'{shown}, line {first.line}: a quote (") is opened here and never closed.')
    unheaded = Layout(
        tuple(f"x{i}" for i in range(1, len(first.fields) + 1)),
        delimiter,
        lines.first_line if own else None,
        marks=marks,
        headed=False,
    )
    if options.header is False:
        return unheaded
    every = _unquoted(tuple(name.strip().strip("\ufeff").strip() for name in first.fields))
    names = _without_blank_end(every)
    if options.header is None and options.skip is None and _are_counts(every, found[1:]):
        raise DataError(
            f"{shown}, line {first.line}: these look like counts of rows and columns ({every[0]}, {every[1]}), and no "
            "names of columns. Use --skip 1 --no-header, or --header to keep them."
        )
    cells, plain = [record.fields for record in found[1:]], delimiter in "\t " or _first_quoted(lines, found[1:])
    own_name = _free_name(names) if _has_row_names(names, found[1:], plain) else None
    numbered = numbered_columns(names, cells, own_name is not None)
    sure = replace(options, may_lack_header=options.may_lack_header and not above)
    if options.header is None and not numbered and lacks_header(every, names, cells, shown, sure):
        return unheaded
    if own_name is not None:
        names = (own_name, *(names[1:] if not names[0] else names))
    _check_names(names, first.line, shown)
    return Layout(names, delimiter, first.end, max(len(every) - len(names), 0), own_name, above, marks)


def _check_table(lines: Lines, shown: str) -> None:
    """`DataError` for text that is something else than a table."""
    for form, what in _NO_TABLE.items():
        if form.match(lines.text):
            raise DataError(f"{shown} {what}.")


def _lines_above(lines: Lines, shown: str, options: ReadOptions) -> int:
    """Lines above the header that are no part of the table, where they are looked for."""
    if options.skip is not None or options.header is False or lines.first_line != 1:
        return 0
    return lines_above(lines, options.separator or DELIMITERS, shown)


def _marks(lines: Lines, delimiter: str, shown: str, options: ReadOptions) -> Marks | None:
    """Marks in numbers, where the user said nothing of them and commas do not part the fields."""
    if delimiter == "," or options.decimal != "." or options.thousands is not None or "," not in lines.text:
        return None
    first = islice(records(lines.text, delimiter, lines.first_line, shown), 1, 1 + decimals.LOOK_AT)
    return decimals.decimal_commas([record.fields for record in first], [*options.na, "NA", "NaN", "n/a", "NULL", "-"])


def _has_row_names(names: tuple[str, ...], rows: list[Record], plain: bool) -> bool:
    """Whether the first column holds names of the rows, as pandas and R write them: unnamed, or not in the header.

    It is plain that a whole number in front is none with a decimal comma where it is quoted, or commas part no fields.
    """
    if "" in names[1:]:
        return False
    if not names[0]:
        return len(names) > 1
    if not rows or any(len(row.fields) != len(names) + 1 or not row.fields[-1].strip() for row in rows):
        return False
    first = [row.fields[0].strip() for row in rows]
    if len(set(first)) < len(rows):
        return False
    counted = first == [str(place) for place in range(1, len(rows) + 1)] and len(rows) > 2
    if all(row.fields[-1].strip() == "NA" for row in rows):  # rather a field too many
        return counted and plain
    whole = plain and len(rows) > 2 and all(name.isdecimal() for name in first)  # of rows of a larger table
    return counted or whole or all(name and number(name) is None for name in first)


def _first_quoted(lines: Lines, rows: list[Record]) -> bool:
    """Whether each of the rows begins with a quote."""
    texts = lines.text.split("\n", rows[-1].end - lines.first_line) if rows else [""]
    return all(texts[row.line - lines.first_line].lstrip().startswith('"') for row in rows)


def _unquoted(names: tuple[str, ...]) -> tuple[str, ...]:
    """Names without the apostrophes that some programs put about every one of them."""
    about = len(names) > 1 and all(len(name) > 2 and name[0] == name[-1] == "'" for name in names)
    return tuple(name[1:-1].strip() for name in names) if about else names


def _free_name(names: tuple[str, ...]) -> str:
    name = "row"
    while name in names:
        name += "_"
    return name


def _without_blank_end(names: tuple[str, ...]) -> tuple[str, ...]:
    while len(names) > 1 and not names[-1]:
        names = names[:-1]
    return names


def _guess(lines: Lines, shown: str, options: ReadOptions) -> str:
    """The one that cuts the first record into most fields, preferably the next ones into as many.

    A character that is part of numbers is the last choice. `DataError` if it could be this or that.
    """
    found: dict[str, tuple[bool, bool, int]] = {}
    for delimiter in DELIMITERS:
        lengths = [len(record.fields) for record in islice(records(lines.text, delimiter, 1, shown), LOOK_AT)]
        if lengths and lengths[0] > 1:
            own = delimiter not in (options.decimal, options.thousands)
            found[delimiter] = (own, len(set(lengths)) == 1, lengths[0])
    if not found:
        return " " if _has_blanks_between(lines, shown) else ","
    best = max(found, key=lambda delimiter: found[delimiter])
    for other, quality in found.items():
        if other != best and quality[:2] == (True, True):
            raise DataError(
                f"{shown} may be separated by {_argument(best)} or by {_argument(other)}: each line has "
                f"{found[best][2]} fields by the one, {quality[2]} by the other. Say which it is with --delimiter."
            )
    return best


def _has_blanks_between(lines: Lines, shown: str) -> bool:
    """Whether blanks cut all records into as many cells, mostly numbers, below words; `DataError` where that is in
    doubt, or where colons do it."""
    rows = list(islice((line for line in lines.text.split("\n") if line.strip()), LOOK_AT))
    for mark in (None, ":"):
        fields = [_AMID_BLANKS.findall(row) if mark is None else row.split(mark) for row in rows]
        if mark is None and len(fields) > 1 and len(fields[1]) == len(fields[0]) + 1:
            fields[0] = ["", *fields[0]]  # a header without a name for the row names, as R writes it
        cells = [cell for row in fields[1:] for cell in row]
        if len({len(row) for row in fields}) > 1 or len(fields[0]) == 1 or not cells:
            continue
        if 2 * sum(number(cell) is not None for cell in cells) >= len(cells):
            names = [number(name.strip('"')) is not None for name in fields[0]]
            if mark is None and not any(names):
                return True
            by, argument = ("blanks", "' '") if mark is None else ("colons", mark)
            argument += " --no-header" if all(names) else ""
            raise DataError(
                f"{shown} looks separated by {by}: pass --delimiter {argument}; "
                "or --delimiter , if it is one column all the same."
            )
    return False


def _argument(delimiter: str) -> str:
    return "tab" if delimiter == "\t" else f"'{delimiter}'"


def _are_counts(names: tuple[str, ...], rows: list[Record]) -> bool:
    """Whether a first line begins with the numbers of rows and of columns, or of columns but the last."""
    if len(names) < 3 or not rows or not all(name.isdecimal() for name in names[:2]):
        return False
    width = len(rows[0].fields)
    return int(names[1]) in (width, width - 1) and int(names[0]) >= len(rows) and len(set(names)) > 2


def _check_names(names: tuple[str, ...], line: int, shown: str) -> None:
    if "" in names:
        place = names.index("") + 1
        hint = " If lines stand above the header, pass --skip N, the number of them."
        raise DataError(f"{shown}, line {line}: column {place} has no name in the header.{hint}")
    name, times = Counter(names).most_common(1)[0]
    if times > 1:
        places = " and ".join(str(place) for place, other in enumerate(names, 1) if other == name)
        raise DataError(
            f"{shown}, line {line}: the column name {quoted(name)} stands {times} times in the header "
            f"(columns {places}). Give each column a name of its own."
        )
