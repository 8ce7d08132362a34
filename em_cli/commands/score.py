"""`em score`: how well a model fits data."""

from __future__ import annotations

from collections.abc import Iterator
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
    from em_cli.errors import DataError, UsageError
    from em_cli.outputs.tables import csv_text
    from em_cli.runs.row_scores import open_model, scored_chunks, target

    write = target(out, force, model, *paths)
    loaded = open_model(model, paths)
    if rows and weights:
        raise UsageError("--weights does not apply to --rows: the log-density of a row is its own.")
    chunks = scored_chunks(loaded, paths, reading, weights)
    if rows:
        key = reading.id or "row"

        def densities() -> Iterator[dict[str, object]]:
            for chunk, scores in chunks:
                values: list[float | None] = [None] * chunk.n_rows
                for place, value in zip(chunk.rows.tolist(), scores.log_density.tolist(), strict=True):
                    values[place] = value
                for name, value in zip(chunk.keys, values, strict=True):
                    yield {key: name, "log_density": value}

        write(csv_text((key, "log_density"), densities()))
        return

    from em_cli.criteria import Figures, values
    from em_cli.engine.arrays import add
    from em_cli.engine.scoring import totals
    from em_cli.outputs.manifest import to_json

    total, n_read, n = None, 0, 0
    for chunk, scores in chunks:
        part = totals(scores, chunk.weights)
        total = part if total is None else add(total, part)
        n_read, n = n_read + chunk.n_rows, n + len(chunk.rows)
    weight = float(n if weights is None or total is None else total.n_effective.sum())
    if total is None or not weight:
        raise DataError("there is no row to score.")
    figures = Figures(
        float(total.log_likelihood), loaded.model.n_parameters, weight, float(total.entropy), float(total.log_largest)
    )
    document = {
        "n_rows_read": n_read,
        "n_samples": n,
        "log_likelihood": figures.log_likelihood,
        "sum_weights": weight,
        "log_likelihood_per_row": figures.log_likelihood / weight,
        "n_parameters": figures.n_parameters,
        **{name: value if value < float("inf") else None for name, value in values(figures).items()},
        "entropy": figures.entropy,
        "n_assigned": [int(count) for count in total.n_assigned],
    }
    write([to_json(document)])
