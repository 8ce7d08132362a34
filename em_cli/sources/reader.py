"""Whole data files, ready to be fitted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.errors import DataError
from em_cli.sources.candidates import candidates, check_same
from em_cli.sources.cells import Examined, examine
from em_cli.sources.files import STDIN, digest, expand, label
from em_cli.sources.memory import InMemory
from em_cli.sources.options import ReadOptions
from em_cli.sources.pieces import pieces
from em_cli.sources.quoting import plain
from em_cli.sources.schema import Column, Schema
from em_cli.sources.selection import check_spread, id_notice, keep_numeric, looks_like_id, refuse_unfit, usable_rows
from em_cli.sources.table import Data, InputFile


def read(paths: Sequence[str], options: ReadOptions) -> Data:
    """All rows of the files, stacked by column name; `DataError` says what stands in the way."""
    files = expand(paths)
    shown = label(files[0]) if len(files) == 1 else f"{len(files)} files"
    names: tuple[str, ...] = ()
    parts: dict[str, list[Examined]] = {}
    ids: list[str] | None = None if options.id is None else []
    inputs: list[InputFile] = []
    n_read = 0
    for number, path in enumerate(files):
        for piece in pieces(path, options, inputs.append):
            if not names:
                names = piece.names
                parts = {name: [] for name in candidates(names, piece.file, options)}
            elif number and piece.first_row == 0:
                check_same(piece.names, piece.file, names, label(files[0]))
            found = [examine(piece, name, options, column[-1] if column else None) for name, column in parts.items()]
            together = np.array([column.values for column in found])  # in one place, not amid the text
            for column, examined, values in zip(parts.values(), found, together, strict=True):
                column.append(replace(examined, values=values))
            if ids is not None:
                ids += piece.frame[options.id].fillna("").tolist()
            n_read += len(piece.frame)
    if not n_read:
        raise DataError(f"{shown} {'has' if len(files) == 1 else 'have'} a header but no row of data.")

    kept, notices = keep_numeric(parts, shown, options)
    refuse_unfit(parts, kept, options)
    usable, n_missing, dropped = usable_rows(parts, kept, n_read, shown, options)
    x = np.empty((len(kept), int(usable.sum())))
    id_like: list[str] = []
    for row, name in enumerate(kept):
        whole = _whole(parts.pop(name), None if dropped else x[row])
        if name not in options.named and looks_like_id(name, whole):
            id_like.append(name)
        if dropped:
            np.compress(usable, whole, out=x[row])
    schema = Schema(tuple(Column(name, options.type_of(name)) for name in kept))
    check_spread(x, schema, shown, options)
    return Data(
        name=_short_name(files),
        source=InMemory(x),
        schema=schema,
        rows=np.flatnonzero(usable),
        n_rows_read=n_read,
        ids=ids,
        id_name=options.id,
        n_missing=n_missing,
        notices=(*notices, *dropped, *id_notice(id_like)),
        inputs=tuple(inputs),
        data_sha256=digest(inputs),
    )


def _whole(column: Sequence[Examined], out: Array | None) -> Array:
    return np.concatenate([part.values for part in column], out=out)


def _short_name(files: Sequence[str]) -> str:
    if len(files) > 1:
        return f"{len(files)} files"
    return label(STDIN) if files[0] == STDIN else plain(Path(files[0]).name)
