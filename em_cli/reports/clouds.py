"""Where the mean of each component lies in the replicates of a bootstrap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports import words
from em_cli.reports.ellipses import ellipse
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.kind import Picture
from em_cli.reports.moments import moments
from em_cli.reports.profile import furthest
from em_cli.reports.style import Theme, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COMPONENTS = 12
MOST_POINTS = 1000  # of a component
ACROSS = 2  # panels
OF_95 = float(np.sqrt(-2 * np.log(0.05)))  # standard deviations of an ellipse that holds 95 % of a normal distribution
BEYOND = 3.7  # standard deviations that a panel shows


@dataclass(frozen=True, slots=True)
class Clouds:
    needs_rows: ClassVar[bool] = False
    shows: ClassVar[str] = "columns of numbers, one or two of them"

    def columns(self, run: FinishedRun) -> tuple[int, ...]:
        return run.numeric

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        if not columns:
            return "there is no column of numbers."
        found = run.certainty.resampling
        if found is None or len(found.values) < 2:
            return "there are no replicates: em bootstrap makes them."
        return "" if _means(run, columns[:1]) else "the replicates do not tell the means of this column."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        found = run.certainty.resampling
        assert found is not None, "what has no replicates is refused"
        chosen, k = furthest(run, columns, 2), min(run.k, MOST_COMPONENTS)
        names = " and ".join(run.column(place).name for place in chosen)
        n = len(found.values)
        caption = words.sentences(
            f"Means of {names} in {n:,} {found.kind} replicates"
            + (f" of {found.n_replicates:,}, the others being left out" if n < found.n_replicates else "")
            + "; + is the fit to the data"
            + (", the line holds 95 % of a normal distribution." if len(chosen) == 2 else "."),
            "All panels have one scale." if k > 1 else "",
            f"These {len(chosen)} of {len(columns)} columns differ most." if len(chosen) < len(columns) else "",
            f"The {k} largest of {run.k} components." if k < run.k else "",
        )
        spreads = [own.std(axis=0, ddof=1) for own in _means(run, chosen)]
        alt = f"Clouds of the means of {names}; their standard deviations are " + "; ".join(
            f"component {name}: {', '.join(f'{sd:.3g}' for sd in spread)}"
            for name, spread in zip(run.names, spreads, strict=False)
        )
        rows, across = -(-k // ACROSS), min(k, ACROSS)
        size = (1.0 + 2.4 * across if across > 1 else 4.4, min(0.8 + 2.1 * rows, 12.0))
        title = words.title_of(run, "the means in the replicates")
        return Picture("bootstrap", title, caption, alt, size, partial(_draw, run, chosen, k))


def _means(run: FinishedRun, columns: Sequence[int]) -> list[Array]:
    """(B, d) of each component; none if they are not told."""
    resampling = run.certainty.resampling
    assert resampling is not None, "what has no replicates is refused"
    found = [resampling.of_mean(place, columns) for place in range(run.k)]
    return [own for own in found if own is not None] if all(own is not None for own in found) else []


def _draw(run: FinishedRun, columns: Sequence[int], k: int, figure: Figure, theme: Theme) -> None:
    clouds = _means(run, columns)[:k]
    reach = BEYOND * np.max([own.std(axis=0, ddof=1) for own in clouds], axis=0)
    reach = np.where(reach > 0, reach, 1.0)
    rows, across = -(-k // ACROSS), min(k, ACROSS)
    for own, (axes, cloud) in enumerate(zip(_panels(figure, rows, across, k), clouds, strict=True)):
        fit = moments(run)[0][own, list(columns)]
        axes.set_title(
            f"component {short(run.names[own], 20)}", color=theme.mark(own, run.k).colour, fontweight="bold", loc="left"
        )
        (_two if len(columns) == 2 else _one)(axes, run, theme, own, cloud, fit, reach)
        middle = (cloud.mean(axis=0) + fit) / 2
        axes.set_xlim(middle[0] - reach[0], middle[0] + reach[0])
        axes.locator_params(axis="x", nbins=4)
        if len(columns) == 2:
            axes.set_ylim(middle[1] - reach[1], middle[1] + reach[1])
            axes.locator_params(axis="y", nbins=5)
    figure.supxlabel(f"mean of {short(run.column(columns[0]).name, 40)}", fontsize=10)
    up = f"mean of {short(run.column(columns[1]).name, 30)}" if len(columns) == 2 else "replicates"
    figure.supylabel(up, fontsize=10)


def _panels(figure: Figure, rows: int, across: int, k: int) -> Iterator[Axes]:
    return (figure.add_subplot(rows, across, own + 1) for own in range(k))


def _two(axes: Axes, run: FinishedRun, theme: Theme, own: int, cloud: Array, fit: Array, reach: Array) -> None:
    from matplotlib.patches import Ellipse

    mark, some = theme.mark(own, run.k), cloud[:MOST_POINTS]
    faint = 0.55 if len(some) <= 400 else 0.3
    axes.scatter(some[:, 0], some[:, 1], s=9, color=mark.colour, alpha=faint, linewidths=0, rasterized=len(some) > 400)
    shape = ellipse(cloud.mean(axis=0), np.cov(cloud.T))
    width, height = 2 * OF_95 * shape.half_axes
    centre = (float(shape.centre[0]), float(shape.centre[1]))
    axes.add_patch(Ellipse(centre, width, height, angle=shape.angle, fill=False, edgecolor=mark.colour, linewidth=1.4))
    axes.plot(*fit, "+", color=theme.ink, markersize=9, markeredgewidth=1.6)


def _one(axes: Axes, run: FinishedRun, theme: Theme, own: int, cloud: Array, fit: Array, reach: Array) -> None:
    axes.hist(cloud[:, 0], bins=15, color=theme.mark(own, run.k).colour, alpha=0.7)
    axes.plot(fit[0], 0, "+", color=theme.ink, markersize=11, markeredgewidth=1.8, clip_on=False)
