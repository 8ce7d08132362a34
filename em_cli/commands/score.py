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
    from em_cli.outputs.manifest import to_json
    from em_cli.outputs.model_file import LoadedModel
    from em_cli.postestimation.any_scores import scores_of_units
    from em_cli.postestimation.drifted import drift_document, tell_drift
    from em_cli.postestimation.forecast import residual_table
    from em_cli.postestimation.score_totals import density_lines, score_document
    from em_cli.runs.remembered import tell_remembered
    from em_cli.runs.row_scores import scored_chunks, target

    if strict and not drift:
        raise UsageError("--strict is about --drift: give both.")
    if drift and (rows or residuals):
        raise UsageError("--drift is about all rows together: leave out --rows and --residuals.")
    write = target(out, force, model, *paths)
    loaded = open_any(model, paths)
    own = scores_of_units(loaded, paths, reading, weights, rows, {"--residuals": residuals, "--drift": drift})
    if own is not None:
        write(own)
        return
    assert isinstance(loaded, LoadedModel), "it is a mixture"
    tell_remembered(loaded, reading)
    if (rows or residuals) and weights:
        what = "--rows" if rows else "--residuals"
        raise UsageError(f"--weights does not apply to {what}: they are those of each row alone.")
    if rows and residuals:
        raise UsageError("--rows and --residuals are two tables: ask for one of them.")
    if residuals:
        write(residual_table(loaded, paths, reading))
        return
    if drift:
        found = drift_document(loaded, paths, reading, weights)
        write([to_json(found)])
        tell_drift(found["drift"], strict)
        return
    chunks = scored_chunks(loaded, paths, reading, weights)
    if rows:
        write(density_lines(chunks))
    else:
        write([to_json(score_document(loaded, chunks))])
