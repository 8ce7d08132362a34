"""What is said of rows as a Feather or Parquet file, written piece by piece."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

CSV, FEATHER, PARQUET = "csv", "feather", "parquet"
TOGETHER = 1 << 17  # rows, of a group of a file

ScoredColumns = tuple[Sequence[str] | range, Integers, Sequence[Array | Integers]]
"""Keys of consecutive rows, which of them have scores, and their columns: none if no row has."""


class _Sink:
    """A file of which each part is handed on as soon as it is there."""

    closed = False

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def write(self, data: bytes) -> int:
        self._parts.append(bytes(data))
        self._size += len(data)
        return len(data)

    def tell(self) -> int:
        return self._size

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        self.closed = True

    def taken(self) -> bytes:
        """What was written since."""
        data, self._parts = b"".join(self._parts), []
        return data


def form_of(path: str, form: str) -> str:
    """In which form to write a file: as its name says, or else in this."""
    named = Path(path).suffix.lower().lstrip(".")
    return named if named in (FEATHER, PARQUET) else form


def check_form(form: str) -> None:
    """`UsageError` if what writes it is not installed."""
    if form != CSV and find_spec("pyarrow") is None:
        raise UsageError(f'writing .{form} files needs pip install "em-cli[parquet]".')


def columnar(form: str, names: Sequence[str], pieces: Iterable[ScoredColumns]) -> Iterator[bytes]:
    """The bytes of a file with these columns; blank where a row has no scores."""
    import pyarrow as pa
    from pyarrow import parquet

    waiting = iter(pieces)
    first = next(waiting)
    whole = ("component", "state_viterbi")
    of_key = pa.int64() if isinstance(first[0], range) else pa.string()
    fields = [pa.field(names[0], of_key), *(pa.field(n, pa.int32() if n in whole else pa.float64()) for n in names[1:])]
    schema, sink = pa.schema(fields), _Sink()
    with (
        parquet.ParquetWriter(sink, schema, compression="zstd")
        if form == PARQUET
        else pa.ipc.new_file(sink, schema, options=pa.ipc.IpcWriteOptions(compression="lz4"))
    ) as writer:
        group: list[pa.RecordBatch] = []
        for piece in chain([first], waiting):
            group.append(_batch(piece, schema))
            if sum(len(batch) for batch in group) >= TOGETHER:
                writer.write_table(pa.Table.from_batches(group))
                group = []
                yield sink.taken()
        if group:
            writer.write_table(pa.Table.from_batches(group))
    yield sink.taken()


def _batch(piece: ScoredColumns, schema: pa.Schema) -> pa.RecordBatch:
    import pyarrow as pa

    keys, used, columns = piece
    n = len(keys)
    blank = np.ones(n, np.bool_)
    blank[used] = False
    key = np.arange(keys.start, keys.stop) if isinstance(keys, range) else keys
    arrays: list[pa.Array] = [pa.array(key, schema.field(0).type)]
    for place in range(1, len(schema)):
        of = schema.field(place).type
        every = np.zeros(n, of.to_pandas_dtype())
        if columns:
            every[used] = columns[place - 1]
        arrays.append(pa.array(every, of, mask=blank))
    return pa.RecordBatch.from_arrays(arrays, schema=schema)
