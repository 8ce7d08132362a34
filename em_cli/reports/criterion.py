"""The models of a sweep: the criterion against the number of components, for each covariance structure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.criteria import CROSS_VALIDATION
from em_cli.documents.selection_csv import SelectionRow
from em_cli.engine.documents import field
from em_cli.reports import cv_curve, furniture, words
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.kind import OfTheWhole, Picture
from em_cli.reports.style import Theme

if TYPE_CHECKING:
    from matplotlib.figure import Figure

FARTHEST = 8.0  # times the distance from the best to the median that is drawn


@dataclass(frozen=True, slots=True)
class Criterion(OfTheWhole):
    needs_rows: ClassVar[bool] = False

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        if not run.selection:
            return "it is a run of em fit; em select compares models."
        return "" if any(series(run).values()) else "no model of the sweep was fitted."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        name, best = criterion_of(run), chosen(run)
        models = ", ".join(f"{label} {len(rows)}" for label, rows in series(run).items())
        said = f"{best['model']}, k = {best['k']}"
        title = words.title_of(run, f"{name.upper()} chooses {said}")
        caption = (
            f"{name.upper()} (lower is better) of every model of the sweep; the choice, {said}, is ringed. "
            "The bands show by how much a value may be lower yet, as far as the searches can tell."
        )
        if name == CROSS_VALIDATION:
            caption = cv_curve.SAID
        alt = (
            f"Lines of {name.upper()} against the number of components ({models}); "
            f"the lowest is {said} at {value_of(best, name):.2f}."
        )
        return Picture("criterion", title, caption, alt, (6.8, 4.2), partial(_draw, run))


def criterion_of(run: FinishedRun) -> str:
    return str(run.manifest.get("config", {}).get("criterion", "bic"))


def series(run: FinishedRun) -> dict[str, list[SelectionRow]]:
    """The models with a value, by covariance structure and then by number of components."""
    name, found = criterion_of(run), dict[str, list[SelectionRow]]()
    for row in run.selection:
        value = row.get(name)
        if isinstance(value, int | float) and isfinite(value):
            own, covariance = str(row["model"]), str(row.get("covariance") or "")
            label = own if covariance in ("", own) else f"{own} ({covariance})"
            found.setdefault(label, []).append(row)
    return {label: sorted(rows, key=lambda row: row["k"]) for label, rows in found.items()}


def chosen(run: FinishedRun) -> SelectionRow:
    """The row of the model that was chosen."""
    marked = [row for row in run.selection if str(row.get("note") or "").startswith("chosen")]
    name = criterion_of(run)
    return (
        marked[0]
        if marked
        else min((r for rows in series(run).values() for r in rows), key=lambda row: value_of(row, name))
    )


def value_of(row: SelectionRow, name: str) -> float:
    """Of a criterion, which may be a third party's, where it is known."""
    return float(field(row, name))


def missed(row: Mapping[str, object]) -> float:
    """By how much the criterion may be lower: twice the error of the log-likelihood."""
    error = row.get("optimisation_error")
    return 2 * float(error) if isinstance(error, int | float) and isfinite(error) else 0.0


def _draw(run: FinishedRun, figure: Figure, theme: Theme) -> None:
    name, best, found = criterion_of(run), chosen(run), series(run)
    if name == CROSS_VALIDATION:
        cv_curve.draw_left_out(found, best, figure, theme)
        return
    axes = figure.add_subplot()
    lines = len(found)
    for number, (label, rows) in enumerate(found.items()):
        mark = theme.mark(number, lines)
        k, value = [row["k"] for row in rows], np.array([value_of(row, name) for row in rows])
        lower = value - np.array([missed(row) for row in rows])
        axes.fill_between(k, lower, value, color=mark.colour, alpha=0.25, linewidth=0)
        axes.plot(k, value, color=mark.colour, linestyle=mark.dash, marker=mark.marker, markersize=5, label=label)
    axes.plot(
        best["k"],
        value_of(best, name),
        "o",
        markersize=15,
        markerfacecolor="none",
        color=theme.ink,
        markeredgewidth=1.6,
    )
    axes.annotate(
        "chosen",
        (best["k"], value_of(best, name)),
        (0, -13),
        textcoords="offset points",
        ha="center",
        va="top",
        fontsize=9,
    )
    values = np.array([value_of(row, name) for rows in found.values() for row in rows])
    least = min(value_of(row, name) - missed(row) for rows in found.values() for row in rows)
    lowest, median = float(values.min()), float(np.median(values))
    highest = (
        min(float(values.max()), lowest + FARTHEST * (median - lowest)) if median > lowest else float(values.max())
    )
    margin = (highest - lowest) or 1.0
    axes.set_ylim(max(least, lowest - margin) - 0.14 * margin, highest + 0.06 * margin)
    axes.set_xlabel("number of components")
    axes.set_ylabel(f"{name.upper()} (lower is better)")
    axes.set_xticks(sorted({row["k"] for rows in found.values() for row in rows}))
    axes.grid(axis="y")
    axes.margins(x=0.06)
    furniture.beside(figure, axes.get_legend_handles_labels()[0], "covariance")
