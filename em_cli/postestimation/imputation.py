"""Files of data with their missing cells completed by a model."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.options import ReadingOptions
from em_cli.outputs.model_file import LoadedModel
from em_cli.runs.remembered import as_fitted
from em_cli.runs.row_scores import chunks_for, sequences_for
from em_cli.sources.copying import Copy
from em_cli.sources.filling import cell_text, filled, missing_cells
from em_cli.sources.stream import Chunk


def completed(
    loaded: LoadedModel, paths: Sequence[str], reading: ReadingOptions, seed: int, draw: int
) -> Iterator[bytes]:
    """The files, completed as the rows come; by draw 0 with what is expected or likeliest."""
    columns, decimal = list(loaded.schema.columns), as_fitted(loaded, reading).decimal or "."
    copy = Copy("complete")
    for chunk, known in _chunks(loaded, paths, replace(reading, missing="model")):
        piece = chunk.piece
        header = copy.begins(piece)
        x = loaded.completed(chunk.x, np.random.default_rng((seed, draw, chunk.first_row)) if draw else None, known)
        cells: dict[int, dict[str, str]] = {}
        for place, row in np.argwhere(missing_cells(piece, columns)).tolist():
            column = columns[place]
            if np.isnan(x[place, row]):
                continue  # of a regressor, and of what tells mixing weights, nothing is known
            cells.setdefault(row, {})[column.name] = cell_text(column, float(x[place, row]), decimal)
        yield copy.written(piece, filled(piece, cells, header), header)


def _chunks(loaded: LoadedModel, paths: Sequence[str], reading: ReadingOptions) -> Iterator[tuple[Chunk, Array | None]]:
    """The rows, and what their sequences tell of their components (K, n)."""
    if not loaded.sequential:
        yield from ((chunk, None) for chunk in chunks_for(loaded, paths, reading))
        return
    found = sequences_for(loaded, paths, reading)
    p = found.scores.responsibilities
    for chunk in found.chunks:
        yield chunk, p[:, chunk.first_row : chunk.first_row + chunk.n_rows]
