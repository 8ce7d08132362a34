"""Two columns: the rows by component, the ellipses of 1, 2 and 3 standard deviations, the density of the mixture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports import furniture, words
from em_cli.reports.ellipses import draw_ellipses, located
from em_cli.reports.extents import extent, skewed
from em_cli.reports.finished_run import CONTINUOUS, FinishedRun
from em_cli.reports.kind import Picture
from em_cli.reports.moments import moments
from em_cli.reports.points import draw_points, spread_out
from em_cli.reports.separation import most_separating
from em_cli.reports.style import Theme, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POINTS = 4000
SIZES = (1.0, 2.0, 3.0)
HELD = (0.95, 0.75, 0.5, 0.25)  # shares of the rows within the contours
FINE = 160  # points of the grid in each direction


@dataclass(frozen=True, slots=True)
class Scatter:
    needs_rows: ClassVar[bool] = True
    shows: ClassVar[str] = "columns of numbers, two of them"

    def columns(self, run: FinishedRun) -> tuple[int, ...]:
        return run.places((*CONTINUOUS, "count"))

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        return "" if len(columns) > 1 else "it needs two columns of numbers."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        across, up = sorted(most_separating(run, columns, 2))
        names = [run.column(place).name for place in (across, up)]
        rows = run.shown.some(MOST_POINTS)
        ellipses = located(run, (across, up)) is not None
        scales = any(found.dof is not None for found in run.elliptic if across in found.columns or up in found.columns)
        continuous = _continuous(run, (across, up))
        caption = words.sentences(
            f"{names[1]} against {names[0]}: each row in the colour of its likeliest component, the fainter the less "
            "certain.",
            f"Ellipses at 1, 2 and 3 {'units of the scale matrix' if scales else 'standard deviations'}."
            if ellipses
            else "",
            "The shades are regions of highest density of the mixture that hold 25, 50, 75 and 95 % of the rows."
            if continuous
            else "",
            words.on_logarithms(run, (across, up) if continuous else (), "density is that of the logarithm"),
            words.most_telling(2, len(columns)),
            words.which_rows(run, rows.n),
        )
        title = words.title_of(run, words.components(run))
        alt = (
            f"Scatter plot of {names[1]} against {names[0]} with {words.components(run)}; {_centres(run, across, up)}."
        )
        return Picture("scatter", title, caption, alt, (6.6, 4.8), partial(_draw, run, (across, up)))


def _centres(run: FinishedRun, across: int, up: int) -> str:
    means, _ = moments(run)
    return "their means are " + ", ".join(f"({m[across]:.4g}, {m[up]:.4g})" for m in means)


def _continuous(run: FinishedRun, places: Sequence[int]) -> bool:
    return all(run.column(place).type in CONTINUOUS for place in places)


def _draw(run: FinishedRun, places: tuple[int, int], figure: Figure, theme: Theme) -> None:
    from matplotlib.patches import Patch

    axes, rows = figure.add_subplot(), run.shown.some(MOST_POINTS)
    found = located(run, places)
    x_range, y_range = (_range(run, place, i, found) for i, place in enumerate(places))
    more = []
    furniture.scaled(axes, run, *places)
    if _continuous(run, places):
        _contours(axes, run, places, x_range, y_range, theme)
        more.append(Patch(facecolor=theme.shade, label="mixture"))
    x, y = (spread_out(run, place, rows.x[place]) for place in places)
    draw_points(axes, run, theme, rows, x, y, 16 if rows.n < 1000 else 7)
    if found is not None:
        draw_ellipses(axes, run, theme, *found, SIZES)
    axes.set(xlim=x_range, ylim=y_range)
    axes.set_xlabel(short(run.column(places[0]).name, 50))
    axes.set_ylabel(short(run.column(places[1]).name, 40))
    furniture.legend(figure, run, theme, "point", more)
    furniture.corner(figure, theme, words.remark(run, rows.n))


def _range(run: FinishedRun, place: int, i: int, found: tuple[Array, Array] | None) -> tuple[float, float]:
    """Wide enough for the rows, and for the ellipses as long as these are not much wider."""
    lowest, highest = extent(run, place)
    if found is None or skewed(run, place):
        return lowest, highest
    means, matrices = found
    sd, margin = np.sqrt(matrices[:, i, i]), 0.2 * (highest - lowest)
    low, high = float((means[:, i] - 3.1 * sd).min()), float((means[:, i] + 3.1 * sd).max())
    return min(lowest, max(low, lowest - margin)), max(highest, min(high, highest + margin))


def _contours(
    axes: Axes,
    run: FinishedRun,
    places: Sequence[int],
    x_range: tuple[float, float],
    y_range: tuple[float, float],
    theme: Theme,
) -> None:
    """Highest-density regions (Hyndman 1996): the density that so many of the rows exceed."""
    from matplotlib.colors import to_rgba

    x, y = (
        (np.geomspace if skewed(run, place) else np.linspace)(*ends, FINE)
        for place, ends in zip(places, (x_range, y_range), strict=True)
    )
    grid = np.stack([side.ravel() for side in np.meshgrid(x, y)])
    cells = run.shown.x[list(places)]
    beside = np.all([own != run.mass(place) for own, place in zip(cells, places, strict=True)], axis=0)
    cells = cells[:, beside & ~np.isnan(cells).any(axis=0)]
    density = mixture(run, places, grid).reshape(FINE, FINE)
    at_rows = mixture(run, places, cells)
    levels = np.unique(np.quantile(at_rows, [1 - share for share in HELD]))
    if len(levels) and levels[0] < density[np.isfinite(density)].max():
        top = max(float(density[np.isfinite(density)].max()), float(levels[-1])) * 2
        shades = [to_rgba(theme.shade, strength) for strength in np.linspace(0.25, 0.85, len(levels))]
        axes.contourf(x, y, density, levels=[*levels, top], colors=shades)


def mixture(run: FinishedRun, places: Sequence[int], values: Array) -> Array:
    """The density (m,) of some columns; of the logarithm of those that are drawn so."""
    with np.errstate(over="ignore"):  # it may have a pole
        total: Array = run.weights @ np.exp(run.log_density_beside(places, values))
    for place, own in zip(places, values, strict=True):
        if skewed(run, place):
            total = total * own
    return total
