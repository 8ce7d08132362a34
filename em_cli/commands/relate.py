"""`em relate`: the components of a run and other columns."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from em_cli.options import DataNow, JsonDocument, OutFolder, ReplaceFiles, RunPath, ScreenOptions, grouped

Outcome = Annotated[str | None, Option("--outcome", metavar="Y,Z", help="What these are like in each component.")]
On = Annotated[
    str | None, Option("--on", metavar="X,…", help="Who is in which component, by these: x, x^2, log(x), x:z.")
]
Types = Annotated[list[str] | None, Option("--type", metavar="COL=TYPE", help="numeric or categorical (repeatable).")]
Method = Annotated[
    str | None,
    Option("--method", metavar="bch|ml", help="[default: bch for --outcome, ml for --on].", show_default=False),
]
Assign = Annotated[
    str, Option("--assign", metavar="modal|proportional", help="To the likeliest component, or by probabilities.")
]
Replicates = Annotated[
    int | None,
    Option(
        "--replicates",
        metavar="N",
        min=0,
        help="Refits that correct errors of classification, and resamples for standard errors "
        "[default: 40 and 99 up to 2,000 units, else 0].",
        show_default=False,
    ),
]


@grouped
def relate(
    run: RunPath,
    screen: ScreenOptions,
    data: DataNow = None,
    outcome: Outcome = None,
    on: On = None,
    types: Types = None,
    method: Method = None,
    assign: Assign = "modal",
    replicates: Replicates = None,
    json: JsonDocument = False,
    out: OutFolder = None,
    force: ReplaceFiles = False,
) -> None:
    """Relate the components to other columns, correcting for errors of classification.

    Example: em relate penguins-k3.em --outcome body_mass_g --on island
    """
    from em_cli.display.relations_page import relations_page
    from em_cli.options import by_column, names_in
    from em_cli.outputs.folder import write_files
    from em_cli.outputs.manifest import to_json
    from em_cli.postestimation.related import Asked, relations, table
    from em_cli.runs.path_checks import check_all_free
    from em_cli.runs.screen import say_found

    check_all_free(out or run, ("relate.csv", "relate.json"), force)
    wanted = tuple(names_in([outcome or ""])), tuple(names_in([on or ""]))
    kinds = by_column("type", "visits=numeric", types or [])
    found = relations(run, data or [], Asked(*wanted, method, assign, kinds, replicates))
    write_files(out or run, {"relate.csv": table(found), "relate.json": [to_json(found)]})
    say_found(found, json, relations_page, screen)
