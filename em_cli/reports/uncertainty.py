"""How uncertain the labels are: how many rows have which chance of another component than the likeliest."""

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

ENDS = (0.0, 0.001, 0.01, 0.05, 0.1, 0.25, 0.5, 1.0)
LABELS = ("< 0.001", "0.001–0.01", "0.01–0.05", "0.05–0.1", "0.1–0.25", "0.25–0.5", "> 0.5")


@dataclass(frozen=True, slots=True)
class Uncertainty(OfTheWhole):
    needs_rows: ClassVar[bool] = True

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        return "" if len(run.names) > 1 else "there is one component."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        found = shares(run)
        title = words.title_of(run, "how uncertain the labels are")
        caption = words.sentences(
            "Share of the rows whose uncertainty, 1 − the largest responsibility, lies in each range.",
            words.which_rows(run),
        )
        alt = ", ".join(f"{label}: {share:.1%}" for label, share in zip(LABELS, found.sum(axis=0), strict=True))
        return Picture("uncertainty", title, caption, alt, (6.8, 3.8), partial(_draw, run, found))


def shares(run: FinishedRun) -> Array:
    """(K, 7) of the rows that are likeliest of each component, by how uncertain that is."""
    rows = run.shown
    others = rows.responsibilities.copy()
    others[rows.component, np.arange(rows.n)] = 0.0
    which = np.searchsorted(ENDS[1:-1], others.sum(axis=0), side="right")
    weights = np.ones(rows.n) if rows.weights is None else rows.weights
    table = np.zeros((len(run.names), len(LABELS)))
    np.add.at(table, (rows.component, which), weights / weights.sum())
    return table


def _draw(run: FinishedRun, found: Array, figure: Figure, theme: Theme) -> None:
    axes = figure.add_subplot()
    used = len(LABELS) if found[:, -1].any() else len(LABELS) - 1
    at, bottom = np.arange(used), np.zeros(used)
    for number, share in enumerate(found[:, :used]):
        mark = theme.mark(number, run.k)
        axes.bar(at, share, 0.8, bottom, color=mark.colour, hatch=mark.hatch, edgecolor=theme.paper, linewidth=0)
        bottom += share
    for place, total in zip(at[bottom > 0], bottom[bottom > 0], strict=True):
        axes.annotate(
            f"{total:.1%}" if total >= 0.0005 else "< 0.1%",
            (place, total),
            (0, 3),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=9,
        )
    axes.set_xticks(at, LABELS[:used])
    axes.set_ylim(0, 1.1 * float(bottom.max()))
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
    axes.set_xlabel("uncertainty of the label, 1 − largest responsibility")
    axes.set_ylabel("share of rows")
    furniture.legend(figure, run, theme, "patch")
    furniture.corner(figure, theme, words.remark(run))
