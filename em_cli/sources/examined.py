"""One column of one piece: its values, and what stands in the way of fitting them."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.rows import Held, Here
from em_cli.sources.domains import LARGEST, impossible
from em_cli.sources.number_formats import number, writings, written
from em_cli.sources.pieces import Piece
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.schema import LEVELLED

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

    held: Held  # (n,) NaN where a cell is missing, or text; places in `texts` where these are kept
    n_rows: int
    texts: tuple[str, ...] | None  # the distinct cells as they are written, of a column that may be one of levels
    n_missing: int
    n_text: int  # cells that are neither missing nor numbers
    n_foreign: int  # of these, numbers in another way of writing
    forms: Counter[str]  # of text
    missing: Cell | None
    text: Cell | None
    infinite: Cell | None  # or too large to compute with
    impossible: Cell | None  # a number, but none that its type can hold, or its transformation take

    @property
    def values(self) -> Array:
        """(n,)."""
        return self.held.read()


def examine(piece: Piece, name: str, options: ReadOptions, earlier: Examined | None = None) -> Examined:
    """What a column of a piece of a file holds, after what `earlier` pieces held of it."""
    series = piece.frame[name]
    plain = isinstance(series.dtype, np.dtype) and series.dtype.kind in "if"
    absent: Flags = np.isnan(series.to_numpy()) if plain else series.isna().to_numpy(dtype=bool)
    kind = options.type_of(name)

    def first(flags: Flags, before: Cell | None) -> Cell | None:
        if before is not None or not flags.any():
            return before
        row = int(flags.argmax())
        found = piece.find(row, name)
        return Cell(piece.file, found.line, piece.first_row + row + 1, found.text)

    nothing = np.zeros(len(series), dtype=bool)
    forms: Counter[str] = Counter()
    texts: tuple[str, ...] | None = None
    numbers: Array | None = None  # where the values are places of texts
    if plain or (is_numeric_dtype(series.dtype) and not is_bool_dtype(series.dtype)):
        values = series.to_numpy(dtype=np.float64, na_value=np.nan)
        text = infinite = nothing
        if kind in LEVELLED:
            values, texts = _coded(series.map(written, na_action="ignore"))
        else:
            infinite = np.abs(values) > LARGEST
    elif kind in LEVELLED:
        values, texts = _coded(_spelled(series, piece, name))
        text = infinite = nothing
    else:
        values, text, forms = _numbers(series, absent, options)
        infinite = np.abs(values) > LARGEST
        if text.any():
            numbers = values
            values, texts = _coded(_spelled(series, piece, name))
    return Examined(
        held=Here(values),
        n_rows=len(values),
        texts=texts,
        n_missing=int(absent.sum()),
        n_text=int(text.sum()),
        n_foreign=sum(times for form, times in forms.items() if writings([form])),
        forms=Counter(dict(islice(forms.items(), MOST_FORMS))),
        missing=first(absent, earlier.missing if earlier else None),
        text=first(text, earlier.text if earlier else None),
        infinite=first(infinite, earlier.infinite if earlier else None),
        impossible=first(
            impossible(values if numbers is None else numbers, kind, options.transforms.get(name)),
            earlier.impossible if earlier else None,
        ),
    )


def _numbers(series: pd.Series[Any], absent: Flags, options: ReadOptions) -> tuple[Array, Flags, Counter[str]]:
    """The numbers (n,) among cells of any kind, which cells are text, and what texts there are."""
    known: dict[str, float | None] = {}
    forms: Counter[str] = Counter()
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
    return values, np.isnan(values) & ~absent, forms


def _spelled(series: pd.Series[Any], piece: Piece, name: str) -> pd.Series[Any]:
    """The cells as text; pandas forgets how true and false were spelled."""
    spelling: dict[object, str] = {}

    def spelled(cell: object) -> str:
        if isinstance(cell, str):
            return cell
        if not isinstance(cell, bool):
            return written(float(str(cell)))
        if cell not in spelling:
            spelling[cell] = piece.find(int((series == cell).to_numpy(dtype=bool, na_value=False).argmax()), name).text
        return spelling[cell]

    return series.astype(object).map(spelled, na_action="ignore")


def _coded(texts: pd.Series[Any]) -> tuple[Array, tuple[str, ...]]:
    codes, distinct = pd.factorize(texts.str.strip() if texts.notna().any() else texts)
    values = codes.astype(np.float64)
    values[codes < 0] = np.nan
    return values, tuple(map(str, distinct))


def _as_float(cell: int | float) -> float:
    try:
        return float(cell)
    except OverflowError:
        return math.inf if cell > 0 else -math.inf
