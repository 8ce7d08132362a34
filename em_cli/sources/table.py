"""What reading data files gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from em_cli.engine.arrays import Array
from em_cli.engine.rows import Source
from em_cli.sources.decimals import Marks
from em_cli.sources.schema import Schema

if TYPE_CHECKING:
    from em_cli.sources.corpus import Documents
    from em_cli.sources.row_blocks import FittedRows
    from em_cli.sources.row_names import RowNames
    from em_cli.sources.sequences import Sequences  # which needs pandas


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
class Others:
    """Rows that take no part in the fit and are scored all the same."""

    x: Array  # (D, m)
    rows: NDArray[np.intp]  # (m,) 0-based data row of each, ascending


@dataclass(frozen=True, slots=True, eq=False)
class Data:
    """The rows to fit, and how they were come by."""

    name: str  # to show: "faithful.csv", "2 files", "standard input"
    source: Source  # the rows used, in the user's units
    schema: Schema
    rows: FittedRows  # 0-based data row of each row used
    others: Others  # without any cell, or without weight
    n_rows_read: int
    ids: RowNames | None  # of every row read
    id_name: str | None
    weights_name: str | None
    total_weight: float | None  # of the rows used
    label_names: tuple[str, ...]  # of the components that some rows are known to belong to, in the order of the codes
    n_missing: dict[str, int]  # missing cells per fitted column, where there are any
    marks: Marks | None  # in numbers, found where nobody had said so
    spelled: dict[str, dict[str, int]]  # how these are spelled and how often, "" being a blank
    n_gappy: int  # fitted columns that lack cells in the rows used
    why: dict[str, str]  # what made the reader choose the type of a column, where it did and it is not numeric
    notices: tuple[Notice, ...]
    layout: Mapping[str, Any]  # of the first file: its columns, and how its fields are separated where it is text
    inputs: tuple[InputFile, ...]
    data_sha256: str  # of the file; of the digests of the files, when several
    documents: Documents | None = None  # whose cells the rows of the source are, where topics are fitted
    on_disk: bool = False  # whether the rows are in a file, and not in memory
    units: Mapping[str, str] = field(default_factory=dict)  # in which the numbers of columns are, where cells say so
    alleles: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # of loci whose cells name them
    sequences: Sequences | None = None  # in whose steps the rows of the source stand, where they follow each other

    def keys(self, first: int, stop: int) -> Sequence[str] | range:
        """What these rows, from 0, are called: their ids, or their numbers from 1."""
        return self.ids.between(first, stop) if self.ids is not None else range(first + 1, stop + 1)

    def row_of(self, place: int) -> int:
        """The data row, from 1, of a row of the source."""
        if self.sequences is not None:
            place = int(np.flatnonzero(self.sequences.places == place)[0])
        return int(self.rows.between(place, place + 1)[0]) + 1
