"""Up to eight columns, two by two: the rows by component below, the densities of each column on the diagonal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.reports import furniture, words
from em_cli.reports.bins import edges
from em_cli.reports.density import curves, draw_curves
from em_cli.reports.ellipses import draw_ellipses, located
from em_cli.reports.extents import extent
from em_cli.reports.finished_run import CONTINUOUS, FinishedRun
from em_cli.reports.kind import Picture
from em_cli.reports.points import draw_points, spread_out
from em_cli.reports.separation import most_separating
from em_cli.reports.style import Theme, short
from em_cli.sources.quoting import listed

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COLUMNS = 8
MOST_POINTS = 1200
SIZES = (1.0, 2.0)


@dataclass(frozen=True, slots=True)
class Pairs:
    needs_rows: ClassVar[bool] = True
    shows: ClassVar[str] = "columns of numbers, three at least"

    def columns(self, run: FinishedRun) -> tuple[int, ...]:
        return run.places((*CONTINUOUS, "count"))

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        return "" if len(columns) > 2 else "it needs three columns of numbers; scatter shows two."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        chosen = sorted(most_separating(run, columns, MOST_COLUMNS))
        names = listed([run.column(place).name for place in chosen])
        rows = run.shown.some(MOST_POINTS)
        caption = words.sentences(
            f"{names}, two by two: each row in the colour of its likeliest component, ellipses at 1 and 2 standard "
            "deviations where components have them, and on the diagonal the density of each column.",
            words.on_logarithms(run, chosen, "densities are those of the logarithm"),
            words.most_telling(len(chosen), len(columns)),
            words.which_rows(run, rows.n),
        )
        title = words.title_of(run, words.components(run))
        alt = f"Matrix of scatter plots of {names} with {words.components(run)}."
        side = min(1.75 * len(chosen) + 0.8, 11.0)
        return Picture("pairs", title, caption, alt, (side, side), partial(_draw, run, chosen))


def _draw(run: FinishedRun, places: Sequence[int], figure: Figure, theme: Theme) -> None:
    d = len(places)
    grid = figure.subplots(d, d, sharex="col", squeeze=False)
    for i, up in enumerate(places):
        for j, across in enumerate(places):
            axes: Axes = grid[i, j]
            furniture.scaled(axes, run, across, up if i > j else None, most_ticks=4)
            if j > i:
                axes.set_axis_off()
                continue
            if i == j:
                _diagonal(axes, run, up, theme)
            else:
                _cell(axes, run, across, up, theme)
            axes.tick_params(labelsize=7, labelleft=j == 0 < i, labelbottom=i == d - 1, left=j == 0 < i)
            if i == d - 1:
                axes.set_xlabel(short(run.column(across).name, 20), fontsize=8.5)
            if j == 0 < i:
                axes.set_ylabel(short(run.column(up).name, 20), fontsize=8.5)
    figure.align_ylabels()
    furniture.legend(figure, run, theme, "point", inside=True)
    furniture.corner(figure, theme, words.remark(run, run.shown.some(MOST_POINTS).n))


def _diagonal(axes: Axes, run: FinishedRun, place: int, theme: Theme) -> None:
    if run.column(place).type in CONTINUOUS:
        draw_curves(axes, run, curves(run, place, 200), theme)
    else:
        values, component = run.shown.x[place], run.shown.component
        own = [values[(component == number) & ~np.isnan(values)] for number in range(len(run.names))]
        colours = [theme.mark(number, run.k).colour for number in range(len(run.names))]
        axes.hist(own, bins=list(edges(np.concatenate(own))), color=colours, stacked=True, alpha=0.6)
    axes.set_ylim(0, None)
    axes.spines["left"].set_visible(False)
    axes.set_yticks([])


def _cell(axes: Axes, run: FinishedRun, across: int, up: int, theme: Theme) -> None:
    rows = run.shown.some(MOST_POINTS)
    x, y = (spread_out(run, place, rows.x[place]) for place in (across, up))
    draw_points(axes, run, theme, rows, x, y, 5)
    if (found := located(run, (across, up))) is not None:
        draw_ellipses(axes, run, theme, *found, SIZES)
    axes.set_xlim(extent(run, across))
    axes.set_ylim(extent(run, up))
