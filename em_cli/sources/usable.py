"""Which columns and rows are fitted, once all have been seen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.errors import DataError
from em_cli.printable import safe
from em_cli.sources.domains import SMALLEST_SPREAD
from em_cli.sources.examined import Examined
from em_cli.sources.options import ReadOptions
from em_cli.sources.pieces import Piece
from em_cli.sources.quoting import argument, excluding, joined, listed, plural, quoted
from em_cli.sources.refusals import (
    constant_columns,
    counts,
    missing_cells,
    narrow_column,
)
from em_cli.sources.schema import Schema
from em_cli.sources.table import Notice

Parts = Mapping[str, Sequence[Examined]]  # per column, piece by piece

_ID_NAME = re.compile(r"(row|obs|index|case)?[ _.]?(id|index|row|names?|number)|unnamed.*", re.IGNORECASE)
NOT_FITTED = "not fitted, and given the mixing weights as probabilities"
EMPTY_STEPS = "steps in time of which nothing is seen"
EMPTY_IN_GROUPS = "known by the others of their groups"
FEW = 3  # rows; fewer that count up mean nothing


def usable_rows(
    parts: Parts, kept: Sequence[str], n_read: int, shown: str, options: ReadOptions
) -> tuple[Flags, dict[str, int], list[Notice]]:
    """Rows that can be fitted (n_read,), the number of missing cells per column, and what to say of it.

    These are the rows with any cell where missing ones are modelled, else those with all of them.
    """
    complete, seen = np.ones(n_read, dtype=bool), np.zeros(n_read, dtype=bool)
    n_missing: dict[str, int] = {}
    for name in kept:
        start, described = 0, name not in options.regressors
        for part in parts[name]:
            here = slice(start, start + len(part.values))
            if part.n_missing:
                there = ~np.isnan(part.values)
                complete[here] &= there
                seen[here] |= there & described
                n_missing[name] = n_missing.get(name, 0) + part.n_missing
            else:
                seen[here] |= described
            start += len(part.values)
    if not n_missing:
        return complete, n_missing, []
    if options.missing == "model" and options.response is not None and not options.sequential:
        return _with_response(parts[options.response], n_missing)
    if options.missing == "model":
        n_empty = n_read - int(seen.sum())
        message = (
            f"{plural(n_read - int(complete.sum()), 'row')} of {n_read:,} with missing cells ({counts(n_missing)}) "
        )
        message += "fitted by their observed cells"
        message += "" if options.sequential else "; --missing drop leaves such rows out"
        notices = [Notice("missing_modelled", message)]
        if n_empty:
            what = NOT_FITTED if not options.sequential else EMPTY_STEPS if options.group is None else EMPTY_IN_GROUPS
            only = f"{plural(n_empty, 'row')} without any cell: {what}"
            notices.append(Notice("empty_rows", only))
        return seen if not options.sequential else np.ones_like(seen), n_missing, notices
    usable = complete
    n_dropped = n_read - int(usable.sum())
    if options.missing == "error":
        earliest = min(n_missing, key=lambda name: _first_missing(parts[name]))
        first = parts[earliest][-1].missing
        assert first is not None
        rows = (np.flatnonzero(~usable) + 1).tolist()
        raise missing_cells(rows, n_read, n_missing, first, shown, options)
    if n_dropped == n_read:
        raise DataError(
            f"{shown}: every row has a missing cell ({counts(n_missing)}): --missing drop leaves none. "
            f"Use --exclude {argument(max(n_missing, key=lambda name: n_missing[name]))}."
        )
    message = f"left out {n_dropped:,} of {plural(n_read, 'row')} with missing cells ({counts(n_missing)})"
    return usable, n_missing, [Notice("rows_dropped", message)]


def _with_response(
    response: Sequence[Examined], n_missing: dict[str, int]
) -> tuple[Flags, dict[str, int], list[Notice]]:
    """The rows with a response; whether their regressors will do is looked at later."""
    there = ~np.isnan(np.concatenate([part.values for part in response]))
    n_empty = int((~there).sum())
    said = [Notice("empty_rows", f"{plural(n_empty, 'row')} without a response: {NOT_FITTED}")] if n_empty else []
    return there, n_missing, said


def _first_missing(column: Sequence[Examined]) -> int:
    start = 0
    for part in column:
        if part.n_missing:
            return start + int(np.isnan(part.values).argmax())
        start += len(part.values)
    return start


def check_spread(x: Array, schema: Schema, shown: str, options: ReadOptions) -> None:
    """`DataError` if a column (a row of x) has one value or level only; counts may."""
    constant: dict[str, str] = {}
    for column, values in zip(schema.columns, x, strict=True):
        if column.type == "count" or column.name in options.regressors:
            continue
        first = values[np.argmin(np.isnan(values))]
        if ((values == first) | np.isnan(values)).all():
            constant[column.name] = quoted(column.levels[int(first)]) if column.levels else f"{first:.15g}"
        elif (spread := float(np.nanmax(values) - np.nanmin(values))) < SMALLEST_SPREAD:
            raise narrow_column(column.name, spread, shown)
    if constant and x.shape[1] == 1:
        cells = joined([f"{quoted(name)} ({value})" for name, value in constant.items()])
        raise DataError(f"{shown} has one row that can be fitted: it shows no spread of {cells}. A fit needs two rows.")
    if constant:
        raise constant_columns(constant, shown, options)


def looks_like_id(name: str, values: Array) -> bool:
    """By its name, or because it numbers the rows (n,)."""
    if _ID_NAME.fullmatch(name.strip()):
        return True
    if len(values) < FEW or not float(values[0]).is_integer():
        return False
    return bool(values[-1] == values[0] + len(values) - 1 and (np.diff(values) == 1).all())


def notices_of_header(piece: Piece) -> list[Notice]:
    """What was found where the table begins: lines above it, and a column of row names."""
    notices = list[Notice]()
    if piece.above:
        message = f"left out what stands above the header: {plural(piece.above, 'line')} (--skip {piece.above})"
        notices.append(Notice("lines_above", message))
    if piece.row_names is not None:
        message = f"column 1 has no name in the header: row names, not fitted, called {safe(piece.row_names)} here"
        notices.append(Notice("row_names", message))
    return notices


def id_notice(names: Sequence[str]) -> list[Notice]:
    if not names:
        return []
    if len(names) == 1:
        message = f"column {safe(names[0])} looks like row numbers, but is fitted; else use --id {argument(names[0])}"
    else:
        message = f"columns {listed(names)} look like row numbers, but are fitted; else use {excluding(names)}"
    return [Notice("looks_like_id", message)]
