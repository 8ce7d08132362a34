"""`em sample`: draw rows from a model."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from em_cli.options import Debug, Model, OutFile, ReplaceFile, grouped


@grouped
def sample(
    model: Model,
    n: Annotated[
        int | None, Option("-n", "--rows", metavar="N", min=0, help="How many rows.", show_default=False)
    ] = None,
    seed: Annotated[int, Option("--seed", metavar="N", min=0, help="Same seed, same rows.", envvar="EM_SEED")] = 0,
    sequences: Annotated[
        int | None,
        Option("--sequences", metavar="S", min=1, help="So many sequences of N rows each.", show_default=False),
    ] = None,
    given: Annotated[
        str | None,
        Option(
            "--given",
            metavar="DATA",
            help="Rows that tell a response, or mixing weights: one is drawn for each.",
            show_default=False,
        ),
    ] = None,
    labels: Annotated[bool, Option("--labels", help="Add the component of each row as a column.")] = False,
    out: OutFile = None,
    force: ReplaceFile = False,
    debug: Debug = False,
) -> None:
    """Draw rows as CSV.

    Example: em sample faithful-k2.em -n 1000 --seed 1
    """
    from em_cli.outputs.model_file import read_model
    from em_cli.postestimation.drawn_rows import check_given, drawn_lines, lines_given
    from em_cli.runs.output_files import target

    write = target(out, force, model, *([given] if given else []))
    loaded = read_model(model)
    check_given(loaded, n, given)
    if given is not None:
        write(lines_given(loaded, given, seed, sequences, labels))
    else:
        write(drawn_lines(loaded, n or 0, seed, sequences, labels))
