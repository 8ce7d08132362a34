"""`em predict`: label new rows by a model, as they come."""

from __future__ import annotations

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
    append: Annotated[
        bool, Option("--append", help="The rows and columns of the data as they are, with component and probability.")
    ] = False,
    by: Annotated[
        str | None,
        Option("--by", metavar="COL", help="MODEL holds runs of em fit --by COL: each row by that of its level."),
    ] = None,
    out: Annotated[str | None, Option("-o", "--out", metavar="FILE", help="[default: standard output]")] = None,
    force: Annotated[bool, Option("--force", help="Replace an existing file.")] = False,
    debug: Debug = False,
) -> None:
    """Label new rows; of regressions, predict the response too.

    With --decode filter a row is labelled by what was known at its time; --horizon adds rows that follow.

    Example: em predict faithful-k2.em new.csv --append > labelled.csv
    """
    from em_cli.errors import UsageError
    from em_cli.runs.forecast import forecast_lines
    from em_cli.runs.labelled import labelled_rows
    from em_cli.runs.predicted_by import lines_by_level
    from em_cli.runs.row_scores import open_model, score_table, target

    write = target(out, force, model, *paths)
    if by is not None:
        if append or decode is not None or horizon is not None:
            raise UsageError("--by gives a table of its own: --append, --decode and --horizon do not go with it.")
        return write(lines_by_level(model, paths, reading, by))
    loaded = open_model(model, paths, reading)
    if append:
        if decode is not None or horizon is not None:
            other = "--horizon" if decode is None else "--decode"
            raise UsageError(f"--append adds the likeliest component of each row: {other} is another table.")
        return write(labelled_rows(loaded, paths, reading))
    if decode is not None or horizon is not None:
        return write(forecast_lines(loaded, paths, reading, decode or "posterior", horizon or 0))
    return write(score_table(loaded, paths, reading))
