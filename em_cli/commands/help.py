"""`em help`: the help of a command, or a page of the guide."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from typer import Argument, Context, Option

from em_cli.options import Help, ShortHelp
from em_cli.options.help_page import AnyContext, contexts, manual, page
from em_cli.options.misuse import no_such_command


def topics(context: Context, incomplete: str) -> list[str]:
    """Commands and topics that a shell offers."""
    from em_cli.runs.guide_pages import TOPICS

    known: AnyContext = context.find_root()
    return [name for name in (*known.command.commands, *TOPICS) if name.startswith(incomplete)]


def help(
    context: Context,
    topic: Annotated[
        list[str] | None,
        Argument(metavar="[TOPIC]", help="A command, or a topic of the guide.", autocompletion=topics),
    ] = None,
    man: Annotated[bool, Option("--man", help="As a manual page: em help --man fit | man -l -")] = False,
    out: Annotated[
        str | None, Option("-o", "--out", metavar="DIR", help="All manual pages, into a folder.", show_default=False)
    ] = None,
    short_help: ShortHelp = False,
    long_help: Help = False,
) -> None:
    """Show the help of a command, or a page of the guide.

    Example: em help fit
    """
    from em_cli import __version__
    from em_cli.errors import UsageError
    from em_cli.outputs.folder import write_file, write_files
    from em_cli.runs.guide_pages import TOPICS, show_page

    root: AnyContext = context.find_root()
    if out is not None:
        if topic or not man:
            raise UsageError("--out writes all manual pages: em help --man --out DIR.")
        write_files(out, {f"{name}.1": [manual(each, __version__)] for name, each in contexts(root)})
    elif topic and len(topic) == 1 and topic[0] in TOPICS and topic[0] not in root.command.commands and not man:
        show_page(topic[0])
    else:
        asked = _command(root, topic or [], () if man else TOPICS)
        write_file("-", [manual(asked, __version__) if man else page(asked)])


def _command(root: AnyContext, names: list[str], topics: Sequence[str]) -> AnyContext:
    """The command of these names, one within the other; `UsageError` with the nearest of them and of the topics."""
    from em_cli.errors import UsageError
    from em_cli.registry import did_you_mean

    if names and names[0] not in root.command.commands:
        unknown = " ".join(names)
        raise UsageError(f"no command or topic {unknown!r}{did_you_mean(unknown, [*root.command.commands, *topics])}")
    asked = root
    for name in names:
        command = getattr(asked.command, "commands", {}).get(name)
        if command is None:
            raise UsageError(no_such_command(name, asked))
        asked = command.make_context(name, [], parent=asked, resilient_parsing=True)
    return asked
