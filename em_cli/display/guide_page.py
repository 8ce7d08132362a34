"""A page of the guide on a terminal: Markdown laid out, in the pager."""

from __future__ import annotations

import os
from typing import ClassVar

from rich.console import Console, ConsoleOptions, RenderResult
from rich.markdown import CodeBlock, Heading, Markdown, MarkdownElement
from rich.padding import Padding
from rich.text import Text
from rich.theme import Theme

WIDEST = 100  # characters
STYLES = {
    "markdown.h1": "bold underline",
    "markdown.h2": "bold",
    "markdown.h3": "italic",
    "markdown.code": "cyan",
    "markdown.code_block": "cyan",
    "markdown.table.header": "bold",
    "markdown.table.border": "dim",
}


class LeftHeading(Heading):
    """A heading that begins where its text begins."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        yield self.text


class IndentedBlock(CodeBlock):
    """Commands and what they print, set in and never folded between words."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        block = Text(str(self.text).rstrip(), "markdown.code_block", overflow="fold")
        yield Padding(block, (0, 0, 0, 2))


class Page(Markdown):
    """Markdown in the manner of the guide."""

    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "heading_open": LeftHeading,
        "fence": IndentedBlock,
    }


def turn(text: str) -> None:
    """Show Markdown on standard output, which is a terminal, through the pager."""
    console = Console(theme=Theme(STYLES), highlight=False)
    os.environ.setdefault("LESS", "FRX")  # colours as they are; what fits on the screen stays there
    with console.pager(styles=_is_less(os.environ.get("MANPAGER") or os.environ.get("PAGER") or "less")):
        console.print(Page(text, hyperlinks=False), width=min(console.width, WIDEST))


def _is_less(pager: str) -> bool:
    """Whether the pager shows styles where it meets them."""
    return pager.split()[0].rpartition("/")[2] == "less"
