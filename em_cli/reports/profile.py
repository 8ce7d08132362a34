"""The components side by side: their standardised means, and how far their rows lie about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports import furniture, words
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.furniture import MOST_NUMBERS, SHADES
from em_cli.reports.kind import Picture
from em_cli.reports.moments import moments, of_mixture
from em_cli.reports.style import Theme, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_COLUMNS = 24
MOST_MARKS = 60  # of all lines; of more, the means are colours
LEAST_SCALE = 1.0  # standard deviations at which the colour is full, at least


@dataclass(frozen=True, slots=True)
class Profile:
    needs_rows: ClassVar[bool] = False
    shows: ClassVar[str] = "columns of numbers, two at least"

    def columns(self, run: FinishedRun) -> tuple[int, ...]:
        return run.numeric

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        if run.k < 2:
            return "there is one component."
        return "" if len(columns) > 1 else "it needs two columns of numbers."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        chosen = furthest(run, columns, MOST_COLUMNS)
        tangled = run.k * len(chosen) > MOST_MARKS
        bars = "" if tangled else "; bars reach one standard deviation of the component to both sides"
        caption = words.sentences(
            f"Mean of each component, in standard deviations of the column from its mean{bars}.",
            f"The {len(chosen)} of {len(columns)} columns whose means are furthest apart."
            if len(chosen) < len(columns)
            else "",
        )
        title = words.title_of(run, "profile of the components")
        alt = "; ".join(
            f"component {name}: "
            + ", ".join(f"{run.column(place).name} {z:+.2f}" for place, z in zip(chosen, row, strict=True))
            for name, row in zip(run.names, standardised(run, chosen)[0], strict=False)
        )
        size = (min(max(5.4, 0.75 * len(chosen) + 1.8), 11.0), 4.2)
        if tangled:
            size = (min(3.6 + 0.55 * run.k, 11.0), min(1.4 + 0.3 * len(chosen), 10.0))
        return Picture("profile", title, caption, alt, size, partial(_coloured if tangled else _draw, run, chosen))


def standardised(run: FinishedRun, columns: Sequence[int]) -> tuple[Array, Array]:
    """Means and standard deviations (K, d) of components, in those of the mixture."""
    places = list(columns)
    means, sds = moments(run)
    mean, sd = of_mixture(run)
    scale = np.where(sd > 0, sd, 1.0)
    return ((means - mean) / scale)[:, places], (sds / scale)[:, places]


def furthest(run: FinishedRun, columns: Sequence[int], most: int) -> list[int]:
    """The columns whose means are furthest apart, in their order."""
    means, _ = standardised(run, columns)
    spread = run.weights[: run.k] @ means**2
    kept = np.sort(np.argsort(-spread, kind="stable")[:most])
    return [columns[i] for i in kept]


def _draw(run: FinishedRun, columns: Sequence[int], figure: Figure, theme: Theme) -> None:
    axes = figure.add_subplot()
    means, sds = standardised(run, columns)
    at = np.arange(len(columns), dtype=np.float64)
    axes.axhline(0, color=theme.faint, linewidth=1)
    for place in at:
        axes.axvline(float(place), color=theme.faint, linewidth=0.6)
    for number in range(run.k):
        mark = theme.mark(number, run.k)
        beside = at + (number - (run.k - 1) / 2) * min(0.08, 0.5 / run.k)
        axes.errorbar(
            beside,
            means[number],
            sds[number],
            color=mark.colour,
            linestyle=mark.dash,
            marker=mark.marker,
            markersize=5,
            elinewidth=1.2,
            capsize=2.5,
        )
    names = [short(run.column(place).name, 20) for place in columns]
    long = 0.095 * max(map(len, names)) > (figure.get_figwidth() - 1.8) / len(columns)
    axes.set_xticks(at, names, rotation=35 if long else 0, ha="right" if long else "center", rotation_mode="anchor")
    axes.set_xlim(-0.5, len(columns) - 0.5)
    axes.set_ylabel("standard deviations from the mean")
    furniture.legend(figure, run, theme, "point", noise=False)


def _coloured(run: FinishedRun, columns: Sequence[int], figure: Figure, theme: Theme) -> None:
    """A heat map: a line for each column of the data, the means as colours and, where there is room, as numbers."""
    from matplotlib.colors import LinearSegmentedColormap

    axes, (means, _) = figure.add_subplot(), standardised(run, columns)
    end = max(float(np.abs(means).max()), LEAST_SCALE)
    shades = LinearSegmentedColormap.from_list("means", [theme.under, theme.low, theme.high], SHADES)
    image = axes.pcolormesh(means.T, cmap=shades, vmin=-end, vmax=end, edgecolors=theme.faint, linewidth=0.6)
    axes.set_ylim(len(columns), 0)
    if run.k <= MOST_NUMBERS:
        for (k, i), value in np.ndenumerate(means):
            over = theme.paper if abs(value) > 0.55 * end else theme.ink
            axes.text(k + 0.5, i + 0.5, f"{value:+.1f}", ha="center", va="center", fontsize=8, color=over)
    axes.set_yticks(np.arange(len(columns)) + 0.5, [short(run.column(place).name, 24) for place in columns])
    axes.set_xticks(np.arange(run.k) + 0.5, [short(name, 10) for name in run.names[: run.k]])
    furniture.on_components(axes, run, theme)
    bar = figure.colorbar(image, ax=axes, shrink=0.8, aspect=16, pad=0.03)
    furniture.plain_bar(bar, "standard deviations from the mean")
