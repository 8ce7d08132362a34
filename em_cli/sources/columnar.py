"""Parquet and Feather files."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from decimal import Decimal
from importlib.util import find_spec
from typing import IO, Any
from urllib.parse import unquote

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from em_cli import memory
from em_cli.errors import DataError, OutputError, in_words
from em_cli.sources.files import Opened
from em_cli.sources.quoting import quoted
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.remote import path_in, suffix_of

CELLS, FEWEST, MOST = 1 << 18, 1 << 10, 1 << 16  # of a piece: cells, about, and rows
NO_CELL = "__HIVE_DEFAULT_PARTITION__"


def columnar_frames(file: Opened, path: str, options: ReadOptions) -> Iterator[tuple[pd.DataFrame, float]]:
    """The rows of a file, some at a time, and their share of all; what the names of its folders say stands beside.

    Cells are numbers, truths or text as in a CSV file; the column of ids is text.
    """
    suffix = suffix_of(path)
    if find_spec("pyarrow") is None:
        raise DataError(f'{file.label}: reading {suffix} files needs pip install "em-cli[parquet]".')
    with nullcontext(file.place) if file.place is not None else _copy(file) as place:
        yield from _frames(file, path, place, options)


def _frames(
    file: Opened, path: str, place: str | IO[bytes], options: ReadOptions
) -> Iterator[tuple[pd.DataFrame, float]]:
    suffix = suffix_of(path)
    told = _told_by_folders(path)
    try:
        for frame, share in (_of_parquet if suffix == ".parquet" else _of_feather)(place):
            if any(name is not None for name in frame.index.names):
                frame = frame.reset_index()  # pandas stores a named index as columns like the others
            frame = as_of_text(frame, file.label)
            frame = frame.assign(**{name: cell for name, cell in told.items() if name not in frame.columns})
            if options.id in frame.columns:
                frame[options.id] = frame[options.id].astype(str)
            yield frame, share
    except DataError:
        raise
    except Exception as error:  # whatever Arrow finds wrong with it
        raise DataError(f"{file.label} is not a valid {suffix} file: {str(error)[:200]!r}.") from None


def _of_parquet(place: str | IO[bytes]) -> Iterator[tuple[pd.DataFrame, float]]:
    from pyarrow import parquet

    with parquet.ParquetFile(place, memory_map=_mapped(place)) as file:
        n, width = file.metadata.num_rows, max(1, file.metadata.num_columns)
        rows = int(np.clip(CELLS // width, FEWEST, MOST))
        if not n:
            yield file.schema_arrow.empty_table().to_pandas(), 1.0
        for batch in file.iter_batches(rows, use_threads=False):
            yield batch.to_pandas(), len(batch) / n


def _of_feather(place: str | IO[bytes]) -> Iterator[tuple[pd.DataFrame, float]]:
    import pyarrow as pa

    try:
        file = pa.ipc.open_file(pa.memory_map(place) if _mapped(place) else place)
    except pa.ArrowInvalid:  # the first version of Feather
        yield pd.read_feather(place), 1.0
        return
    batches = max(1, file.num_record_batches)
    if not file.num_record_batches:
        yield file.schema.empty_table().to_pandas(), 1.0
    for index in range(file.num_record_batches):
        yield file.get_batch(index).to_pandas(), 1 / batches


def _mapped(place: str | IO[bytes]) -> bool:
    """Whether it is looked at where it lies."""
    return isinstance(place, str) and memory.address_limit() is None


def _told_by_folders(path: str) -> dict[str, float | str | None]:
    """The columns that folders such as year=2024 are named by, as they are in a partitioned data set."""
    told: dict[str, float | str | None] = {}
    for part in path_in(path).parts[:-1]:
        name, equals, cell = part.partition("=")
        if name and equals:
            text = unquote(cell)
            told[unquote(name)] = None if text == NO_CELL else float(text) if text.isdecimal() else text
    return told


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


def _copy(file: Opened) -> IO[bytes]:
    """What cannot be read in any order where it lies, where that can be done."""
    copy = tempfile.TemporaryFile()  # noqa: SIM115 (who reads it closes it)
    while data := file.pull(1 << 22):
        try:
            copy.write(data)
        except OSError as error:
            place = tempfile.gettempdir()
            raise OutputError(f"no copy of {file.label}, to read it, in {place}: {in_words(error)}.") from None
    copy.seek(0)
    return copy
