"""How large the components are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.documents import field
from em_cli.reports import words
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.kind import OfTheWhole, Picture
from em_cli.reports.style import Theme, short

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, slots=True)
class Sizes(OfTheWhole):
    needs_rows: ClassVar[bool] = False

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        return "" if len(run.names) > 1 else "there is one component."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        title = words.title_of(run, "sizes of the components")
        caption = "Mixing weight of each component, and how many rows are likeliest of it."
        alt = ", ".join(
            f"{name}: {weight:.3f}, {n:,.0f} rows"
            for name, weight, n in zip(run.names, run.weights, assigned(run), strict=True)
        )
        return Picture("sizes", title, caption, alt, (6.2, min(1.1 + 0.36 * len(run.names), 10.0)), partial(_draw, run))


def assigned(run: FinishedRun) -> list[float]:
    """The rows whose likeliest outcome it is."""
    extra = [float(field(run.document, f"{name}_n_assigned")) for name in run.extra]
    return [*(float(component["n_assigned"]) for component in run.document["components"]), *extra]


def _draw(run: FinishedRun, figure: Figure, theme: Theme) -> None:
    axes = figure.add_subplot()
    at = np.arange(len(run.names))
    for number, weight in enumerate(run.weights):
        mark = theme.mark(number, run.k)
        axes.barh(number, weight, 0.7, color=mark.colour, hatch=mark.hatch, edgecolor=theme.paper, linewidth=0)
    counts = assigned(run)
    for number, weight in enumerate(run.weights):
        axes.annotate(
            f"{weight:.3f}  ·  {counts[number]:,.0f} rows",
            (float(weight), number),
            (5, 0),
            textcoords="offset points",
            va="center",
            fontsize=9,
        )
    axes.set_yticks(at, [short(name, 20) for name in run.names])
    axes.set_ylim(len(at) - 0.5, -0.5)
    axes.set_xlim(0, 1.32 * float(run.weights.max()))
    axes.set_ylabel("component")
    axes.set_xlabel("mixing weight")
    axes.tick_params(axis="y", length=0)
