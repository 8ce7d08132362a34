"""`em export`: a model as a statement of SQL, a program in another language, a graph or a workbook."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from em_cli.options import Debug, Model, OutFile, ReplaceFile, grouped

To = Annotated[str, Option("--to", metavar="sql|python|r|onnx|excel|pmml", help="What it is to be.")]
Dialect = Annotated[
    str | None,
    Option(
        "--dialect", metavar="duckdb|postgres|sqlite|bigquery", help="Of SQL [default: duckdb].", show_default=False
    ),
]
Table = Annotated[
    str | None,
    Option("--table", metavar="NAME", help="That holds the rows, in SQL [default: data].", show_default=False),
]
Keep = Annotated[
    str | None,
    Option(
        "--keep",
        metavar="COL,COL…",
        help="Columns of the table before the scores [default: the ids of the fit, else those of the model].",
        show_default=False,
    ),
]
Room = Annotated[
    int | None,
    Option("--rows", metavar="N", min=1, help="That a workbook has room for [default: 1000].", show_default=False),
]


@grouped
def export(
    model: Model,
    to: To,
    dialect: Dialect = None,
    table: Table = None,
    keep: Keep = None,
    rows: Room = None,
    out: OutFile = None,
    force: ReplaceFile = False,
    debug: Debug = False,
) -> None:
    """Write a model in SQL, Python (NumPy alone), base R, ONNX, Excel or PMML: it scores rows as em predict does.

    Example: em export faithful-k2.em --to sql --table eruptions | duckdb data.db
    """
    from em_cli.errors import UsageError
    from em_cli.outputs.any_model import open_any
    from em_cli.outputs.haplotypes_file import LoadedHaplotypes
    from em_cli.postestimation.exported import KINDS, check_shown, checked_text, exported, how_to_run
    from em_cli.postestimation.plain_cells import plain_numbers
    from em_cli.printable import safe, say
    from em_cli.runs.output_files import target

    check_shown(to, out)
    write = target(out, force, model, kind=KINDS.get(to, ""))
    loaded = open_any(model, [])
    if isinstance(loaded, LoadedHaplotypes):
        raise UsageError("haplotypes have no export: params.json and haplotypes.csv hold all there is of them.")
    write(checked_text(exported(loaded, model, to, dialect, table, keep, rows), out))
    if (needed := plain_numbers(loaded)) is not None:
        say(safe(needed))
    if out is not None and (told := how_to_run(loaded, to, dialect, table, out)) is not None:
        say(safe(told))
