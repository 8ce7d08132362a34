"""The densities of the components along one column, drawn with block characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from em_cli.display.blocks import axis, standing
from em_cli.display.component_table import LONGEST_NAME, shortened
from em_cli.display.text_page import Page
from em_cli.engine.arrays import Array
from em_cli.printable import safe

MIXTURE_LINES = 4
FULL = 7 / 8  # of a line, so that lines do not touch


@dataclass(frozen=True, slots=True, eq=False)
class Curves:
    """What there is to draw of a column."""

    name: str
    low: float
    high: float
    densities: Array  # (K, n) of the components, times their weights, in n intervals from low to high
    gaps: bool = False  # the intervals are single values, drawn as bars apart
    logarithmic: bool = False  # the intervals are equal in the logarithm, whose densities these are


def draw_densities(page: Page, curves: Curves, labels: Sequence[str], colors: Sequence[str]) -> None:
    """The mixture in the colours of the components that prevail; then each component at a height of its own."""
    indent = 2 + max(map(len, labels))
    each, bar = _fitted(curves, page.width - indent - 1)
    mixture = each.sum(axis=0)
    top = float(mixture.max()) or 1.0
    styles = [colors[k] for k in each.argmax(axis=0)]
    remark = "  (logarithmic axis; density of the logarithm)" if curves.logarithmic else ""
    page.line((f" {shortened(safe(curves.name), LONGEST_NAME)}", "bold"), (remark, "dim"))
    for line in standing((mixture / top).tolist(), MIXTURE_LINES if len(each) > 1 else 0):
        page.line(" " * indent, *_coloured(line, styles, bar))
    for label, color, density in zip(labels, colors, each, strict=True):
        full, n_lines = (FULL, 1) if len(each) > 1 else (1.0, MIXTURE_LINES)
        lines = standing((full * density / (float(density.max()) or 1.0)).tolist(), n_lines)
        for place, line in enumerate(lines):
            shown = label if place == len(lines) - 1 else ""
            page.line((f" {shown:>{indent - 2}} ", color), *_coloured(line, [color] * len(density), bar))
    half = 0.5 if curves.gaps else 0.0
    for line in axis(curves.low - half, curves.high + half, each.shape[1] * len(bar), curves.logarithmic):
        page.line((" " * indent + line, "dim"))


def _fitted(curves: Curves, cells: int) -> tuple[Array, str]:
    """The densities (K, m) in as many intervals as fit, and the cells of each: x where its sign is to stand."""
    n = curves.densities.shape[1]
    if curves.gaps and n <= cells:
        width = min(cells // n, 6)
        return curves.densities, "x" * max(1, width - 1) + " " * (width > 1)
    edges = np.linspace(0, n, min(cells, n) + 1).astype(np.intp)
    return np.add.reduceat(curves.densities, edges[:-1], axis=1) / np.diff(edges), "x"


def _coloured(line: str, styles: Sequence[str], bar: str) -> list[tuple[str, str]]:
    """The signs of a line, each in all cells of its bar; those of one style together, none behind the last sign."""
    signs = zip(line.rstrip(), styles, strict=False)
    runs = groupby(signs, key=lambda each: each[1])
    return [("".join(bar.replace("x", sign) for sign, _ in run), style) for style, run in runs]
