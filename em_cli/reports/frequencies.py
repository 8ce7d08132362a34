"""Counts and categories: how often each value was observed, and how often the fit expects it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports import furniture, words
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.kind import Picture
from em_cli.reports.moments import moments
from em_cli.reports.separation import ranked
from em_cli.reports.style import Theme, short
from em_cli.sources.quoting import listed
from em_cli.sources.schema import WHOLE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_COLUMNS = 9
MOST_VALUES = 30  # bars
LONGEST = 100_000  # values of a count that are computed one by one
FINE = 1000  # of more, in a bar and about a component


@dataclass(frozen=True, slots=True)
class Table:
    """Of the values of a column, or of ranges of them."""

    labels: tuple[str, ...]
    observed: Array  # (v,) shares of the rows
    fitted: Array  # (K, v) shares of each component, that together are those of the mixture
    ordered: bool  # as numbers are: not each needs its label


@dataclass(frozen=True, slots=True)
class Frequencies:
    needs_rows: ClassVar[bool] = True
    shows: ClassVar[str] = "counts and categories"

    def columns(self, run: FinishedRun) -> tuple[int, ...]:
        return tuple(place for place in run.places(WHOLE) if run.beside(place) is not None)

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        return "" if columns else "no column holds counts or categories that are described by themselves."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        chosen = sorted(ranked(run, columns)[:MOST_COLUMNS] if len(columns) > MOST_COLUMNS else columns)
        tables = [table(run, place) for place in chosen]
        names = listed([run.column(place).name for place in chosen])
        caption = words.sentences(
            f"Observed shares of the values of {names} (wide bars) and those that the fit expects (narrow bars, in the "
            "colours of the components).",
            words.most_telling(len(chosen), len(columns)),
            words.which_rows(run),
        )
        title = words.title_of(run, "observed and fitted frequencies")
        alt = "; ".join(
            f"{run.column(place).name}: largest difference between observed and fitted share "
            f"{np.abs(found.observed - found.fitted.sum(axis=0)).max():.3f}"
            for place, found in zip(chosen, tables, strict=True)
        )
        across = min(len(chosen), 3)
        size = (6.4, 4.0) if across == 1 else (3.1 * across + 1.2, 2.6 * -(-len(chosen) // across) + 0.5)
        return Picture("frequencies", title, caption, alt, size, partial(_draw, run, chosen, tables, across))


def table(run: FinishedRun, place: int) -> Table:
    """Observed and fitted shares; values that are many are taken together."""
    rows, column = run.shown, run.column(place)
    given = list(run.beside(place) or ())  # the trials of successes
    seen = ~np.isnan(rows.x[[place, *given]]).any(axis=0)
    cells = rows.x[place, seen]
    weights = np.ones(len(cells)) if rows.weights is None else rows.weights[seen]
    if column.levels:
        observed = np.bincount(cells.astype(np.intp), weights, len(column.levels)) / weights.sum()
        return _most_frequent(
            column.levels, observed, probabilities(run, place, np.arange(len(column.levels), dtype=np.float64))
        )
    first, last = int(cells.min()), int(cells.max())
    margin = max(1, (last - first) // 20)
    wide = _round(-(-(last - first + 2 * margin) // MOST_VALUES))
    starts = np.arange(max(0, first - margin) // wide * wide, last + margin + 1, wide)
    values, each = _values(run, place, int(starts[0]), int(starts[-1]) + wide)
    if not given:
        fitted = probabilities(run, place, values)
    else:
        fitted = np.zeros((len(run.weights), len(values)))
        known, which = np.unique(rows.x[given][:, seen], axis=1, return_inverse=True)
        for numbers, share in zip(known.T, np.bincount(which.ravel(), weights) / weights.sum(), strict=True):
            joint = np.concatenate([values[None], np.repeat(numbers[:, None], len(values), axis=1)])
            able = run.allows([place, *given], joint)
            density = np.exp(run.log_density([place, *given], joint[:, able]))
            fitted[:, able] += share * run.weights[:, None] * density
    observed, _ = np.histogram(cells, np.append(starts, starts[-1] + wide), weights=weights)
    labels = [f"{start}" if wide == 1 else f"{start}–{start + wide - 1}" for start in starts.tolist()]
    within = np.add.reduceat(fitted * each, np.searchsorted(values, starts), axis=1)
    return Table(tuple(labels), observed / weights.sum(), within, True)


def _round(width: int) -> int:
    """The next of 1, 2, 5, 10, 20, 50, …"""
    power: int = 10 ** (len(str(width)) - 1)
    return next(times * power for times in (1, 2, 5, 10) if times * power >= width)


def _values(run: FinishedRun, place: int, first: int, end: int) -> tuple[Array, Array]:
    """Whole numbers from first to end, and how many (v,) each stands for.

    Where they are very many, they lie close where the components are.
    """
    if end - first <= LONGEST:
        return np.arange(first, end, dtype=np.float64), np.ones(end - first)
    mean, sd = (found[:, place] for found in moments(run))
    near = [np.linspace(m - 8 * s, m + 8 * s, FINE) for m, s in zip(mean, sd, strict=True)]
    values = np.unique(np.rint(np.concatenate([np.linspace(first, end - 1, FINE * MOST_VALUES), *near])))
    values = values[(values >= first) & (values < end)]
    borders = np.floor(values[:-1] + np.diff(values) / 2)
    return values, np.diff(borders, prepend=first - 1, append=end - 1)


def probabilities(run: FinishedRun, place: int, values: Array) -> Array:
    """(K, v) of the values of a column in each component, times its weight."""
    found: Array = run.weights[:, None] * np.exp(run.log_density([place], values[None]))
    return found


def _most_frequent(levels: Sequence[str], observed: Array, fitted: Array) -> Table:
    """All levels; of many the most frequent, and the others together."""
    if len(levels) <= MOST_VALUES:
        return Table(tuple(short(level, 16) for level in levels), observed, fitted, False)
    order = np.argsort(-observed, kind="stable")
    kept, rest = order[: MOST_VALUES - 1], order[MOST_VALUES - 1 :]
    return Table(
        (*(short(levels[i], 16) for i in kept), f"{len(rest)} others"),
        np.append(observed[kept], observed[rest].sum()),
        np.concatenate([fitted[:, kept], fitted[:, rest].sum(axis=1, keepdims=True)], axis=1),
        False,
    )


def _draw(
    run: FinishedRun, columns: Sequence[int], tables: Sequence[Table], across: int, figure: Figure, theme: Theme
) -> None:
    from matplotlib.patches import Patch

    down = -(-len(columns) // across)
    for number, (place, found) in enumerate(zip(columns, tables, strict=True)):
        axes = figure.add_subplot(down, across, number + 1)
        _bars(axes, run, found, theme, 60 if across == 1 else 30)
        axes.set_xlabel(short(run.column(place).name))
        axes.set_ylabel("share of rows" if number % across == 0 else "")
    furniture.legend(figure, run, theme, "patch", [Patch(facecolor=theme.faint, label="observed")], noise=False)
    furniture.corner(figure, theme, words.remark(run))


def _bars(axes: Axes, run: FinishedRun, found: Table, theme: Theme, room: int) -> None:
    """So many characters have room below."""
    at = np.arange(len(found.labels))
    axes.bar(at, found.observed, 0.9, color=theme.faint)
    bottom = np.zeros(len(at))
    for number, share in enumerate(found.fitted):
        mark = theme.mark(number, run.k)
        axes.bar(at, share, 0.5, bottom, color=mark.colour, hatch=mark.hatch, edgecolor=theme.paper, linewidth=0)
        bottom += share
    axes.set_ylim(0, 1.06 * float(max(found.observed.max(), bottom.max())))
    step = -(-len(at) // 12) if found.ordered else 1
    shown = at[::step]
    slanted = sum(len(found.labels[i]) + 1.5 for i in shown) > room
    axes.set_xticks(
        shown,
        [found.labels[i] for i in shown],
        rotation=40 if slanted else 0,
        ha="right" if slanted else "center",
        rotation_mode="anchor",
        fontsize=8 if slanted else 9,
    )
