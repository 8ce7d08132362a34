"""`em score`: how well a model fits data."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from em_cli.options import Debug, Model, OutFile, ReadingOptions, ReplaceFile, Rows, grouped


@grouped
def score(
    model: Model,
    paths: Rows,
    reading: ReadingOptions,
    weights: Annotated[str | None, Option("--weights", metavar="COL", help="Case weights.")] = None,
    rows: Annotated[bool, Option("--rows", help="A log-density for each row, as CSV.")] = False,
    residuals: Annotated[
        bool, Option("--residuals", help="Pseudo-residuals of each row of a sequence, as CSV.")
    ] = False,
    drift: Annotated[bool, Option("--drift", help="Whether the rows still follow the model.")] = False,
    strict: Annotated[bool, Option("--strict", help="Status 6 if they do not, with p < 0.01.")] = False,
    out: OutFile = None,
    force: ReplaceFile = False,
    debug: Debug = False,
) -> None:
    """Log-likelihood and criteria of data under a model.

    Example: em score faithful-k2.em new.csv
    """
    from em_cli.errors import UsageError
    from em_cli.outputs.any_model import open_any
    from em_cli.postestimation.drifted import tell_drift
    from em_cli.postestimation.scores_asked import Asked, scores_asked
    from em_cli.runs.output_files import target

    if strict and not drift:
        raise UsageError("--strict is about --drift: give both.")
    asked = Asked(weights, rows, residuals, drift)
    write = target(out, force, model, *paths)
    scores, found = scores_asked(open_any(model, paths), paths, reading, asked)
    write(scores)
    if found is not None:
        tell_drift(found, strict)
