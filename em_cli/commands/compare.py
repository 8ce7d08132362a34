"""`em compare`: runs side by side."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Option

from em_cli.options import ReadingOptions, RunPaths, ScreenOptions, grouped


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
    out: Annotated[str | None, Option("-o", "--out", metavar="FILE", help="[default: standard output]")] = None,
    force: Annotated[bool, Option("--force", help="Replace an existing file.")] = False,
) -> None:
    """Compare runs: criteria, densities, components and rows.

    Example: em compare two.em three.em
    """
    from em_cli.display.comparison_page import comparison
    from em_cli.outputs.manifest import to_json
    from em_cli.postestimation.compared_runs import compared
    from em_cli.runs.row_scores import target
    from em_cli.runs.screen import color_wanted, width

    write = target(out, force, *runs, *(data or ()))
    found = compared(runs, data or [], reading)
    columns = width() if sys.stdout.isatty() else 80
    write([to_json(found) if json else comparison(found, columns, color_wanted(screen))])
