"""Each continuous column: a histogram with the densities of components and mixture, and whose the rows are below."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports import furniture, words
from em_cli.reports.bins import edges
from em_cli.reports.extents import extent, skewed
from em_cli.reports.finished_run import CONTINUOUS, FinishedRun
from em_cli.reports.kind import Picture
from em_cli.reports.moments import moments
from em_cli.reports.separation import ranked
from em_cli.reports.style import Theme, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COLUMNS = 9
MOST_TICKS = 1500  # rows whose places are marked


@dataclass(frozen=True, slots=True)
class Curves:
    """Densities over a column."""

    x: Array  # (m,)
    components: Array  # (K, m), (K + 1, m) with noise: each times its weight

    @property
    def mixture(self) -> Array:
        total: Array = self.components.sum(axis=0)
        return total


@dataclass(frozen=True, slots=True)
class Density:
    needs_rows: ClassVar[bool] = True
    shows: ClassVar[str] = "columns of numbers that have densities"

    def columns(self, run: FinishedRun) -> tuple[int, ...]:
        return run.places(CONTINUOUS)

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        return "" if columns else "no column has a density; frequencies shows counts and categories."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        chosen = sorted(ranked(run, columns)[:MOST_COLUMNS] if len(columns) > MOST_COLUMNS else columns)
        names = ", ".join(run.column(place).name for place in chosen)
        caption = words.sentences(
            f"Histogram of {names} with the density of each component times its weight and of the mixture of "
            f"{words.components(run)}; below, the rows, each at its likeliest component.",
            words.most_telling(len(chosen), len(columns)),
            words.on_logarithms(run, chosen, "density is that of the logarithm"),
            "A bar is the probability of a value that many rows bear: the whole height would be all of them."
            if any(run.mass(place) is not None for place in chosen)
            else "",
            words.which_rows(run),
        )
        across = 2 if len(chosen) == 4 else min(len(chosen), 3)
        down = -(-len(chosen) // across)
        size = (7.2, 4.2) if across == 1 else (3.3 * across + 1.1, 2.5 * down + 0.5)
        subject = f"density of {short(names)}" if across == 1 else "densities, column by column"
        return Picture(
            "density",
            words.title_of(run, subject),
            caption,
            self._alt(run, chosen),
            size,
            partial(_draw, run, chosen, across),
        )

    def _alt(self, run: FinishedRun, columns: Sequence[int]) -> str:
        found = []
        for place in columns:
            drawn = curves(run, place)
            peaks = [f"{drawn.x[density.argmax()]:.4g}" for density in drawn.components[: run.k]]
            found.append(f"{run.column(place).name}: the densities of the components are highest at {', '.join(peaks)}")
        return "; ".join(found) + "."


def curves(run: FinishedRun, place: int, points: int = 400) -> Curves:
    """Over the range of the shown rows; finer where a component is narrow.

    Of a column with a logarithmic axis they are those of its natural logarithm, over its values.
    """
    lowest, highest = extent(run, place)
    mean, sd = (found[:, place] for found in moments(run))
    if log := skewed(run, place):
        x = np.geomspace(lowest, highest, points)
    else:
        near = [np.linspace(m - 4 * s, m + 4 * s, 81) for m, s in zip(mean, sd, strict=True)]
        x = np.concatenate([np.linspace(lowest, highest, points), *near])
        x = np.unique(x[(x >= lowest) & (x <= highest)])
    with np.errstate(over="ignore"):  # a density may have a pole
        components = run.weights[:, None] * np.exp(run.log_density_beside([place], x[None]))
    return Curves(x, components * x if log else components)


def _draw(run: FinishedRun, columns: Sequence[int], across: int, figure: Figure, theme: Theme) -> None:
    from matplotlib.lines import Line2D

    down = -(-len(columns) // across)
    grid = figure.add_gridspec(down, across)
    share = min(0.08 + 0.035 * len(run.names), 0.4)
    for number, place in enumerate(columns):
        pair = grid[number // across, number % across].subgridspec(2, 1, height_ratios=[1 - share, share], hspace=0.02)
        above = figure.add_subplot(pair[0])
        below = figure.add_subplot(pair[1], sharex=above)
        _densities(above, run, place, theme)
        _assignments(below, run, place, theme)
        below.set_xlabel(short(run.column(place).name))
        above.set_ylabel("density" if number % across == 0 else "")
    furniture.legend(figure, run, theme, "line", [Line2D([], [], color=theme.ink, linewidth=1.2, label="mixture")])
    furniture.corner(figure, theme, words.remark(run))


def _densities(axes: Axes, run: FinishedRun, place: int, theme: Theme) -> None:
    rows = run.shown
    seen = ~np.isnan(rows.x[place])
    values = rows.x[place, seen]
    weights = None if rows.weights is None else rows.weights[seen]
    at = run.mass(place)
    beside, log = values != at, skewed(run, place)
    cells = np.log(values) if log else values[beside]
    heights, ends = np.histogram(
        cells, edges(cells), weights=None if weights is None else weights[beside], density=True
    )
    heights = heights * np.average(beside, weights=weights)
    axes.stairs(heights, np.exp(ends) if log else ends, fill=True, color=theme.faint, label="histogram")
    drawn = curves(run, place)
    if log:
        furniture.scaled(axes, run, place)
    draw_curves(axes, run, drawn, theme)
    highest = min(float(np.nanmax(drawn.mixture[np.isfinite(drawn.mixture)])), 3 * float(heights.max()))
    top = 1.06 * max(highest, float(heights.max()))
    axes.set_ylim(0, top)
    if at is not None:
        draw_mass(axes, run, place, top, theme)
    axes.tick_params(labelbottom=False, bottom=False)


def draw_mass(axes: Axes, run: FinishedRun, place: int, top: float, theme: Theme) -> None:
    """The probability of the value that many rows bear, of which the whole height is one, component by component."""
    at = run.mass(place)
    assert at is not None, "the column has a point mass"
    left, right = axes.get_xlim()
    width, bottom = 0.02 * (right - left), 0.0
    shares = run.weights * np.exp(run.log_density([place], np.array([[at]]))[:, 0])
    for number, share in enumerate(shares):
        mark = theme.mark(number, run.k)
        axes.bar(at, share * top, width, bottom, color=mark.colour, edgecolor=theme.paper, linewidth=0.5)
        bottom += share * top
    axes.set_xlim(min(left, at - width), max(right, at + width))
    side = 1 if at <= (left + right) / 2 else -1
    axes.annotate(
        f"{shares.sum():.0%} at {at:.6g}",
        (at + side * width, bottom),
        textcoords="offset points",
        xytext=(3 * side, -2),
        ha="left" if side > 0 else "right",
        va="top",
        fontsize=8,
        color=theme.ink,
    )


def draw_curves(axes: Axes, run: FinishedRun, drawn: Curves, theme: Theme) -> None:
    """The densities of components and mixture."""
    for number, density in enumerate(drawn.components):
        mark = theme.mark(number, run.k)
        axes.fill_between(drawn.x, density, color=mark.colour, alpha=0.18, linewidth=0)
        axes.plot(drawn.x, density, color=mark.colour, linestyle=mark.dash)
    axes.plot(drawn.x, drawn.mixture, color=theme.ink, linewidth=1.2)
    axes.set_xlim(drawn.x[0], drawn.x[-1])


def _assignments(axes: Axes, run: FinishedRun, place: int, theme: Theme) -> None:
    """A tick for each row, in the line of its likeliest component."""
    rows = run.shown.some(MOST_TICKS)
    seen = ~np.isnan(rows.x[place])
    values, component = rows.x[place, seen], rows.component[seen]
    n = len(run.names)
    for number in range(n):
        own = values[component == number]
        axes.vlines(own, number - 0.38, number + 0.38, color=theme.mark(number, run.k).colour, alpha=0.6, linewidth=0.7)
    axes.set_ylim(n - 0.4, -0.6)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
