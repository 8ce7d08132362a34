"""Which columns and rows are fitted, once all have been seen."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from em_cli.engine.arrays import Flags
from em_cli.errors import DataError
from em_cli.printable import safe
from em_cli.sources.column_facts import Facts, Parts
from em_cli.sources.domains import SMALLEST_SPREAD
from em_cli.sources.examined import Examined
from em_cli.sources.pieces import Piece
from em_cli.sources.quoting import argument, excluding, joined, listed, plural, quoted
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.refusals import (
    constant_columns,
    counts,
    missing_cells,
    narrow_column,
)
from em_cli.sources.row_blocks import Filling
from em_cli.sources.schema import Schema
from em_cli.sources.table import Notice

_ID_NAME = re.compile(
    r"(row|obs|index|case)?[ _.]?(id|index|row|names?|number)|unnamed.*"
    r"|(subject|patient|participant|respondent)s?([ _.]?(id|nr|no|number))?",
    re.IGNORECASE,
)
NOT_FITTED = "not fitted, and given the mixing weights as probabilities"
EMPTY_STEPS = "steps in time of which nothing is seen"
EMPTY_IN_GROUPS = "known by the others of their groups"
FEW = 3  # rows; fewer that count up mean nothing


@dataclass(frozen=True, slots=True, eq=False)
class Usable:
    """Which rows can be fitted, piece by piece."""

    columns: Sequence[Sequence[Examined]]
    rule: Literal["all", "any", "every"]  # cells of these columns that a row must have: any of them, or each

    def of(self, piece: int) -> Flags:
        """(n,)."""
        here = [column[piece] for column in self.columns]
        n = here[0].n_rows
        gappy = [part for part in here if part.n_missing]
        if self.rule == "every" or not gappy:
            return all_of([~np.isnan(part.values) for part in gappy], n)
        if self.rule == "any" and len(gappy) == len(here):
            return ~all_of([np.isnan(part.values) for part in gappy], n)
        return np.ones(n, np.bool_)

    @property
    def n_pieces(self) -> int:
        return len(self.columns[0])

    def count(self) -> int:
        """So many rows."""
        return sum(int(np.count_nonzero(self.of(piece))) for piece in range(self.n_pieces))


def all_of(flags: Sequence[Flags], n: int) -> Flags:
    """(n,) where all of these are set."""
    both = np.ones(n, np.bool_)
    for own in flags:
        both &= own
    return both


def usable_rows(
    parts: Parts, kept: Sequence[str], n_read: int, shown: str, options: ReadOptions
) -> tuple[Usable, dict[str, int], list[Notice]]:
    """Rows that can be fitted, the number of missing cells per column, and what to say of it.

    These are the rows with any cell where missing ones are modelled, else those with all of them.
    """
    columns = [parts[name] for name in kept]
    described = [parts[name] for name in kept if name not in options.regressors]
    complete, seen = Usable(columns, "every"), Usable(described or columns, "any")
    counted = {name: sum(part.n_missing for part in parts[name]) for name in kept}
    n_missing = {name: n for name, n in counted.items() if n}
    if not n_missing:
        return complete, n_missing, []
    if options.missing == "model" and options.response is not None and not options.sequential:
        return _with_response(parts[options.response], n_read, n_missing)
    if options.missing == "model":
        n_empty = n_read - seen.count()
        n_gappy = n_read - complete.count() - (0 if options.sequential else n_empty)  # that have some cells
        message = f"{plural(n_gappy, 'row')} of {n_read:,} with missing cells ({counts(n_missing)}) "
        message += "fitted by their observed cells"
        message += "" if options.sequential else "; --missing drop leaves such rows out"
        notices = [Notice("missing_modelled", message)] if n_gappy else []
        if n_empty:
            what = NOT_FITTED if not options.sequential else EMPTY_STEPS if options.group is None else EMPTY_IN_GROUPS
            only = f"{plural(n_empty, 'row')} without any cell: {what}"
            notices.append(Notice("empty_rows", only))
        return Usable(columns, "all") if options.sequential else seen, n_missing, notices
    n_dropped = n_read - complete.count()
    if options.missing == "error":
        earliest = min(n_missing, key=lambda name: _first_missing(parts[name]))
        first = parts[earliest][-1].missing
        assert first is not None
        flags = np.concatenate([complete.of(piece) for piece in range(complete.n_pieces)])
        rows = (np.flatnonzero(~flags) + 1).tolist()
        raise missing_cells(rows, n_read, n_missing, first, shown, options)
    if n_dropped == n_read:
        raise DataError(
            f"{shown}: every row has a missing cell ({counts(n_missing)}): --missing drop leaves none. "
            f"Use --exclude {argument(max(n_missing, key=lambda name: n_missing[name]))}."
        )
    message = f"left out {n_dropped:,} of {plural(n_read, 'row')} with missing cells ({counts(n_missing)})"
    return complete, n_missing, [Notice("rows_dropped", message)]


def _with_response(
    response: Sequence[Examined], n_read: int, n_missing: dict[str, int]
) -> tuple[Usable, dict[str, int], list[Notice]]:
    """The rows with a response; whether their regressors will do is looked at later."""
    n_empty = sum(part.n_missing for part in response)
    said = [Notice("empty_rows", f"{plural(n_empty, 'row')} without a response: {NOT_FITTED}")] if n_empty else []
    return Usable([response], "every"), n_missing, said


def _first_missing(column: Sequence[Examined]) -> int:
    start = 0
    for part in column:
        if part.n_missing:
            return start + int(np.isnan(part.values).argmax())
        start += part.n_rows
    return start


def check_spread(found: Filling, schema: Schema, shown: str, options: ReadOptions) -> None:
    """`DataError` if a column has one value or level only; counts may."""
    constant: dict[str, str] = {}
    for column, lowest, highest in zip(schema.columns, found.lowest.tolist(), found.highest.tolist(), strict=True):
        if column.type == "count" or column.name in options.regressors:
            continue
        if not lowest < highest:
            constant[column.name] = quoted(column.levels[int(lowest)]) if column.levels else f"{lowest + 0.0:.15g}"
        elif (spread := highest - lowest) < SMALLEST_SPREAD:
            raise narrow_column(column.name, spread, shown)
    if constant and found.n == 1:
        cells = joined([f"{quoted(name)} ({value})" for name, value in constant.items()])
        raise DataError(f"{shown} has one row that can be fitted: it shows no spread of {cells}. A fit needs two rows.")
    if constant:
        raise constant_columns(constant, shown, options)


def looks_like_id(name: str, column: Facts) -> bool:
    """By its name, or because it numbers the rows."""
    if _ID_NAME.fullmatch(name.strip()):
        return True
    return column.n >= FEW and column.first.is_integer() and column.counts_up


def notices_of_header(piece: Piece, options: ReadOptions) -> list[Notice]:
    """What was found where the table begins: lines above it, marks in its numbers, and a column of row names."""
    notices = list[Notice]()
    if piece.text is not None and not piece.text.headed and options.header is None:
        message = "the first line is a row like those below it, and read as one (--no-header): "
        message += f"columns are called {listed(piece.names)}"
        notices.append(Notice("no_header", message))
    if piece.above:
        message = f"left out what stands above the header: {plural(piece.above, 'line')} (--skip {piece.above})"
        notices.append(Notice("lines_above", message))
    if piece.text is not None and piece.text.delimiter == " " != options.separator:
        notices.append(Notice("blanks_between", "read as separated by blanks (--delimiter ' ')"))
    if piece.marks is not None:
        written = " --thousands ." if piece.marks.thousands else ""
        notices.append(Notice("decimal_comma", f"numbers have a decimal comma, and are read so (--decimal ,{written})"))
    if piece.row_names is not None:
        message = f"column 1 has no name in the header: row names, not fitted, called {safe(piece.row_names)} here"
        notices.append(Notice("row_names", message))
    return notices


def id_notices(names: Sequence[str], parts: Parts) -> list[Notice]:
    """Of fitted columns that look like ids: those that number the rows, and those whose ids come again."""
    once = [name for name in names if parts.facts(name).n_distinct >= parts.facts(name).n_finite]
    again = [name for name in names if name not in once]
    found = list[Notice]()
    if once:
        message, which = _looking("row numbers", once), argument(once[0])
        message += f"; else use {f'--id {which}' if len(once) == 1 else excluding(once)}"
        found.append(Notice("looks_like_id", message))
    if again:
        message = _looking("an id of several rows" if len(again) == 1 else "ids of several rows", again)
        message += f"; {excluding(again)} leaves {'it' if len(again) == 1 else 'them'} out"
        message += f", --group {argument(again[0])} gives rows of one id one component"
        found.append(Notice("looks_like_id", message))
    return found


def _looking(like: str, names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"column {safe(names[0])} looks like {like}, but is fitted"
    return f"columns {listed(names)} look like {like}, but are fitted"
