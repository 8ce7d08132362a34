"""How the search climbed: the log-likelihood of every iteration of every climb, the best on top."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports import words
from em_cli.reports.finished_run import Climb, FinishedRun
from em_cli.reports.kind import OfTheWhole, Picture
from em_cli.reports.style import Theme
from em_cli.sources.quoting import plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NEAREST = 1e-3  # nats below the best that are told apart
ORIGINS = {"split": "^", "merge": "v", "crossover": "X"}
SEARCH = "search from "


@dataclass(frozen=True, slots=True)
class Trace(OfTheWhole):
    needs_rows: ClassVar[bool] = False

    def refusal(self, run: FinishedRun, columns: Sequence[int]) -> str:
        if len(run.names) == 1:
            return "there is one component: every start finds the same."
        return "" if climbs_of_model(run) else "trace.csv holds no start of the model."

    def picture(self, run: FinishedRun, columns: Sequence[int]) -> Picture:
        climbs = climbs_of_model(run)
        best = best_of(climbs)
        moved = sum(origin(climb) is not None for climb in climbs)
        title = words.title_of(run, f"{plural(len(climbs), 'start')} to {best.climbed} {best.values[-1]:.3f}")
        ended = sum(climb.verdict in ("best", "same optimum") for climb in climbs)
        caption = words.sentences(
            f"{best.climbed.capitalize()} of every iteration of {plural(len(climbs), 'start')} of the model, in nats "
            "below the best; the heavy line is the best start.",
            f"{plural(moved, 'start')} began where components were split (▲), merged (▼) or crossed (✕)."
            if moved
            else "",
            "Degenerate ones are dotted." if any(climb.verdict == "degenerate" for climb in climbs) else "",
        )
        alt = (
            f"{plural(len(climbs), 'line')} rising to the best {best.climbed}, {best.values[-1]:.3f}; "
            f"{ended} came to it."
        )
        return Picture("trace", title, caption, alt, (6.8, 4.2), partial(_draw, climbs, best))


def climbs_of_model(run: FinishedRun) -> list[Climb]:
    """Those that saw all rows, of the structure and the number of components that was chosen."""
    return [
        climb
        for climb in run.climbs
        if run.is_of_model(climb.covariance, climb.k) and not climb.on_sample and np.isfinite(climb.values).any()
    ]


def best_of(climbs: Sequence[Climb]) -> Climb:
    """The chosen one, or the highest."""
    chosen = [climb for climb in climbs if climb.verdict == "best"]
    return max(chosen or climbs, key=lambda climb: float(np.nan_to_num(climb.values[-1], nan=-np.inf)))


def origin(climb: Climb) -> str | None:
    """What was done to components where the climb began."""
    start = climb.start.removeprefix(SEARCH)
    return next((word for word in ORIGINS if start.startswith(word)), None)


def below(climb: Climb, best: Climb) -> Array:
    """(n,) nats below the best, as far as they are told apart."""
    found: Array = np.maximum(best.values[-1] - climb.values, NEAREST)
    return found


def _draw(climbs: Sequence[Climb], best: Climb, figure: Figure, theme: Theme) -> None:
    from matplotlib.collections import LineCollection
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator

    axes = figure.add_subplot()
    strength = float(np.clip(20 / len(climbs), 0.25, 0.8))
    for dash in ("-", ":"):
        some = [climb for climb in climbs if climb is not best and (climb.verdict == "degenerate") == (dash == ":")]
        lines = [np.column_stack([np.arange(1, len(climb.values) + 1), below(climb, best)]) for climb in some]
        axes.add_collection(LineCollection(lines, colors=theme.noise, alpha=strength, linestyles=dash, linewidths=1))
    axes.plot(np.arange(1, len(best.values) + 1), below(best, best), color=theme.ink, linewidth=2.2)
    begun = {kind: [below(climb, best)[0] for climb in climbs if origin(climb) == kind] for kind in ORIGINS}
    for kind, ends in begun.items():
        axes.plot(np.ones(len(ends)), ends, ORIGINS[kind], color=theme.accent, markersize=6, alpha=0.8)
    axes.set_yscale("log")
    longest = max(len(climb.values) for climb in climbs)
    axes.set_xlim(1 - 0.02 * longest, 1 + 1.02 * longest)
    axes.set_ylim(1.6 * max(float(np.nanmax(below(climb, best))) for climb in climbs), 0.6 * NEAREST)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}" if value > NEAREST else f"≤ {NEAREST:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: "")
    axes.set_ylabel("nats below the best")
    axes.set_xlabel("iteration")
    axes.grid(axis="y")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles = [
        Line2D([], [], color=theme.ink, linewidth=2.2, label="best start"),
        Line2D([], [], color=theme.noise, linewidth=1, label="other starts"),
    ]
    if any(climb.verdict == "degenerate" for climb in climbs):
        handles.append(Line2D([], [], color=theme.noise, linewidth=1, linestyle=":", label="degenerate"))
    handles += [
        Line2D([], [], color=theme.accent, marker=ORIGINS[kind], linestyle="", label=f"begins with a {kind}")
        for kind, ends in begun.items()
        if ends
    ]
    figure.legend(handles=handles, loc="outside lower center", ncols=3)
