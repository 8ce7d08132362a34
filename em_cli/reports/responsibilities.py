"""How surely rows belong: the responsibilities of some of them as stacked bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports import furniture, words
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.kind import OfTheWhole, Picture
from em_cli.reports.style import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_BARS = 150


@dataclass(frozen=True, slots=True)
class Responsibilities(OfTheWhole):
    needs_rows: ClassVar[bool] = True

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        return "" if len(run.names) > 1 else "there is one component."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        heights = bars(run)
        title = words.title_of(run, "responsibilities of rows")
        caption = words.sentences(
            "Responsibilities of the components for each row as stacked bars, sorted by likeliest component and "
            "certainty.",
            words.which_rows(run, heights.shape[1]),
        )
        sure = float((heights.max(axis=0) > 0.9).mean())
        alt = f"{heights.shape[1]} stacked bars; in {sure:.0%} of them one component has more than 0.9."
        return Picture("responsibilities", title, caption, alt, (7.2, 3.2), partial(_draw, run, heights))


def bars(run: FinishedRun) -> Array:
    """(K, m) responsibilities, component by component, the most certain rows first."""
    r = run.shown.some(MOST_BARS).responsibilities
    order = np.lexsort((-r.max(axis=0), r.argmax(axis=0)))
    return r[:, order]


def _draw(run: FinishedRun, heights: Array, figure: Figure, theme: Theme) -> None:
    axes = figure.add_subplot()
    m = heights.shape[1]
    ends = np.concatenate([np.zeros((1, m)), heights.cumsum(axis=0)])
    for number in range(len(heights)):
        mark = theme.mark(number, run.k)
        axes.stairs(
            ends[number + 1], np.arange(m + 1) + 0.5, baseline=ends[number], fill=True, facecolor=mark.colour,
            hatch=mark.hatch, edgecolor=theme.paper, linewidth=0,
        )  # fmt: skip
    axes.set_xlim(0.5, m + 0.5)
    axes.set_ylim(0, 1)
    axes.set_xticks([])
    axes.set_xlabel(f"{m:,} rows" if m == run.shown.n_fitted else f"{m:,} of {run.shown.n_fitted:,} rows")
    axes.set_ylabel("responsibility")
    furniture.legend(figure, run, theme, "patch")
