"""A line for each of many runs."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from typing import Any

from em_cli.display.text_page import Page
from em_cli.printable import safe

WIDEST = 24  # characters of a level, or of the name of a file
HEADINGS = ("rows", "k", "log-likelihood", "BIC", "smallest")


def table_of_runs(rows: Sequence[Mapping[str, Any]], key: str, heading: str, width: int) -> str:
    """The runs in their order, of the level or the file under this key; below them why some are none."""
    page = Page(width, color=False)
    lines = [[safe(heading), *HEADINGS], *([safe(row[key]), *_cells(row)] for row in rows)]
    first, *widths = (max(map(len, column)) for column in zip(*lines, strict=True))
    for name, *numbers in lines:
        own = [cell.rjust(wide) for cell, wide in zip(numbers, widths, strict=True)]
        page.line(f" {_cut(name, first).ljust(min(first, WIDEST))}  {'  '.join(own)}")
    for row in rows:
        if "k" not in row:
            page.words(f"{safe(row[key])}: {safe(row['reason'])}")
        elif row["doubts"]:
            page.words(f"{safe(row[key])}: {row['doubts']} (em guide warnings)")
    fitted = [row["run"] for row in rows if "k" in row]
    if fitted:
        page.blank()
        page.command("Try:  ", f"em show {shlex.quote(fitted[0])}")
    return page.text()


def _cut(name: str, first: int) -> str:
    """A long name by its end, which tells files apart."""
    return name if first <= WIDEST or len(name) <= WIDEST else f"…{name[1 - WIDEST :]}"


def _cells(row: Mapping[str, Any]) -> list[str]:
    if "k" not in row:
        return ["-"] * len(HEADINGS)
    return [
        f"{row['rows']:,}",
        str(row["k"]),
        f"{row['log_likelihood']:.3f}",
        "-" if row["bic"] is None else f"{row['bic']:.3f}",
        f"{100 * row['smallest_share']:.1f}%",
    ]
