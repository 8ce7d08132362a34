"""`em guide`: the pages of the guide, in reading order."""

from __future__ import annotations

import sys
from typing import Annotated

from typer import Argument

from em_cli.errors import UsageError

TOPICS = (
    "columns",
    "families",
    "missing",
    "files",
    "search",
    "criteria",
    "seeing",
    "predicting",
    "runs",
    "configuration",
    "scripting",
    "warnings",
    "example",
    "benchmarks",
)
MORE = "em guide TOPIC shows a page; em help COMMAND lists the options of a command."


def guide(topic: Annotated[str | None, Argument(metavar="TOPIC", help="One page.")] = None) -> None:
    """Explain columns, files, searches, warnings and more, by topic.

    Example: em guide search
    """
    if topic is None:
        from em_cli.outputs.folder import write_file

        write_file("-", [contents()])
    elif topic in TOPICS:
        show_page(topic)
    else:
        from em_cli.registry import did_you_mean

        raise UsageError(f"the guide has no topic {topic!r}{did_you_mean(topic, TOPICS)}")


def contents() -> str:
    """The topics, with the subtitle of each page."""
    wide = max(map(len, TOPICS))
    titles = [page(topic).partition("\n")[0].partition(": ")[2] for topic in TOPICS]
    lines = [f"{topic:<{wide}}  {title}" for topic, title in zip(TOPICS, titles, strict=True)]
    return "\n".join([*lines, "", MORE, ""])


def page(topic: str) -> str:
    """The page in Markdown; its first line is `# Title: subtitle`."""
    from importlib.resources import files

    return (files("em_cli") / "guide" / f"{topic}.md").read_text("utf-8")


def show_page(topic: str) -> None:
    """The page on standard output: laid out and paged on a terminal, Markdown elsewhere."""
    from em_cli.display import can_draw

    if can_draw("auto", sys.stdout):
        from em_cli.display.guide_page import turn

        turn(page(topic))
    else:
        from em_cli.outputs.folder import write_file

        write_file("-", [page(topic)])
