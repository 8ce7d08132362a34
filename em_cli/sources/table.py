"""What reading data files gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from em_cli.sources.memory import InMemory
from em_cli.sources.schema import Schema


@dataclass(frozen=True, slots=True)
class Notice:
    """Something the user should know; no reason to stop."""

    code: str
    message: str


@dataclass(frozen=True, slots=True)
class InputFile:
    """A file as it lay on disk (compressed, if it was)."""

    name: str  # as given; "-" is standard input
    size: int
    sha256: str


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """The rows to fit, and how they were come by."""

    name: str  # to show: "faithful.csv", "2 files", "standard input"
    source: InMemory  # the rows used, in the user's units
    schema: Schema
    rows: NDArray[np.intp]  # (n,) 0-based data row of each row used, ascending
    n_rows_read: int
    ids: list[str] | None  # of every row read
    id_name: str | None
    n_missing: dict[str, int]  # missing cells per fitted column, where there are any
    notices: tuple[Notice, ...]
    inputs: tuple[InputFile, ...]
    data_sha256: str  # of the file; of the digests of the files, when several
