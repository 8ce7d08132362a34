"""`em runs`: the run folders that there are."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from em_cli.options import Debug, grouped


@grouped
def runs(
    folder: Annotated[str, Argument(metavar="[DIR]", help="Where to look [default: here].", show_default=False)] = ".",
    json: Annotated[bool, Option("--json", help="A JSON document instead of a table.")] = False,
    debug: Debug = False,
) -> None:
    """List the runs in a folder and in those below it, the latest last.

    Example: em runs
    """
    import sys

    from em_cli.outputs.folder import write_file
    from em_cli.outputs.manifest import to_json
    from em_cli.postestimation.catalogue import listed, runs_in
    from em_cli.runs.screen import width

    found = runs_in(folder)
    if json:
        write_file("-", [to_json(found)])
    else:
        write_file("-", [listed(found, folder, width() if sys.stdout.isatty() else None)])
