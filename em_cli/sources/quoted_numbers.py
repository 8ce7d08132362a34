"""Numbers in quotes in a file whose other numbers have none: codes, as `write.csv` of R writes factors and text."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import islice

from em_cli.sources.codes import as_codes
from em_cli.sources.column_facts import Facts, Parts
from em_cli.sources.column_types import FEW_LEVELS, SEVERAL, kind_of_numbers
from em_cli.sources.identifiers import identifies, repeats_ids
from em_cli.sources.number_formats import MISSING, number
from em_cli.sources.pieces import Piece
from em_cli.sources.quoting import argument, listed, plural
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.table import Notice
from em_cli.sources.text_types import FEW_PER_LEVEL, MANY_LEVELS

LOOK_AT, MOST_CELLS = 500, 50_000  # rows at the top of a file, and cells of these
SOME = 20  # cells of a column that must be numbers: whether all are is known otherwise
NUMERIC = ("numeric", "count", "semicontinuous")  # which other numbers are levels anyway


def quotes_of(piece: Piece, options: ReadOptions) -> dict[str, bool | None]:
    """By column, whether all numbers at the top of a file are in quotes that they do not need, or none of them is.

    None where it is neither; columns without any cell there are left out.
    """
    rows = min(LOOK_AT, MOST_CELLS // len(piece.names)) - piece.first_row
    if piece.text is None or rows <= 0:
        return {}
    if '"' not in piece.text.body.text:
        return dict.fromkeys(piece.names, False)
    columns: list[dict[str, None]] = [{} for _ in piece.names]  # distinct cells
    for fields in islice(_records(piece.text.body.text, piece.text.delimiter), rows):
        if len(fields) == len(columns):
            for column, field in zip(columns, fields, strict=True):
                column[field] = None
    nothing = {*MISSING, *options.na, *options.nothing_among_numbers}
    found = dict[str, bool | None]()
    for name, column in zip(piece.names, columns, strict=True):
        if cells := [cell for cell in column if cell.strip(' "') not in nothing]:
            found[name] = _all_quoted(cells, piece.text.delimiter, options)
    return found


def _all_quoted(cells: Sequence[str], delimiter: str, options: ReadOptions) -> bool | None:
    quoted = {cell[:1] == '"' for cell in cells}
    bare = [cell.strip('"') for cell in cells]
    if len(quoted) > 1 or any(delimiter in cell for cell in bare):
        return None
    if any(number(cell, options.decimal, options.thousands) is None for cell in bare[:SOME]):
        return None
    return quoted.pop()


def _records(text: str, delimiter: str) -> Iterator[list[str]]:
    """The fields of each record, quotes and all."""
    mark = re.escape(delimiter)
    field = re.compile(rf' *("(?:[^"]|"")*"|[^{mark}\n]*?) *({mark}|\n|\Z)')
    fields, at = list[str](), 0
    while at < len(text) and (match := field.match(text, at)):
        fields.append(match[1])
        at = match.end()
        if match[2] != delimiter:
            yield fields
            fields = []


def take_quoted(
    parts: Parts, quotes: Mapping[str, Collection[bool | None]], options: ReadOptions, notices: list[Notice]
) -> dict[str, tuple[str, str]]:
    """Have few numbers stand as levels where they are codes by their quotes; the type of such columns, and why.

    Where whole numbers are too many for levels, it is the reason to leave them out; other numbers are kept as such.
    """
    numbers = [name for name, column in parts.items() if not any(part.n_text or part.texts for part in column)]
    if not any(all(one is False for one in own) for own in quotes.values()):
        return {}
    quoted = [name for name in numbers if name in quotes and all(quotes[name])]
    codes = [name for name in quoted if _may_be_codes(name, parts, options)]
    found, as_numbers = dict[str, tuple[str, str]](), list[str]()
    for name in codes:
        column = parts.facts(name)
        if _few(column):
            parts[name] = [as_codes(part) for part in parts[name]]
            found[name] = "categorical", f"in quotes, {plural(column.n_distinct, 'level')}"
        elif column.whole and name not in options.named:
            found[name] = "quoted_column", ""
        else:
            as_numbers.append(name)
    what = "numbers in quotes, where others of the file have none"
    if levels := [name for name, (kind, _) in found.items() if kind == "categorical"]:
        end = f"--type {argument(f'{levels[0]}=numeric')} takes it as a number"
        notices.append(Notice("quoted_numbers", f"{what}, taken as levels: {listed(levels)}; {end}"))
    if as_numbers:
        end = f"--exclude {argument(*as_numbers)} leaves {'it' if len(as_numbers) == 1 else 'them'} out"
        notices.append(Notice("quoted_numbers", f"{what}, fitted as numbers all the same: {listed(as_numbers)}; {end}"))
    return found


def _may_be_codes(name: str, parts: Parts, options: ReadOptions) -> bool:
    """Whether nobody said what a column is, and its numbers would be fitted as such."""
    if options.type_of(name) != "auto" or name in options.regressors or name == options.response:
        return False
    if identifies(name, parts) or repeats_ids(name, parts):
        return False
    return kind_of_numbers(name, parts.facts(name), options)[0] in NUMERIC


def _few(column: Facts) -> bool:
    """Whether there are several rows for each number."""
    if column.n_distinct <= FEW_LEVELS:
        return bool(column.rows.min() >= SEVERAL)
    return column.n_distinct <= MANY_LEVELS and column.n_finite >= FEW_PER_LEVEL * column.n_distinct
