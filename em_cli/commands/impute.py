"""`em impute`: complete missing cells by a model."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from typer import Option

from em_cli.options import Debug, Model, ReadingOptions, Rows, grouped

if TYPE_CHECKING:
    from em_cli.sources.pieces import Piece


@grouped
def impute(
    model: Model,
    paths: Rows,
    reading: ReadingOptions,
    draws: Annotated[
        int, Option("--draws", metavar="M", min=0, help="Random draws: M files, for multiple imputation [default: 0].")
    ] = 0,
    seed: Annotated[int, Option("--seed", metavar="N", min=0, help="Same seed, same draws.", envvar="EM_SEED")] = 0,
    out: Annotated[
        str | None, Option("-o", "--out", metavar="FILE", help="[default: standard output]; FILE.1.csv … of draws.")
    ] = None,
    force: Annotated[bool, Option("--force", help="Replace an existing file.")] = False,
    debug: Debug = False,
) -> None:
    """Complete missing cells; everything else stays as it is.

    Each is filled with its conditional mean, or likeliest level, given the other cells of its row.

    Example: em impute survey.em survey.csv > complete.csv
    """
    import numpy as np

    from em_cli.errors import UsageError
    from em_cli.runs.row_scores import chunks_for, open_model, target
    from em_cli.sources.filling import cell_text, filled, missing_cells

    loaded = open_model(model, paths)
    if reading.missing not in (None, "model"):
        raise UsageError(f"--missing {reading.missing} does not apply: missing cells are what is completed.")
    if draws > 1 and (out in (None, "-") or "-" in paths):
        raise UsageError("several draws are several files, and read the data as often: give --out, and no '-' as data.")
    columns, decimal = list(loaded.schema.columns), reading.decimal or "."

    def texts(draw: int) -> Iterator[str]:
        first: Piece | None = None
        for chunk in chunks_for(loaded, paths, replace(reading, missing="model")):
            piece = chunk.piece
            if first is not None and piece.names != first.names:
                raise UsageError(f"{piece.file} has other columns than {first.file}: complete one file at a time.")
            x = loaded.completed(chunk.x, np.random.default_rng((seed, draw, chunk.first_row)) if draw else None)
            cells: dict[int, dict[str, str]] = {}
            for place, row in np.argwhere(missing_cells(piece, columns)).tolist():
                cells.setdefault(row, {})[columns[place].name] = cell_text(
                    columns[place], float(x[place, row]), decimal
                )
            yield filled(piece, cells, header=first is None)
            first = first or piece

    for draw in range(1, draws + 1) if draws else [0]:
        several = draws > 1 and out is not None
        name = str(Path(str(out)).with_suffix(f".{draw}{Path(str(out)).suffix}")) if several else out
        target(name, force, model, *paths)(texts(draw))
