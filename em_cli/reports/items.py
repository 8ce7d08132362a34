"""Items of two levels: the probability of one of them along the items, as profiles of latent classes are printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports import furniture, words
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.kind import Picture
from em_cli.reports.style import Theme, short
from em_cli.sources.schema import LEVELLED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FEWEST, MOST = 3, 40  # items


@dataclass(frozen=True, slots=True)
class Items:
    needs_rows: ClassVar[bool] = False
    shows: ClassVar[str] = f"columns of two levels, {FEWEST} at least"

    def columns(self, run: FinishedRun) -> tuple[int, ...]:
        return tuple(place for place in run.places(LEVELLED) if len(run.column(place).levels) == 2)

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        if run.k < 2:
            return "there is one component."
        return "" if len(columns) >= FEWEST else f"it needs {FEWEST} columns of two levels."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        shown = list(columns[:MOST])
        p = second(run, shown)
        last = {run.column(place).levels[1] for place in shown}
        what = f"of {short(last.pop())}" if len(last) == 1 else "of the level named below each item"
        caption = words.sentences(
            f"Probability {what} in each component, item by item.",
            f"The first {len(shown)} of {len(columns)} items." if len(shown) < len(columns) else "",
        )
        alt = "; ".join(
            f"{run.column(place).name}: " + ", ".join(f"{value:.2f}" for value in own)
            for place, own in zip(shown, p.T, strict=True)
        )
        size = (min(max(5.6, 0.62 * len(shown) + 1.8), 11.0), 4.0)
        title = words.title_of(run, "profiles of the components over the items")
        return Picture("items", title, caption, alt, size, partial(_draw, run, shown))


def second(run: FinishedRun, columns: Sequence[int]) -> Array:
    """(K, d) probability of the second level."""
    return np.stack([np.exp(run.log_density([place], np.ones((1, 1))))[: run.k, 0] for place in columns], axis=1)


def _draw(run: FinishedRun, columns: Sequence[int], figure: Figure, theme: Theme) -> None:
    axes = figure.add_subplot()
    p, at = second(run, columns), np.arange(len(columns), dtype=np.float64)
    for number in range(run.k):
        mark = theme.mark(number, run.k)
        axes.plot(
            at, p[number], color=mark.colour, linestyle=mark.dash, marker=mark.marker, markersize=5, clip_on=False
        )
    levels = [run.column(place).levels[1] for place in columns]
    alike = len(set(levels)) == 1
    names = [
        short(run.column(place).name, 20) if alike else f"{short(run.column(place).name, 16)}: {short(level, 12)}"
        for place, level in zip(columns, levels, strict=True)
    ]
    long = 0.095 * max(map(len, names)) > (figure.get_figwidth() - 1.8) / len(columns)
    axes.set_xticks(at, names, rotation=35 if long else 0, ha="right" if long else "center", rotation_mode="anchor")
    axes.set_xlim(-0.4, len(columns) - 0.6)
    axes.set_ylim(0, 1)
    axes.grid(axis="y")
    axes.set_ylabel(f"probability of {short(levels[0], 20)}" if alike else "probability")
    furniture.legend(figure, run, theme, "point", noise=False)
