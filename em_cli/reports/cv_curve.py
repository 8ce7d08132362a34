"""Cross-validation of a sweep: log densities of rows left out, and what is within one standard error of the highest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from em_cli.documents.selection_csv import SelectionRow
from em_cli.engine.documents import field
from em_cli.reports import furniture
from em_cli.reports.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FARTHEST = 8.0  # times the distance from the highest to the median that is drawn
SAID = (
    "Log density of a row left out, by the number of components. The line is at the highest; from the others rises a "
    "bar as long as one standard error of their difference to it, row by row: solid where it reaches the line. Ringed "
    "is the choice, the model of fewest parameters whose bar does."
)


def draw_left_out(
    found: Mapping[str, Sequence[SelectionRow]], best: SelectionRow, figure: Figure, theme: Theme
) -> None:
    """Curves of the models by covariance structure."""
    axes = figure.add_subplot()
    told = [row for rows in found.values() for row in rows if row.get("cv_per_row") is not None]
    scores = np.array([_per_row(row) for row in told])
    highest = float(scores.max())
    axes.axhline(highest, color=theme.ink, linewidth=1.0, linestyle=":")
    for number, (label, rows) in enumerate(found.items()):
        mark = theme.mark(number, len(found))
        known = [row for row in rows if row.get("cv_per_row") is not None]
        k, value = [row["k"] for row in known], [_per_row(row) for row in known]
        axes.plot(k, value, color=mark.colour, linestyle=mark.dash, marker=mark.marker, markersize=5, label=label)
        for row in known:
            _bar(axes, row, mark.colour)
    at = best["k"], _per_row(best)
    axes.plot(*at, "o", markersize=15, markerfacecolor="none", color=theme.ink, markeredgewidth=1.6)
    axes.annotate("chosen", at, (0, -13), textcoords="offset points", ha="center", va="top", fontsize=9)
    reached = [_per_row(row) + (row.get("cv_gap_se") or 0.0) for row in told]
    far = FARTHEST * (highest - float(np.median(scores)))
    lowest = max(float(scores.min()), highest - far) if far > 0 else float(scores.min())
    margin = (highest - lowest) or 1.0
    axes.set_ylim(lowest - 0.16 * margin, min(max(*reached, highest), highest + 0.6 * margin) + 0.06 * margin)
    axes.annotate(
        "highest", (0, highest), (3, 3), xycoords=("axes fraction", "data"), textcoords="offset points",
        fontsize=8,
    )  # fmt: skip
    axes.set_xlabel("number of components")
    axes.set_ylabel("log density of a row left out (higher is better)")
    axes.set_xticks(sorted({row["k"] for row in told}))
    axes.grid(axis="y")
    axes.margins(x=0.06)
    if len(found) > 1:
        furniture.beside(figure, axes.get_legend_handles_labels()[0], "covariance")


def _per_row(row: SelectionRow) -> float:
    return float(field(row, "cv_per_row"))


def _bar(axes: Axes, row: SelectionRow, colour: str) -> None:
    """From a value up by one standard error."""
    gap, error = row.get("cv_gap"), row.get("cv_gap_se")
    if not gap or error is None:
        return
    look = {"linewidth": 1.8} if gap <= error else {"linewidth": 1.0, "linestyle": (0, (2, 2))}
    ends = [_per_row(row), _per_row(row) + error]
    axes.plot([row["k"]] * 2, ends, color=colour, solid_capstyle="butt", **look)
    axes.plot(row["k"], ends[1], "_", color=colour, markersize=8, markeredgewidth=1.4)
