"""Where the means of the components stand in every column, side by side."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from em_cli.display.blocks import axis
from em_cli.display.component_table import LONGEST_NAME, shortened
from em_cli.display.text_page import Page
from em_cli.printable import safe

LEAST = 1.0  # standard deviations that the scale covers on both sides
Marks = list[tuple[int, str, str]]  # first cell, text and style


def draw_profile(
    page: Page, names: Sequence[str], means: Sequence[Sequence[float]], labels: Sequence[str], colors: Sequence[str]
) -> None:
    """A line for each column; `means` (K, D) are in its standard deviations from the mean of all rows."""
    shown = [shortened(safe(name), LONGEST_NAME) for name in names]
    indent = 3 + max(map(cell_len, shown))
    cells = page.width - indent - 1
    end = max(LEAST, *(abs(mean) for of_one in means for mean in of_one)) * 1.05
    page.line((" means", "bold"), (", in standard deviations from the mean of all rows", "dim"))
    for place, name in enumerate(shown):
        marks: Marks = []
        for label, color, of_one in zip(labels, colors, means, strict=True):
            at = min(cells - 1, int((of_one[place] + end) / (2 * end) * cells))
            marks.append((_free(marks, at, len(label), cells), label, color))
        page.line(f" {name}{' ' * (indent - 1 - cell_len(name))}", *_line(marks, cells))
    for line in axis(-end, end, cells):
        page.line((" " * indent + line, "dim"))


def _free(marks: Marks, at: int, width: int, cells: int) -> int:
    """The place next to `at` where nothing stands yet."""
    taken = {cell for first, text, _ in marks for cell in range(first, first + len(text))}
    for place in sorted(range(cells - width + 1), key=lambda place: abs(place - at)):
        if taken.isdisjoint(range(place, place + width)):
            return place
    return min(at, cells - width)


def _line(marks: Marks, cells: int) -> list[tuple[str, str]]:
    """The marks in their places, on a thin line that is crossed in its middle."""
    parts, done = [], 0
    rule = "·" * (cells // 2) + "┼" + "·" * (cells - cells // 2 - 1)
    for first, text, style in sorted(marks):
        if first >= done:
            parts += [(rule[done:first], "dim"), (text, f"bold {style}")]
            done = first + len(text)
    return [*parts, (rule[done:], "dim")]
