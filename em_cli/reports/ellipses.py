"""Ellipses of components whose contours they are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.style import Theme

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FINE = 121  # points of a line around


@dataclass(frozen=True, slots=True)
class Ellipse:
    """All points at one standard deviation of a mean."""

    centre: Array  # (2,)
    half_axes: Array  # (2,) the larger first: square roots of the eigenvalues
    angle: float  # of the larger, in degrees

    def at(self, turn: Array, size: float) -> Array:
        """(2, m) the points at so many standard deviations, these angles (m,) from the larger axis on."""
        cosine, sine = np.cos(np.radians(self.angle)), np.sin(np.radians(self.angle))
        along = size * self.half_axes[:, None] * np.stack([np.cos(turn), np.sin(turn)])
        found: Array = self.centre[:, None] + np.array([[cosine, -sine], [sine, cosine]]) @ along
        return found


def ellipse(centre: Array, matrix: Array) -> Ellipse:
    """Of a covariance matrix (2, 2)."""
    values, vectors = np.linalg.eigh(matrix)
    larger = vectors[:, 1]
    half = np.sqrt(np.maximum(values[::-1], 0.0))
    return Ellipse(centre, half, float(np.degrees(np.arctan2(larger[1], larger[0]))))


def located(run: FinishedRun, places: Sequence[int]) -> tuple[Array, Array] | None:
    """Means (K, d) and covariance or scale matrices (K, d, d) of some columns, if ellipses are their contours."""
    means, matrices = np.empty((run.k, len(places))), np.zeros((run.k, len(places), len(places)))
    found = 0
    for group in run.elliptic:
        own = [i for i, place in enumerate(places) if place in group.columns]
        at = np.array([group.columns.index(places[i]) for i in own], np.intp)
        means[:, own] = group.locations[:, at]
        matrices[np.ix_(range(run.k), own, own)] = group.among(at)
        found += len(own)
    return (means, matrices) if found == len(places) else None


def draw_ellipses(
    axes: Axes, run: FinishedRun, theme: Theme, means: Array, matrices: Array, sizes: Sequence[float]
) -> None:
    """Of every component, so many standard deviations wide; and the means."""
    from matplotlib.patheffects import withStroke

    for number, (mean, matrix) in enumerate(zip(means, matrices, strict=True)):
        mark, shape = theme.mark(number, run.k), ellipse(mean, matrix)
        for size in sizes:
            line = 1.5 / size**0.5
            around = [withStroke(linewidth=line + 1.4, foreground=theme.paper, alpha=0.8)]
            _outline(axes, shape, size, linestyle=mark.dash, linewidth=line, path_effects=around, edgecolor=mark.colour)
        axes.plot(*mean, "+", color=theme.ink, markersize=7, markeredgewidth=1.4)


def _outline(axes: Axes, shape: Ellipse, size: float, **look: Any) -> None:
    """An ellipse; along logarithmic axes the same points, bent, as far as these have a place for them."""
    from matplotlib.patches import Ellipse as Patch
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path

    logarithmic = np.array([scale == "log" for scale in (axes.get_xscale(), axes.get_yscale())])
    if not logarithmic.any():
        across, up = shape.centre
        width, height = 2 * size * shape.half_axes
        axes.add_patch(Patch((across, up), width, height, angle=shape.angle, fill=False, **look))
        return
    points = shape.at(np.linspace(0, 2 * np.pi, FINE), size)
    points[logarithmic[:, None] & (points <= 0)] = np.nan
    axes.add_patch(PathPatch(Path(points.T), fill=False, **look))
