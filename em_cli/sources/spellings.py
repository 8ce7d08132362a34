"""What frames no longer tell of cells: how missing ones were spelled, and which numbers had noughts in front."""

from __future__ import annotations

import re
import warnings
from collections import Counter
from collections.abc import Sequence

import pandas as pd
from pandas.errors import ParserError, ParserWarning

from em_cli.sources.frames import Reading
from em_cli.sources.number_formats import MISSING
from em_cli.sources.options import ReadOptions
from em_cli.sources.pieces import Piece

UNTOLD = "\0"  # a spelling that is not known
_NOUGHT_IN_FRONT = re.compile(r'0(?<![^\s,;|"]0)\d')  # it begins with what can be looked for at once


def spelled(piece: Piece, names: Sequence[str], options: ReadOptions) -> dict[str, Counter[str]]:
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


def with_noughts(piece: Piece, names: Sequence[str]) -> list[str]:
    """The columns of numbers of which some are written with noughts in front, as codes are."""
    if piece.text is None or not names or not _NOUGHT_IN_FRONT.search(piece.text.body.text):
        return []
    cells = _as_written(piece, names)
    return [] if cells is None else [name for name in names if bool(cells[name].str.fullmatch(r"\s*0\d+\s*").any())]


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
