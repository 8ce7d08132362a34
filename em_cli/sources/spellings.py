"""What frames no longer tell of cells: how missing ones were spelled, and which numbers had leading zeros."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence

import pandas as pd
from pandas.errors import ParserError, ParserWarning

from em_cli.printable import safe
from em_cli.sources.frames import Reading
from em_cli.sources.number_formats import MISSING
from em_cli.sources.pieces import Piece
from em_cli.sources.quoting import argument, joined, short
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.schema import Schema
from em_cli.sources.table import Notice

UNTOLD = "\0"  # a spelling that is not known
OFTEN = 0.1  # of the rows
_LEADING_ZERO = re.compile(r'0(?<![^\s,;|"]0)\d')  # it begins with what can be looked for at once


def spelled_in(piece: Piece, names: Sequence[str], options: ReadOptions) -> dict[str, Counter[str]]:
    """How often each spelling marks a missing cell of these columns, in which some are missing; "" is a blank."""
    if not names:
        return {}
    absent = {name: piece.frame[name].isna().to_numpy(dtype=bool) for name in names}
    if piece.text is None:
        return {name: Counter({UNTOLD: int(flags.sum())}) for name, flags in absent.items()}
    if not any(mark in piece.text.body.text for mark in (*MISSING, *options.na) if mark):
        return {name: Counter({"": int(flags.sum())}) for name, flags in absent.items()}
    cells = _as_written(piece, names)
    if cells is None:
        return {name: Counter({UNTOLD: int(flags.sum())}) for name, flags in absent.items()}
    return {name: Counter(cells[name][flags].str.strip().tolist()) for name, flags in absent.items()}


def maybe_levels(
    schema: Schema, spelled: Mapping[str, Mapping[str, int]], n_rows: int, options: ReadOptions
) -> list[Notice]:
    """What to say of a word such as NA that is missing in so many cells of a column of text that it may be a level."""
    found = dict[str, list[str]]()
    for column in schema.columns:
        for word, times in spelled.get(column.name, {}).items():
            if column.levels and word and word not in options.na and times >= OFTEN * n_rows:
                found.setdefault(word, []).append(f"{safe(short(column.name))} ({times:,})")
    return [
        Notice(
            "missing_level",
            f"{safe(word)} taken for missing in {joined(names)}; --na-level {argument(word)} makes it a level",
        )
        for word, names in found.items()
    ]


def with_leading_zeros(piece: Piece, names: Sequence[str]) -> dict[str, Counter[int]]:
    """The columns of numbers of which some are written with leading zeros, as codes are: how many, by length."""
    if piece.text is None or not names or not _LEADING_ZERO.search(piece.text.body.text):
        return {}
    cells = _as_written(piece, names)
    if cells is None:
        return {}
    found = {name: cells[name].str.extract(r"^\s*(0\d+)\s*$", expand=False).dropna() for name in names}
    return {name: Counter(own.str.len().tolist()) for name, own in found.items() if len(own)}


def _as_written(piece: Piece, names: Sequence[str]) -> pd.DataFrame | None:
    """The cells as texts; None if these rows are not simply those of the frame."""
    assert piece.text is not None, "there is a text to read"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ParserWarning)
            found = pd.read_csv(
                Reading(piece.text.body.text),
                sep=piece.text.delimiter,
                header=None,
                names=list(piece.names),
                usecols=list(names),
                index_col=False,
                skipinitialspace=True,
                dtype=str,
                keep_default_na=False,
                na_values=[],
            )
    except (ParserError, ParserWarning, ValueError, LookupError):  # pandas has none where fields are too many
        return None
    return found.fillna("") if len(found) == len(piece.frame) else None
