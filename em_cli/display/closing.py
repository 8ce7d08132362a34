"""The end of a summary: what to beware of, what was written, what one may do next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from em_cli.display.text_page import Page
from em_cli.printable import safe


def tell_warnings(page: Page, warnings: object) -> None:
    """Each on lines of its own."""
    told = [w for w in warnings if isinstance(w, Mapping)] if isinstance(warnings, list | tuple) else []
    if told:
        page.blank()
    for warning in told:
        page.words(str(warning.get("message", "")), indent=" ! ", style="yellow")


def tell_files(page: Page, written: Sequence[str], folder: str | None, suggestions: Sequence[str]) -> None:
    """What was written where, and what one may do next."""
    if folder or suggestions:
        page.blank()
    if folder:
        head = f"Written to {safe(folder)}/:"
        page.flow([head, *map(safe, written)], gap="  ", indent="", hanging=2) if written else page.line(
            head.rstrip(":")
        )
    for place, suggestion in enumerate(suggestions):
        page.whole(("Try:  " if place == 0 else "      ", "dim"), safe(suggestion))
