"""`em help`: the help of a command, or a page of the guide."""

from __future__ import annotations

from typing import Annotated

from typer import Argument, Context
from typer.core import TyperGroup


def help(
    context: Context,
    topic: Annotated[list[str] | None, Argument(metavar="TOPIC", help="A command, or a topic of the guide.")] = None,
) -> None:
    """Show the help of a command, or a page of the guide.

    Example: em help fit
    """
    from em_cli.errors import UsageError
    from em_cli.registry import did_you_mean
    from em_cli.runs.guide_pages import TOPICS, show_page

    root = context.find_root()
    program = root.command
    assert isinstance(program, TyperGroup), "the program is its commands"
    if topic and topic[0] not in program.commands:
        if len(topic) == 1 and topic[0] in TOPICS:
            show_page(topic[0])
            return
        unknown = " ".join(topic)
        raise UsageError(f"no command or topic {unknown!r}{did_you_mean(unknown, [*program.commands, *TOPICS])}")
    program.main([*(topic or ()), "--help"], prog_name=root.info_name, standalone_mode=False)
