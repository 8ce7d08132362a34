"""How long states last: the stays along the most probable paths, and those that the transitions lead one to expect."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Integers
from em_cli.reports import furniture, words
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.kind import OfTheWhole, Picture
from em_cli.reports.style import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Durations(OfTheWhole):
    needs_rows: ClassVar[bool] = True

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        if "transmat" not in run.document or run.shown.path is None:
            return "its rows do not follow each other."
        if run.k == 1:
            return "there is one state."
        return "" if run.shown.n == run.shown.n_fitted else "not all rows are shown, so that stays are cut."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        found = stays(run)
        title = words.title_of(run, "durations of states")
        caption = (
            "Share of the stays in each state, along the most probable paths, that last at least so many steps "
            "(stairs), and what the transitions lead one to expect (dashed): of a chain these are geometric. "
            "Stays that the end of a sequence cuts are counted as they are."
        )
        alt = ", ".join(
            f"{name}: {len(own)} stays, {own.mean():.1f} steps" if len(own) else f"{name}: no stay"
            for name, own in zip(run.names, found, strict=True)
        )
        return Picture("durations", title, caption, alt, (6.2, 3.6), partial(_draw, run, found))


def stays(run: FinishedRun) -> list[Integers]:
    """The lengths in steps of the stays in each state."""
    path, sequence, step = run.shown.path, run.shown.sequence, run.shown.step
    assert path is not None and sequence is not None and step is not None, "it is refused elsewhere"
    changes = (np.diff(path) != 0) | (np.diff(sequence) != 0)
    bounds = np.concatenate([[0], np.flatnonzero(changes) + 1, [len(path)]])
    first, last = bounds[:-1], bounds[1:] - 1
    lengths, state = step[last] - step[first] + 1, path[first]
    return [lengths[state == k] for k in range(run.k)]


def _draw(run: FinishedRun, found: Sequence[Integers], figure: Figure, theme: Theme) -> None:
    axes = figure.add_subplot()
    longest = max((int(own.max()) for own in found if len(own)), default=1)
    lasts = np.arange(1, longest + 2)
    law = run.document["transmat"]
    for number, own in enumerate(found):
        colour = theme.mark(number, run.k).colour
        if len(own):
            share = (own[:, None] >= lasts[:-1]).mean(axis=0)
            axes.stairs(share, lasts, color=colour, linewidth=1.6)
        axes.plot(lasts, float(law[number][number]) ** (lasts - 1.0), color=colour, linestyle="--", linewidth=0.9)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.xaxis.set_minor_formatter("")
    axes.set_ylim(0, 1.03)
    axes.set_xlabel("steps")
    axes.set_ylabel("share that lasts as long")
    furniture.legend(figure, run, theme, "line")
