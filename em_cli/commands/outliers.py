"""`em outliers`: the rows that a model finds unlikely."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from em_cli.options import Debug, Model, OutFile, ReadingOptions, ReplaceFile, grouped


@grouped
def outliers(
    model: Model,
    reading: ReadingOptions,
    paths: Annotated[
        list[str] | None,
        Argument(metavar="[DATA...]", help="CSV files; - is standard input [default: what the run was fitted to]."),
    ] = None,
    alpha: Annotated[float, Option("--alpha", metavar="P", help="Rows whose tail probability is at most P.")] = 0.001,
    every: Annotated[bool, Option("--all", help="All rows, whatever their tail probability.")] = False,
    json: Annotated[bool, Option("--json", help="A JSON document instead of CSV.")] = False,
    seed: Annotated[int, Option("--seed", metavar="N", min=0, help="Same seed, same draws.", envvar="EM_SEED")] = 0,
    out: OutFile = None,
    force: ReplaceFile = False,
    quiet: Annotated[bool, Option("-q", "--quiet", help="Nothing on stderr but errors.")] = False,
    debug: Debug = False,
) -> None:
    """List the rows that the model finds least likely.

    The tail probability of a row is that of a density as low as its own.

    Example: em outliers faithful-k2.em --alpha 0.01
    """
    from em_cli.outputs.manifest import to_json
    from em_cli.postestimation.outliers import judged, own_data
    from em_cli.printable import say
    from em_cli.runs.output_files import target
    from em_cli.runs.row_scores import open_model

    write = target(out, force, model, *(paths or ()))
    loaded = open_model(model, paths or [], reading if paths else None)
    data, how = (paths, reading) if paths else own_data(model, reading)
    found = judged(loaded, data, how, alpha, seed, every)
    write([to_json(found.document(seed))] if json else found.lines())
    if not quiet:
        say(found.summary)
