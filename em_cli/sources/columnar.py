"""Parquet and Feather files."""

from __future__ import annotations

import io
from collections.abc import Iterator
from importlib.util import find_spec

import pandas as pd

from em_cli.errors import DataError
from em_cli.sources.files import Opened
from em_cli.sources.options import ReadOptions


def read_columnar(file: Opened, suffix: str, options: ReadOptions) -> pd.DataFrame:
    """The whole file; the column of ids as text."""
    if find_spec("pyarrow") is None:
        raise DataError(f'{file.label}: reading {suffix} files needs pip install "em-cli[parquet]".')
    data = io.BytesIO(b"".join(_chunks(file)))
    try:
        frame = pd.read_parquet(data) if suffix == ".parquet" else pd.read_feather(data)
    except Exception as error:  # whatever Arrow finds wrong with it
        raise DataError(f"{file.label} is not a valid {suffix} file: {str(error)[:200]!r}.") from None
    frame.columns = pd.Index([str(name) for name in frame.columns])
    if options.id in frame.columns:
        frame[options.id] = frame[options.id].astype(str)
    return frame.reset_index(drop=True)


def _chunks(file: Opened) -> Iterator[bytes]:
    while data := file.pull(1 << 22):
        yield data
