"""New rows for a model that is there already: handed out as they arrive, in constant memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from em_cli.engine.arrays import Array
from em_cli.sources.candidates import check_needed
from em_cli.sources.column_types import recoded
from em_cli.sources.dress import undressed
from em_cli.sources.examined import examine
from em_cli.sources.files import expand
from em_cli.sources.pieces import Piece, pieces
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.refusals import (
    refuse_impossible,
    refuse_infinite,
    refuse_missing_cell,
    refuse_text,
    refuse_untransformed,
)
from em_cli.sources.schema import Column
from em_cli.sources.weights import weights_of


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Consecutive rows, maybe none."""

    first_row: int  # of all rows of all files, from 0
    n_rows: int
    ids: list[str] | None  # of every row
    x: Array  # (D, m) the usable rows, columns in the order asked for
    rows: NDArray[np.intp]  # (m,) places of these within the chunk
    weights: Array | None  # (m,)
    unseen: dict[str, int]  # cells per column whose level the model has not seen: they count as missing
    units: dict[str, str]  # that cells of a column wear, where those of the model wore none
    piece: Piece  # that the rows stand in
    id_name: str | None = None  # of the column of ids

    @property
    def keys(self) -> list[str] | range:
        """What to call the rows: their ids, or their numbers from 1."""
        return self.ids if self.ids is not None else range(self.first_row + 1, self.first_row + self.n_rows + 1)


def stream(paths: Sequence[str], columns: Sequence[Column], options: ReadOptions) -> Iterator[Chunk]:
    """The columns named here, whatever else the files hold; the options' own choice of columns is not looked at.

    Of each file there is at least one chunk, maybe without rows.
    """
    row = 0
    for path in expand(paths):
        for piece in pieces(path, _of_columns(columns, options)):
            chunk = chunk_of(piece, columns, options, row)
            row += chunk.n_rows
            yield chunk


def chunk_of(piece: Piece, columns: Sequence[Column], options: ReadOptions, first_row: int = 0) -> Chunk:
    """The columns named here of a piece that has been read."""
    options = _of_columns(columns, options)
    here = replace(options, id=None) if options.id_if_there and options.id not in piece.names else options
    here = here.with_row_names(piece.row_names).with_marks(piece.marks)
    check_needed(piece.names, piece.file, columns, here)
    return _chunk(piece, columns, here, first_row)


def _of_columns(columns: Sequence[Column], options: ReadOptions) -> ReadOptions:
    """The options, as the columns of a model want them."""
    return replace(
        options,
        columns=None,
        exclude=(),
        types={column.name: column.type for column in columns},
        transforms={column.name: column.transform for column in columns if column.transform is not None},
    )


def _chunk(piece: Piece, columns: Sequence[Column], options: ReadOptions, first_row: int) -> Chunk:
    n_rows = len(piece.frame)
    every = np.empty((len(columns), n_rows))
    unseen: dict[str, int] = {}
    units: dict[str, str] = {}
    known = np.array([column.name in piece.names for column in columns])
    for index, column in enumerate(columns):
        if not known[index]:
            every[index] = np.nan
            continue
        part = examine(piece, column.name, options)
        if not column.levels:
            (part,), removed = undressed(column.name, [part], options, wanted=True)
            if removed.unit and column.name not in options.in_units:
                units[column.name] = removed.unit
        refuse_text(column.name, [part], None)
        refuse_infinite(column.name, part.infinite)
        if column.transform is None:
            refuse_impossible(column.name, column.type, part.impossible, None)
        else:
            refuse_untransformed(column.name, column.transform, part.impossible, None)
        if options.missing == "error":
            refuse_missing_cell(column.name, part.missing)
        every[index] = part.values
        if column.levels:
            every[index] = recoded(part, {level: float(place) for place, level in enumerate(column.levels)})
            if n_unseen := int(np.isnan(every[index]).sum()) - part.n_missing:
                unseen[column.name] = n_unseen
    missing = np.isnan(every[known])
    usable = ~missing.any(axis=0) if options.missing == "drop" else np.ones(n_rows, np.bool_)
    weights = None if options.weights is None else weights_of(piece, options)
    return Chunk(
        first_row=first_row,
        n_rows=n_rows,
        ids=None if options.id is None else piece.frame[options.id].fillna("").tolist(),
        x=every if usable.all() else every[:, usable],
        rows=np.flatnonzero(usable),
        weights=None if weights is None else weights[usable],
        unseen=unseen,
        units=units,
        piece=piece,
        id_name=options.id,
    )
