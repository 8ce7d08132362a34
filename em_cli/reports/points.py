"""Rows as points: coloured by component, the fainter the less certain."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports.finished_run import FinishedRun, Rows
from em_cli.reports.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FAINTEST, FULL = 0.15, 0.8
MANY = 1000  # rows, of which each is fainter


def opacity(rows: Rows) -> Array:
    """(m,) from that of a row between all components to that of one that is certain."""
    k = len(rows.responsibilities)
    certain = (rows.responsibilities.max(axis=0) - 1 / k) / (1 - 1 / k) if k > 1 else np.ones(rows.n)
    found: Array = FAINTEST + (FULL - FAINTEST) * certain
    return found if rows.n <= MANY else 0.6 * found


def draw_points(axes: Axes, run: FinishedRun, theme: Theme, rows: Rows, x: Array, y: Array, size: float) -> None:
    """The rows at x, y (m,); those where a cell is missing are not there."""
    from matplotlib.colors import to_rgba_array

    seen = ~(np.isnan(x) | np.isnan(y))
    strength, component = opacity(rows), rows.component
    for number in range(len(run.names)):
        own = seen & (component == number)
        if not own.any():
            continue
        mark = theme.mark(number, run.k)
        colours = np.repeat(to_rgba_array(mark.colour), int(own.sum()), axis=0)
        colours[:, 3] = strength[own]
        if mark.marker == "x":
            axes.scatter(x[own], y[own], s=size, c=colours, marker="x", linewidths=0.9, rasterized=rows.n > 1500)
        else:
            axes.scatter(x[own], y[own], s=size, c=colours, marker=mark.marker, linewidths=0, rasterized=rows.n > 1500)


def spread_out(run: FinishedRun, place: int, values: Array) -> Array:
    """The values; counts a little beside their places, so that equal ones are seen."""
    if run.column(place).type != "count":
        return values
    return values + np.random.default_rng(place).uniform(-0.25, 0.25, len(values))
