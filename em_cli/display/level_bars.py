"""The probabilities of the levels of one column in every component."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.cells import cell_len

from em_cli.display.blocks import lying
from em_cli.display.component_table import LONGEST_NAME, shortened
from em_cli.display.text import counted
from em_cli.display.text_page import Page
from em_cli.printable import safe

MOST_LEVELS = 12
LONGEST_BAR = 12


def draw_levels(
    page: Page, name: str, levels: Sequence[Mapping[str, float]], labels: Sequence[str], colors: Sequence[str]
) -> None:
    """A line for each level with a bar for each component: side by side, in blocks that fit the page.

    Of many levels the likeliest are shown.
    """
    of_all = list(levels[0])
    shown = of_all
    if len(of_all) > MOST_LEVELS:
        likeliest = sorted(of_all, key=lambda level: -max(p[level] for p in levels))[:MOST_LEVELS]
        shown = [level for level in of_all if level in likeliest]
    texts = [shortened(safe(level), LONGEST_NAME) for level in shown]
    indent = 3 + max(map(cell_len, texts))
    room = page.width - indent
    bar = min(max(room // len(levels) - 8, 4), LONGEST_BAR)
    most = max(1, room // (bar + 8))
    page.line((f" {shortened(safe(name), LONGEST_NAME)}", "bold"))
    for first in range(0, len(levels), most):
        some = list(zip(labels, colors, levels, strict=True))[first : first + most]
        page.line(" " * indent, *((f"{label:<{bar + 8}}", color) for label, color, _ in some))
        for level, text in zip(shown, texts, strict=True):
            bars = [(f"{lying(p[level], bar)} {p[level]:.2f}   ", color) for _, color, p in some]
            page.line(f" {text}{' ' * (indent - 1 - cell_len(text))}", *bars)
    if len(shown) < len(of_all):
        page.line((f" … {counted(len(of_all) - len(shown), 'more level')}, all less likely", "dim"))
