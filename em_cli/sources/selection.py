"""Which columns and rows are fitted, once all have been seen."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.errors import DataError
from em_cli.sources.cells import Examined
from em_cli.sources.options import ReadOptions
from em_cli.sources.quoting import argument, excluding, listed, plain, plural
from em_cli.sources.refusals import (
    constant_columns,
    counts,
    empty_column,
    missing_cells,
    no_column,
    refuse_fraction,
    refuse_infinite,
    refuse_text,
    without,
)
from em_cli.sources.schema import Schema
from em_cli.sources.table import Notice

Parts = Mapping[str, Sequence[Examined]]  # per column, piece by piece

_ID_NAME = re.compile(r"(row|obs|index|case)?[ _.]?(id|index|row|names?|number)|unnamed.*", re.IGNORECASE)
FEW = 3  # rows; fewer that count up mean nothing


def keep_numeric(parts: Parts, shown: str, options: ReadOptions) -> tuple[list[str], list[Notice]]:
    """Columns of numbers. Text and empty columns are left out, unless they were asked for or are numbers in part."""
    kept: list[str] = []
    texts: list[str] = []
    empty: list[str] = []
    for name, column in parts.items():
        n_text = sum(part.n_text for part in column)
        n_present = sum(len(part.values) - part.n_missing for part in column)
        n_numbers = n_present - n_text + sum(part.n_foreign for part in column)
        if not n_present:
            if name in options.named:
                raise empty_column(name, shown, options)
            empty.append(name)
        elif not n_text:
            kept.append(name)
        else:
            if name in options.named or 2 * n_numbers >= n_present:
                refuse_text(name, column, without(name, options))
            texts.append(name)
    if not kept:
        raise no_column(shown, [*texts, *empty])
    notices: list[Notice] = []
    if texts:
        notices.append(Notice("text_column", f"left out, being text: {listed(texts)}"))
    if empty:
        notices.append(Notice("empty_column", f"left out, being empty: {listed(empty)}"))
    return kept, notices


def refuse_unfit(parts: Parts, kept: Sequence[str], options: ReadOptions) -> None:
    for name in kept:
        refuse_infinite(name, parts[name][-1].infinite)
        if options.type_of(name) == "count":
            refuse_fraction(name, parts[name][-1].fraction, without(name, options))


def usable_rows(
    parts: Parts, kept: Sequence[str], n_read: int, shown: str, options: ReadOptions
) -> tuple[Flags, dict[str, int], list[Notice]]:
    """Rows without missing cells (n_read,), the number of missing cells per column, and what to say of it."""
    usable = np.ones(n_read, dtype=bool)
    n_missing: dict[str, int] = {}
    for name in kept:
        start = 0
        for part in parts[name]:
            if part.n_missing:
                usable[start : start + len(part.values)] &= ~np.isnan(part.values)
                n_missing[name] = n_missing.get(name, 0) + part.n_missing
            start += len(part.values)
    if not n_missing:
        return usable, n_missing, []
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


def _first_missing(column: Sequence[Examined]) -> int:
    start = 0
    for part in column:
        if part.n_missing:
            return start + int(np.isnan(part.values).argmax())
        start += len(part.values)
    return start


def check_spread(x: Array, schema: Schema, shown: str, options: ReadOptions) -> None:
    """`DataError` if a numeric column (a row of x) has one value only."""
    names = schema.names
    constant = {
        names[index]: float(x[index, 0]) for index in schema.indices("numeric") if x[index].min() == x[index].max()
    }
    if constant:
        raise constant_columns(constant, shown, options)


def looks_like_id(name: str, values: Array) -> bool:
    """By its name, or because it numbers the rows (n,)."""
    if _ID_NAME.fullmatch(name.strip()):
        return True
    if len(values) < FEW or not float(values[0]).is_integer():
        return False
    return bool(values[-1] == values[0] + len(values) - 1 and (np.diff(values) == 1).all())


def id_notice(names: Sequence[str]) -> list[Notice]:
    if not names:
        return []
    if len(names) == 1:
        message = f"column {plain(names[0])} looks like row numbers, but is fitted; else use --id {argument(names[0])}"
    else:
        message = f"columns {listed(names)} look like row numbers, but are fitted; else use {excluding(names)}"
    return [Notice("looks_like_id", message)]
