"""Rows of files or of standard input, scored as they come; what predict and score share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from em_cli.commands.layers import layer
from em_cli.commands.options import ReadingOptions
from em_cli.errors import OutputError, UsageError

if TYPE_CHECKING:
    from em_cli.engine.scoring import RowScores
    from em_cli.outputs.model_file import LoadedModel
    from em_cli.sources.stream import Chunk


def open_model(model: str, paths: list[str]) -> LoadedModel:
    """The model that is to score the rows of these files."""
    from em_cli.outputs.model_file import read_model

    if model == "-" and "-" in paths:
        raise UsageError("the model and the data cannot both come from standard input.")
    return read_model(model)


def scored_chunks(loaded: LoadedModel, paths: list[str], options: ReadingOptions) -> Iterator[tuple[Chunk, RowScores]]:
    """The rows in the order they come, with their scores; memory does not grow with their number."""
    from em_cli.commands.setup import read_options
    from em_cli.config.resolve import resolve
    from em_cli.engine.scoring import score_rows
    from em_cli.sources.stream import stream

    config = resolve(None, [], layer(options))
    for chunk in stream(paths, loaded.schema.columns, read_options(config.data)):
        yield chunk, score_rows(loaded.model, loaded.parameters, chunk.x)


def target(out: str | None, force: bool) -> Callable[[Iterable[str]], None]:
    """Where lines go: standard output, each piece at once, or a file that is complete or absent."""
    from em_cli.outputs.folder import write_file

    if out not in (None, "-") and os.path.lexists(str(out)) and not force:
        raise OutputError(f"{out} exists. Use --force to replace it.")
    return lambda lines: write_file(out or "-", lines)
