"""`em doctor`: what a report of a bug needs."""

from __future__ import annotations

from typing import Annotated

from typer import Option

from em_cli.options import Debug, grouped


@grouped
def doctor(
    json: Annotated[bool, Option("--json", help="A JSON document instead of lines.")] = False,
    debug: Debug = False,
) -> None:
    """Tell the versions, the machine and the terminal, for a report of a bug; nothing personal.

    Example: em doctor
    """
    from em_cli.outputs.folder import write_file
    from em_cli.outputs.manifest import to_json
    from em_cli.runs.surroundings import surroundings, told

    found = surroundings()
    write_file("-", [to_json(found) if json else told(found)])
