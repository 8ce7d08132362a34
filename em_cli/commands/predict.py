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
    decode: Annotated[
        str | None,
        Option(
            "--decode",
            metavar="posterior|viterbi|filter",
            help="How states of sequences are told [default: posterior].",
            show_default=False,
        ),
    ] = None,
    horizon: Annotated[
        int | None,
        Option(
            "--horizon", metavar="H", min=1, help="Forecast so many steps beyond each sequence.", show_default=False
        ),
    ] = None,
    out: Annotated[str | None, Option("-o", "--out", metavar="FILE", help="[default: standard output]")] = None,
    force: Annotated[bool, Option("--force", help="Replace an existing file.")] = False,
    debug: Debug = False,
) -> None:
    """Label new rows.

    With --decode filter a row is labelled by what was known at its time; --horizon adds rows that follow.

    Example: em predict faithful.em new.csv > labelled.csv
    """
    from em_cli.outputs.tables import score_header, score_lines
    from em_cli.runs.forecast import forecast_lines
    from em_cli.runs.row_scores import open_model, scored_chunks, target

    write = target(out, force, model, *paths)
    loaded = open_model(model, paths, reading)
    if decode is not None or horizon is not None:
        write(forecast_lines(loaded, paths, reading, decode or "posterior", horizon or 0))
        return

    def lines() -> Iterator[str]:
        first = True
        for chunk, scores in scored_chunks(loaded, paths, reading):
            if first:
                yield score_header(chunk.id_name or reading.id or "row", loaded.model)
                first = False
            yield from score_lines(scores, chunk.rows, chunk.keys, loaded.model.n_components)

    write(lines())
