"""What a summary says beside its document, and its end: what to beware of, what was written, what one may do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from em_cli.display.text_page import Page
from em_cli.printable import safe

WIDEST = 100


@dataclass(frozen=True, slots=True)
class Beside:
    """What a summary says beside its document, and how wide and whether in colours."""

    read_line: str = ""  # what it was fitted to
    warnings: object = ()  # each with a `message`
    written: Sequence[str] = ()  # in the folder
    folder: str | None = None
    suggestions: Sequence[str] = ()  # commands that may come next
    width: int = 80
    color: bool = False

    def page(self) -> Page:
        """To write on."""
        return Page(min(self.width, WIDEST), self.color)


def tell_end(page: Page, beside: Beside) -> None:
    """Warnings, each on lines of its own; what was written where; what one may do next."""
    warnings = beside.warnings
    told = [w for w in warnings if isinstance(w, Mapping)] if isinstance(warnings, list | tuple) else []
    if told:
        page.blank()
    for warning in told:
        page.words(str(warning.get("message", "")), indent=" ! ", style="yellow")
    if beside.folder or beside.suggestions:
        page.blank()
    if beside.folder:
        head = f"Written to {safe(beside.folder)}/:"
        page.flow([head, *map(safe, beside.written)], gap="  ", indent="", hanging=2) if beside.written else page.line(
            head.rstrip(":")
        )
    for place, suggestion in enumerate(beside.suggestions):
        page.command("Try:  " if place == 0 else "      ", suggestion)
