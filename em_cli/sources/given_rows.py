"""Rows that a program gives, instead of files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from em_cli.errors import DataError
from em_cli.sources.columnar import as_of_text
from em_cli.sources.frames import Found
from em_cli.sources.pieces import Piece
from em_cli.sources.quoting import plural

Frame = pd.DataFrame
LABEL = "the data"


def frame_given(data: object, names: Sequence[str] | None = None) -> pd.DataFrame:
    """A frame, columns by name, or an array (n, D) of the columns named, with cells such as a CSV file can hold.

    `DataError` if it is none of these.
    """
    if hasattr(data, "tocoo"):
        raise DataError(f"{LABEL}: sparse matrices are not supported; their toarray() is.")
    if not isinstance(data, pd.DataFrame | Mapping):
        rows = data.to_numpy() if hasattr(data, "to_numpy") else np.asarray(data)
        if rows.ndim != 2:
            raise DataError(
                f"{LABEL}: {plural(rows.ndim, 'dimension')}, where rows and columns are wanted. Reshape your data."
            )
        if rows.dtype.kind == "c":
            raise DataError(f"{LABEL}: Complex data not supported.")
        if names is None:
            names = [f"x{place}" for place in range(rows.shape[1])]
        if not rows.shape[1]:
            raise DataError(f"{LABEL}: 0 feature(s) (shape={rows.shape}) while a minimum of 1 is required.")
        if rows.shape[1] != len(names):
            raise DataError(f"{LABEL}: {rows.shape[1]} columns, where the model has {len(names)}.")
        data = dict(zip(names, rows.T, strict=True))
    return as_of_text(pd.DataFrame(data), LABEL)


def piece_given(data: object, names: Sequence[str]) -> Piece:
    """The same, as a piece of a file that has been read."""
    frame = frame_given(data, names)

    def find(row: int, column: str) -> Found:
        return Found(None, str(frame[column].iloc[row]))

    return Piece(LABEL, tuple(frame.columns), frame, 0, find)


def frame_of(columns: Mapping[str, Sequence[object]]) -> pd.DataFrame:
    return pd.DataFrame({name: list(cells) for name, cells in columns.items()})


def written(data: pd.DataFrame, path: str) -> None:
    """As a CSV file that reads back the same."""
    data.to_csv(path, index=False)
