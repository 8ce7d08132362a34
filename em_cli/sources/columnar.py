"""Parquet and Feather files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from em_cli.errors import DataError
from em_cli.sources.files import Opened
from em_cli.sources.options import ReadOptions
from em_cli.sources.quoting import quoted


def read_columnar(file: Opened, suffix: str, options: ReadOptions) -> pd.DataFrame:
    """The whole file, its cells numbers, truths or text as in a CSV file; the column of ids as text."""
    if find_spec("pyarrow") is None:
        raise DataError(f'{file.label}: reading {suffix} files needs pip install "em-cli[parquet]".')
    data = io.BytesIO(b"".join(_chunks(file)))
    try:
        frame = pd.read_parquet(data) if suffix == ".parquet" else pd.read_feather(data)
    except Exception as error:  # whatever Arrow finds wrong with it
        raise DataError(f"{file.label} is not a valid {suffix} file: {str(error)[:200]!r}.") from None
    if any(name is not None for name in frame.index.names):
        frame = frame.reset_index()  # pandas stores a named index as columns like the others
    frame = as_of_text(frame, file.label)
    if options.id in frame.columns:
        frame[options.id] = frame[options.id].astype(str)
    return frame


def as_of_text(frame: pd.DataFrame, label: str) -> pd.DataFrame:
    """The rows of a frame, which is called so in messages, with cells such as a CSV file can hold."""
    names = [str(name) for name in frame.columns]
    if len(set(names)) < len(names):
        twice = next(name for place, name in enumerate(names) if name in names[:place])
        raise DataError(f"{label}: the column name {quoted(twice)} stands twice. Give each column its own.")
    return frame.set_axis(names, axis=1).reset_index(drop=True).apply(_like_text)


def _like_text(column: pd.Series[Any]) -> pd.Series[Any]:
    """The column with cells such as a CSV file can hold: dates, times, lists and records are text there."""
    if is_numeric_dtype(column.dtype) or isinstance(column.dtype, pd.StringDtype):
        return column
    return column.astype(object).map(_cell, na_action="ignore")


def _cell(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, bool | int | float | str) else str(value)


def _chunks(file: Opened) -> Iterator[bytes]:
    while data := file.pull(1 << 22):
        yield data
