"""`em predict`: label new rows by a model, as they come."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from em_cli.options import Debug, Model, OutFile, ReadingOptions, ReplaceFile, Rows, grouped

Decode = Annotated[
    str | None,
    Option(
        "--decode",
        metavar="posterior|viterbi|filter",
        help="How states of sequences are told [default: posterior].",
        show_default=False,
    ),
]
Horizon = Annotated[
    int | None,
    Option("--horizon", metavar="H", min=1, help="Forecast so many steps beyond each sequence.", show_default=False),
]
Unseen = Annotated[
    int | None,
    Option("--unseen", metavar="N", min=1, help="Of topics: likely terms that a document lacks.", show_default=False),
]
Append = Annotated[
    bool, Option("--append", help="The rows and columns of the data as they are, with component and probability.")
]
By = Annotated[
    str | None,
    Option("--by", metavar="COL", help="MODEL holds runs of em fit --by COL: each row by that of its level."),
]


@grouped
def predict(
    model: Model,
    paths: Rows,
    reading: ReadingOptions,
    decode: Decode = None,
    horizon: Horizon = None,
    unseen: Unseen = None,
    append: Append = False,
    by: By = None,
    out: OutFile = None,
    force: ReplaceFile = False,
    debug: Debug = False,
) -> None:
    """Label new rows; of regressions, predict the response too.

    With --decode filter a row is labelled by what was known at its time; --horizon adds rows that follow.

    Example: em predict faithful-k2.em new.csv --append > labelled.csv
    """
    from em_cli.postestimation.any_scores import predicted
    from em_cli.runs.output_files import target

    write = target(out, force, model, *paths)
    if by is not None:
        from em_cli.postestimation.predicted_by import lines_by_level, refuse_beside

        refuse_beside({"--append": append, "--decode": decode, "--horizon": horizon, "--unseen": unseen})
        return write(lines_by_level(model, paths, reading, by))
    return write(predicted(model, paths, reading, unseen, append, decode, horizon))
