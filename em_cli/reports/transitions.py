"""How likely each state follows each other one, as a heat map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports import words
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.kind import OfTheWhole, Picture
from em_cli.reports.style import Theme, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_NUMBERED = 12  # states whose probabilities are written


@dataclass(frozen=True, slots=True)
class Transitions(OfTheWhole):
    needs_rows: ClassVar[bool] = False

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        return "its rows do not follow each other." if "transmat" not in run.document else ""

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        law = np.array(run.document["transmat"], np.float64)
        title = words.title_of(run, "transitions between states")
        caption = "Probability of each state (to), given the one before (from); on the diagonal a state stays."
        stays = ", ".join(f"{name} {p:.2f}" for name, p in zip(run.names, np.diag(law), strict=True))
        side = min(2.4 + 0.55 * run.k, 8.0)
        return Picture(
            "transitions",
            title,
            caption,
            f"A state stays with probability: {stays}.",
            (side + 1, side),
            partial(_draw, run, law),
        )


def _draw(run: FinishedRun, law: Array, figure: Figure, theme: Theme) -> None:
    from matplotlib.colors import LinearSegmentedColormap

    axes = figure.add_subplot()
    colours = LinearSegmentedColormap.from_list("probability", [theme.low, theme.high])
    axes.pcolormesh(law, cmap=colours, vmin=0, vmax=1, edgecolors=theme.faint, linewidth=0.6)
    if run.k <= MOST_NUMBERED:
        for (one, other), p in np.ndenumerate(law):
            ink = theme.paper if p > 0.55 else theme.ink
            axes.annotate(f"{p:.2f}", (other + 0.5, one + 0.5), ha="center", va="center", fontsize=8, color=ink)
    at, names = np.arange(run.k) + 0.5, [short(name, 12) for name in run.names]
    axes.set_xticks(at, names)
    axes.set_yticks(at, names)
    axes.tick_params(length=0)
    axes.set_ylim(run.k, 0)
    axes.set_aspect("equal")
    axes.set_xlabel("to state")
    axes.set_ylabel("from state")
