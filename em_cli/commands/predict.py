"""`em predict`: label new rows by a model, as they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from typer import Option

from em_cli.options import Debug, Model, ReadingOptions, Rows, grouped


@grouped
def predict(
    model: Model,
    paths: Rows,
    reading: ReadingOptions,
    out: Annotated[str | None, Option("-o", "--out", metavar="FILE", help="[default: standard output]")] = None,
    force: Annotated[bool, Option("--force", help="Replace an existing file.")] = False,
    debug: Debug = False,
) -> None:
    """Label new rows.

    Example: em predict faithful.em new.csv > labelled.csv
    """
    from em_cli.outputs.tables import score_header, score_lines
    from em_cli.runs.row_scores import open_model, scored_chunks, target

    write = target(out, force, model, *paths)
    loaded = open_model(model, paths)

    def lines() -> Iterator[str]:
        first = True
        for chunk, scores in scored_chunks(loaded, paths, reading):
            if first:
                yield score_header(reading.id or "row", loaded.model)
                first = False
            yield from score_lines(scores, chunk.rows, chunk.keys, loaded.model.n_components)

    write(lines())
