"""Categories: the probability of every level in every component."""

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
from em_cli.reports.style import Theme, short
from em_cli.sources.schema import LEVELLED

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_LINES = 40


@dataclass(frozen=True, slots=True)
class Line:
    """A level."""

    column: str
    level: str
    probabilities: Array  # (K,)


@dataclass(frozen=True, slots=True)
class Levels:
    needs_rows: ClassVar[bool] = False
    shows: ClassVar[str] = "categories"

    def columns(self, run: FinishedRun) -> tuple[int, ...]:
        return run.places(LEVELLED)

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        return "" if columns else "no column holds categories."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        every = lines(run, columns)
        shown = _most_telling(run, every)
        title = words.title_of(run, "probabilities of the levels")
        caption = words.sentences(
            "Probability of each level in each component.",
            f"The {len(shown)} of {len(every)} levels in which the components differ most."
            if len(shown) < len(every)
            else "",
        )
        alt = "; ".join(
            f"{line.column} {line.level}: " + ", ".join(f"{p:.2f}" for p in line.probabilities) for line in shown
        )
        size = (min(4.2 + 0.55 * run.k, 11.0), min(1.2 + 0.3 * len(shown), 12.0))
        return Picture("levels", title, caption, alt, size, partial(_draw, run, shown))


def lines(run: FinishedRun, columns: Sequence[int]) -> list[Line]:
    """Every level of these columns."""
    found = []
    for place in columns:
        column = run.column(place)
        p = np.exp(run.log_density([place], np.arange(len(column.levels), dtype=np.float64)[None]))[: run.k]
        found += [Line(column.name, level, p[:, i]) for i, level in enumerate(column.levels)]
    return found


def _most_telling(run: FinishedRun, every: Sequence[Line]) -> list[Line]:
    if len(every) <= MOST_LINES:
        return list(every)
    share = run.weights[: run.k] / run.weights[: run.k].sum()
    apart = [float(share @ (line.probabilities - share @ line.probabilities) ** 2) for line in every]
    kept = sorted(range(len(every)), key=lambda i: -apart[i])[:MOST_LINES]
    return [every[i] for i in sorted(kept)]


def _draw(run: FinishedRun, shown: Sequence[Line], figure: Figure, theme: Theme) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    axes = figure.add_subplot()
    p = np.array([line.probabilities for line in shown])
    colours = LinearSegmentedColormap.from_list("probability", [theme.low, theme.high], SHADES)
    image = axes.pcolormesh(p, cmap=colours, vmin=0, vmax=1, edgecolors=theme.faint, linewidth=0.6)
    axes.set_ylim(len(shown), 0)
    if run.k <= MOST_NUMBERS:
        for (i, k), value in np.ndenumerate(p):
            over = theme.paper if value > 0.55 else theme.ink
            axes.text(k + 0.5, i + 0.5, f"{value:.2f}", ha="center", va="center", fontsize=8, color=over)
    axes.set_yticks(np.arange(len(shown)) + 0.5, [_label(shown, i) for i in range(len(shown))])
    for i in range(1, len(shown)):
        if shown[i].column != shown[i - 1].column:
            axes.axhline(i, color=theme.ink, linewidth=0.9)
    axes.set_xticks(np.arange(run.k) + 0.5, [short(name, 10) for name in run.names[: run.k]])
    furniture.on_components(axes, run, theme)
    bar = figure.colorbar(image, ax=axes, shrink=0.8 if len(shown) > 6 else 1, aspect=16, pad=0.03)
    furniture.plain_bar(bar, "probability")


def _label(shown: Sequence[Line], i: int) -> str:
    """The level; with its column where that is its first."""
    level = short(shown[i].level, 18)
    if i and shown[i].column == shown[i - 1].column:
        return level
    return f"{short(shown[i].column, 18)}:  {level}"
