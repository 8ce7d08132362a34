"""The states of sequences, along their steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Integers
from em_cli.reports import furniture, words
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.kind import Picture
from em_cli.reports.style import Theme, short
from em_cli.sources.quoting import plural

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_SEQUENCES = 5  # one below the other
MOST_STEPS = 1500  # of each


@dataclass(frozen=True, slots=True)
class States:
    needs_rows: ClassVar[bool] = True
    shows: ClassVar[str] = "one column of numbers"

    def columns(self, run: FinishedRun) -> tuple[int, ...]:
        return tuple(place for place, column in enumerate(run.schema.columns) if not column.levels)

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        if "transmat" not in run.document or run.shown.path is None:
            return "its rows do not follow each other."
        return "" if columns else "no column holds numbers."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        chosen = longest(run)
        name = run.column(columns[0]).name
        steps = sum(len(rows) for rows in chosen)
        title = words.title_of(run, f"states along {plural(len(chosen), 'sequence')}")
        caption = words.sentences(
            f"{short(name)} of every row at its step, in the colour of its state on the most probable path of its "
            f"sequence, which the band behind it shows as well; {_which(run, len(chosen))}.",
            words.which_rows(run),
        )
        path = run.shown.path
        assert path is not None, "it is refused elsewhere"
        changes = sum(int((np.diff(path[rows]) != 0).sum()) for rows in chosen)
        within = f"{plural(steps, 'row')} of {plural(len(chosen), 'sequence')}"
        alt = f"{within} in time; their state changes {changes:,} times."
        size = 7.2, 1.4 + 1.5 * len(chosen)
        return Picture("states", title, caption, alt, size, partial(_draw, run, columns[0], chosen))


def longest(run: FinishedRun) -> list[Integers]:
    """The rows of the longest sequences, in the order of time; the first of each."""
    sequence = run.shown.sequence
    assert sequence is not None, "it is refused elsewhere"
    many = np.bincount(sequence)
    kept = np.sort(np.argsort(-many, kind="stable")[:MOST_SEQUENCES])
    return [np.flatnonzero(sequence == which)[:MOST_STEPS] for which in kept.tolist() if many[which]]


def _which(run: FinishedRun, n_chosen: int) -> str:
    n = int(run.document["n_sequences"])
    return "these are the longest sequences" if n_chosen < n else "these are all sequences" if n > 1 else "there is one"


def _draw(run: FinishedRun, column: int, chosen: Sequence[Integers], figure: Figure, theme: Theme) -> None:
    every = figure.subplots(len(chosen), 1, squeeze=False)[:, 0]
    for axes, rows in zip(every, chosen, strict=True):
        _draw_one(run, column, rows, axes, theme)
    every[len(every) // 2].set_ylabel(short(run.column(column).name))
    every[-1].set_xlabel("step")
    furniture.legend(figure, run, theme, "point")


def _draw_one(run: FinishedRun, column: int, rows: Integers, axes: Axes, theme: Theme) -> None:
    shown = run.shown
    assert shown.path is not None and shown.step is not None, "it is refused elsewhere"
    path, step, x = shown.path[rows], shown.step[rows] + 1, shown.x[column, rows]
    axes.plot(step, x, color=theme.faint, linewidth=0.7, zorder=1)
    bounds = np.concatenate([[0], np.flatnonzero(np.diff(path)) + 1, [len(path)]])
    for first, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        end = step[stop] if stop < len(step) else step[-1] + 1
        colour = theme.mark(int(path[first]), run.k).colour
        axes.axvspan(step[first] - 0.5, end - 0.5, color=colour, alpha=0.18, linewidth=0, zorder=0)
    for number in range(run.k):
        mine, mark = path == number, theme.mark(number, run.k)
        axes.scatter(step[mine], x[mine], s=7, color=mark.colour, marker=mark.marker, linewidths=0, zorder=2)
    axes.set_xlim(step[0] - 0.5, step[-1] + 0.5)
