"""`em compare`: runs side by side."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from em_cli.options import ReadingOptions, ReplaceFiles, RunPaths, ScreenOptions, grouped


@grouped
def compare(
    reading: ReadingOptions,
    screen: ScreenOptions,
    runs: RunPaths,
    data: Annotated[
        list[str] | None,
        Option("--data", metavar="FILE", help="Rows to judge them by [default: those that they were fitted to]."),
    ] = None,
    json: Annotated[bool, Option("--json", help="A JSON document instead of tables.")] = False,
    out: Annotated[
        str | None,
        Option("-o", "--out", metavar="DIR", help="A folder for compare.csv, matched.csv, rows.csv, compare.json."),
    ] = None,
    force: ReplaceFiles = False,
) -> None:
    """Compare runs: criteria, densities, components and rows.

    Example: em compare two.em three.em
    """
    from em_cli.display.comparison_page import comparison
    from em_cli.outputs.folder import write_files
    from em_cli.postestimation.compared_runs import FILES, compared
    from em_cli.runs.path_checks import check_all_free
    from em_cli.runs.screen import say_found

    if out is not None:
        check_all_free(out, FILES, force)
    found = compared(runs, data or [], reading)
    if out is not None:
        write_files(out, found.files())
    say_found(found.document, json, comparison, screen)
