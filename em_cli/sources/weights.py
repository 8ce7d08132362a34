"""The column of case weights."""

from __future__ import annotations

from dataclasses import replace

from em_cli.engine.arrays import Array
from em_cli.errors import DataError
from em_cli.sources.examined import examine
from em_cli.sources.pieces import Piece
from em_cli.sources.quoting import quoted
from em_cli.sources.read_options import ReadOptions

SMALLEST, LARGEST = 1e-15, 1e15  # weights


def weights_of(piece: Piece, options: ReadOptions) -> Array:
    """The weights (n,) of the rows of a piece; `DataError` names the first that is none."""
    name = options.weights
    assert name is not None, "a column of weights was named"
    part = examine(piece, name, replace(options, weights=None, default_type="numeric"))
    negative = part.values < 0
    beyond = (part.values > 0) & ((part.values < SMALLEST) | (part.values > LARGEST))
    wrong = part.text or part.missing or part.infinite
    if wrong is None and (negative | beyond).any():
        row = int((negative | beyond).argmax())
        found = piece.find(row, name)
        place = f"row {piece.first_row + row + 1}" + ("" if found.line is None else f" (line {found.line})")
        problem = (
            "is negative" if negative[row] else f"is not between {SMALLEST:g} and {LARGEST:g}; 0 leaves the row out"
        )
        raise DataError(f"{piece.file}, {place}, column {quoted(name)}: the weight {found.text} {problem}.")
    if wrong is not None:
        problem = "is missing" if wrong is part.missing else f"is {quoted(wrong.text)}"
        raise DataError(
            f"{wrong.file}, {wrong.row_and_line}, column {quoted(name)}: the weight {problem}; "
            "it must be a number from 0 up (0 leaves the row out)."
        )
    return part.values
