"""`em demo`: what the program does, on data that it brings along."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Option

from em_cli.options import Debug, grouped


@grouped
def demo(
    folder: Annotated[
        str, Argument(metavar="[DIR]", help="Where it writes [default: em-demo].", show_default=False)
    ] = "em-demo",
    force: Annotated[bool, Option("--force", help="Replace what is there.")] = False,
    debug: Debug = False,
) -> None:
    """Fit and select on the Old Faithful data, which it writes beside: each command is shown as it is run.

    Example: em demo
    """
    from em_cli.runs.demonstration import demonstrate

    demonstrate(folder, force)
