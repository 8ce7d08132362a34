"""`em score`: how well a model fits data."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from em_cli.options import Debug, Model, ReadingOptions, Rows, grouped


@grouped
def score(
    model: Model,
    paths: Rows,
    reading: ReadingOptions,
    weights: Annotated[str | None, Option("--weights", metavar="COL", help="Case weights.")] = None,
    rows: Annotated[bool, Option("--rows", help="A log-density for each row, as CSV.")] = False,
    out: Annotated[str | None, Option("-o", "--out", metavar="FILE", help="[default: standard output]")] = None,
    force: Annotated[bool, Option("--force", help="Replace an existing file.")] = False,
    debug: Debug = False,
) -> None:
    """Log-likelihood and criteria of data under a model.

    Example: em score faithful.em new.csv
    """
    from em_cli.errors import UsageError
    from em_cli.outputs.manifest import to_json
    from em_cli.runs.row_scores import open_model, scored_chunks, target
    from em_cli.runs.score_totals import density_lines, score_document

    write = target(out, force, model, *paths)
    loaded = open_model(model, paths)
    if rows and weights:
        raise UsageError("--weights does not apply to --rows: the log-density of a row is its own.")
    chunks = scored_chunks(loaded, paths, reading, weights)
    if rows:
        write(density_lines(chunks, reading.id or "row"))
    else:
        write([to_json(score_document(loaded, chunks))])
