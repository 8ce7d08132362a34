"""One column of one piece: its values, and what stands in the way of fitting them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import islice

import numpy as np
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from em_cli.engine.arrays import Array, Flags
from em_cli.sources.numerals import number, writings
from em_cli.sources.options import ReadOptions
from em_cli.sources.pieces import Piece

MOST_FORMS = 1000


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a file."""

    file: str
    line: int | None
    row: int  # data row of the file, from 1
    text: str

    @property
    def place(self) -> str:
        """Where to look in an editor; a columnar file has rows only."""
        return f"row {self.row}" if self.line is None else f"line {self.line}"

    @property
    def row_and_line(self) -> str:
        return f"row {self.row}" if self.line is None else f"row {self.row} (line {self.line})"


@dataclass(frozen=True, slots=True, eq=False)
class Examined:
    """A column of a piece; the cells are the first ones of their kind in all pieces so far."""

    values: Array  # (n,) NaN where a cell is missing, or text
    n_missing: int
    n_text: int  # cells that are neither missing nor numbers
    n_foreign: int  # of these, numbers in another way of writing
    forms: Counter[str]  # of text
    missing: Cell | None
    text: Cell | None
    infinite: Cell | None
    fraction: Cell | None  # a number, but not a count


def examine(piece: Piece, name: str, options: ReadOptions, earlier: Examined | None = None) -> Examined:
    series = piece.frame[name]
    absent: Flags = series.isna().to_numpy(dtype=bool)
    forms: Counter[str] = Counter()
    if is_numeric_dtype(series.dtype) and not is_bool_dtype(series.dtype):
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        text = np.zeros(len(values), dtype=bool)
    else:
        known: dict[str, float | None] = {}
        values = np.full(len(series), np.nan)
        for row, cell in enumerate(series.tolist()):
            if absent[row]:
                continue
            if isinstance(cell, int | float) and not isinstance(cell, bool):
                values[row] = _as_float(cell)
                continue
            form = str(cell)
            if form not in known:
                known[form] = number(form, options.decimal, options.thousands)
            value = known[form]
            if value is None:
                forms[form] += 1
            else:
                values[row] = value
        text = np.isnan(values) & ~absent

    def first(flags: Flags, before: Cell | None) -> Cell | None:
        if before is not None or not flags.any():
            return before
        row = int(flags.argmax())
        found = piece.find(row, name)
        return Cell(piece.file, found.line, piece.first_row + row + 1, found.text)

    finite = np.isfinite(values)
    return Examined(
        values=values,
        n_missing=int(absent.sum()),
        n_text=int(text.sum()),
        n_foreign=sum(times for form, times in forms.items() if writings([form])),
        forms=Counter(dict(islice(forms.items(), MOST_FORMS))),
        missing=first(absent, earlier.missing if earlier else None),
        text=first(text, earlier.text if earlier else None),
        infinite=first(np.isinf(values), earlier.infinite if earlier else None),
        fraction=first(finite & ((values < 0) | (values != np.floor(values))), earlier.fraction if earlier else None),
    )


def _as_float(cell: int | float) -> float:
    try:
        return float(cell)
    except OverflowError:
        return math.inf if cell > 0 else -math.inf
