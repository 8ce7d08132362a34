"""The pages of the guide, in reading order."""

from __future__ import annotations

import sys
from importlib.resources import files

from em_cli.display import can_draw
from em_cli.display.guide_page import turn
from em_cli.outputs.folder import write_file

TOPICS = (
    "columns",
    "families",
    "missing",
    "sequences",
    "regressions",
    "relating",
    "topics",
    "files",
    "large",
    "search",
    "algorithms",
    "criteria",
    "variational",
    "certainty",
    "seeing",
    "predicting",
    "exporting",
    "folders",
    "configuration",
    "scripting",
    "many",
    "warnings",
    "examples",
    "example",
    "coming-from",
    "benchmarks",
)
MORE = "em guide TOPIC shows a page; em help COMMAND lists the options of a command."


def contents() -> str:
    """The topics, with the subtitle of each page."""
    wide = max(map(len, TOPICS))
    titles = [page(topic).partition("\n")[0].partition(": ")[2] for topic in TOPICS]
    lines = [f"{topic:<{wide}}  {title}" for topic, title in zip(TOPICS, titles, strict=True)]
    return "\n".join([*lines, "", MORE, ""])


def page(topic: str) -> str:
    """The page in Markdown; its first line is `# Title: subtitle`."""
    return (files("em_cli") / "guide" / f"{topic}.md").read_text("utf-8")


def show_page(topic: str) -> None:
    """The page on standard output: laid out and paged on a terminal, Markdown elsewhere."""
    if can_draw("auto", sys.stdout):
        turn(page(topic))
    else:
        write_file("-", [page(topic)])
