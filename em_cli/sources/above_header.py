"""Lines above the header: titles and notes that reports and instruments write before the table."""

from __future__ import annotations

from itertools import islice

from em_cli.sources.decimals import DRESS
from em_cli.sources.decoding import Lines
from em_cli.sources.number_formats import MISSING, number
from em_cli.sources.records import Record, records

LOOK_AT = 60  # records
MOST = 40  # records above the header
FEWEST = 3  # records of the table, the header among them


def lines_above(lines: Lines, delimiters: str, shown: str) -> int:
    """How many lines stand above the header, where it is unmistakable; else 0."""
    found = {_above(list(islice(records(lines.text, mark, 1, shown), LOOK_AT))) for mark in delimiters} - {0}
    return found.pop() if len(found) == 1 else 0


def _above(rows: list[Record]) -> int:
    """The lines above a header of names that all records below agree with in their length, and none above.

    Titles may be as wide as the table, as Excel writes them, but are not filled.
    """
    width = len(rows[-1].fields) if rows else 0
    header = next((place for place, row in enumerate(rows) if _filled(row) >= width), 0)
    above, table = rows[:header], rows[header:]
    if width < 2 or not 0 < header <= MOST or len(table) < FEWEST:
        return 0
    names = table[0].fields
    names = names[: max(width, len(names) - sum(not field.strip() for field in names[width:]))]  # blank at the end
    if any(len(row.fields) != width for row in table[1:]) or len(names) != width or not _names(names):
        return 0
    if header == 1 and len(above[0].fields) == width - 1:  # a header that lacks the name of the row names
        return 0
    if any(_filled(row) and len(row.fields) >= width and not row.fields[0].strip() for row in above):  # row names
        return 0
    numbers = sum(_is_number(cell) for row in table[1:] for cell in row.fields)
    return table[0].line - 1 if numbers >= len(table) - 1 else 0


def _filled(row: Record) -> int:
    """How many fields are not blank."""
    return sum(bool(field.strip()) for field in row.fields)


def _is_number(cell: str) -> bool:
    """Whether a cell is a number, maybe with a decimal comma, or with a currency or percent sign."""
    return any(number(cell.strip(DRESS), *marks) is not None for marks in ((".", None), (",", ".")))


def _names(fields: list[str]) -> bool:
    """Whether these are names of columns, all different, and none a missing cell."""
    names = [field.strip() for field in fields]
    return all(name not in MISSING and number(name) is None for name in names) and len(set(names)) == len(names)
