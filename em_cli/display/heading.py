"""The head of a summary: what was fitted, how the climb ended, and what it was fitted to."""

from __future__ import annotations

from collections.abc import Mapping

from em_cli.display.search_words import ending
from em_cli.display.text_page import Page

LEAST_GAP = 3  # between a title and how the climb ended


def tell_heading(page: Page, title: str, document: Mapping[str, object], read_line: str) -> None:
    """On one line where both have room."""
    end, style = ending(document)
    gap = min(page.width, 80) - len(title) - len(end)
    if gap >= LEAST_GAP:
        page.line((title, "bold"), " " * gap, (end, style))
    else:
        page.words(title, indent="", style="bold")
        page.line((end, style))
    page.words(read_line, indent="", style="dim")
    page.blank()
