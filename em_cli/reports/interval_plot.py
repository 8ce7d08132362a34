"""How far the means may be off: an interval of each, by component, column below column."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports import furniture, words
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.how_sure import intervals_of_means
from em_cli.reports.kind import Picture
from em_cli.reports.moments import moments, of_mixture
from em_cli.reports.numbers import decimals_of, shown
from em_cli.reports.profile import furthest
from em_cli.reports.style import Theme, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COMPONENTS = 12
MOST_LINES = 48  # of all columns together
MOST_NUMBERS = 30  # lines beside which there is room for numbers
LINE, BETWEEN = 0.2, 0.16  # inches


@dataclass(frozen=True, slots=True)
class Intervals:
    needs_rows: ClassVar[bool] = False
    shows: ClassVar[str] = "columns of numbers"

    def columns(self, run: FinishedRun) -> tuple[int, ...]:
        return run.numeric

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        if run.k < 2:
            return "there is one component, and the summary tells its means."
        if not columns:
            return "there is no column of numbers."
        ends, said = _ends(run)
        if said and np.isfinite(ends[:, :, list(columns)]).any():
            return ""
        resampling = run.certainty.resampling
        if resampling is not None and resampling.withheld:
            return f"the bootstrap tells no intervals: {resampling.withheld}."
        return "there are no intervals: em fit --se observed gives standard errors, em bootstrap intervals."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        k = min(run.k, MOST_COMPONENTS)
        chosen = furthest(run, columns, max(1, MOST_LINES // k))
        ends, said = _ends(run)
        beside = "; beside them in its own units" if k * len(chosen) <= MOST_NUMBERS else ""
        caption = words.sentences(
            f"Means of the components with their intervals ({said}), in standard deviations of the column from its "
            f"mean{beside}.",
            f"The {len(chosen)} of {len(columns)} columns whose means are furthest apart."
            if len(chosen) < len(columns)
            else "",
            f"The {k} largest of {run.k} components." if k < run.k else "",
        )
        means = moments(run)[0]
        alt = "; ".join(
            f"{run.column(place).name}: "
            + ", ".join(
                f"{run.names[own]} {text}" for own, text in enumerate(_numbers(means[:k, place], ends[:, :k, place]))
            )
            for place in chosen
        )
        title = words.title_of(run, "how far the means may be off")
        high = 1.1 + len(chosen) * (LINE * k + BETWEEN)
        return Picture("intervals", title, caption, alt, (5.6, max(high, 1.9)), partial(_draw, run, chosen, k))


def _ends(run: FinishedRun) -> tuple[Array, str]:
    return intervals_of_means(run.document, run.certainty, run.schema.names, run.k)


def _numbers(means: Array, ends: Array) -> list[str]:
    """The means (K,) with their intervals (2, K), with as many digits as the narrowest of these tells."""
    widths = (ends[1] - ends[0])[np.isfinite(ends).all(axis=0)]
    decimals = decimals_of(float(widths.min()), 2) if len(widths) else 3
    return [
        f"{shown(mean, decimals)} ({shown(low, decimals)} to {shown(high, decimals)})"
        if np.isfinite(low) and np.isfinite(high)
        else shown(mean, decimals)
        for mean, low, high in zip(means.tolist(), *ends.tolist(), strict=True)
    ]


def _draw(run: FinishedRun, columns: Sequence[int], k: int, figure: Figure, theme: Theme) -> None:
    axes = figure.add_subplot()
    means, (ends, _) = moments(run)[0], _ends(run)
    mean, sd = of_mixture(run)
    with_numbers = k * len(columns) <= MOST_NUMBERS
    step = k + BETWEEN / LINE
    axes.axvline(0, color=theme.faint, linewidth=1)
    for i, place in enumerate(columns):
        if i:
            axes.axhline(i * step - 0.5 - BETWEEN / LINE / 2, color=theme.faint, linewidth=0.6)
        scale, told = sd[place] if sd[place] > 0 else 1.0, _numbers(means[:k, place], ends[:, :k, place])
        for own in range(k):
            at = i * step + own
            values = means[own, place], *ends[:, own, place]
            _interval(axes, run, theme, own, at, [(value - mean[place]) / scale for value in values])
            if with_numbers:
                axes.text(1.02, at, told[own], transform=axes.get_yaxis_transform(), va="center", fontsize=8)
    names = [short(run.column(place).name, 20) for place in columns]
    axes.set_yticks([i * step + (k - 1) / 2 for i in range(len(columns))], names)
    axes.set_ylim(len(columns) * step - 0.5 - BETWEEN / LINE / 2, -0.5 - BETWEEN / LINE / 2)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("standard deviations from the mean")
    axes.margins(x=0.06)
    furniture.legend_above(figure, axes, run, theme, k)


def _interval(axes: Axes, run: FinishedRun, theme: Theme, own: int, at: float, values: Sequence[float]) -> None:
    """One mean, and as much to either side as there is."""
    mark, (mean, low, high) = theme.mark(own, run.k), values
    if np.isfinite(low) and np.isfinite(high):
        axes.plot([low, high], [at, at], color=mark.colour, linewidth=2.2, solid_capstyle="butt")
        axes.plot([low, high], [at, at], "|", color=mark.colour, markersize=7, markeredgewidth=1.4)
    axes.plot(
        mean, at, mark.marker, color=mark.colour, markersize=5.5, markeredgecolor=theme.paper, markeredgewidth=0.7
    )
