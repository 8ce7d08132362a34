"""How several runs climbed to their ends on the same rows: the log-likelihood of the best climb of each."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.errors import UsageError
from em_cli.reports.kind import Picture
from em_cli.reports.run import Climb, Run
from em_cli.reports.style import Theme, short
from em_cli.reports.trace import NEAREST, best_of, climbs_of_model
from em_cli.sources.quoting import listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def traces(runs: Sequence[Run]) -> Picture:
    """`UsageError` where the runs are not of the same rows, or one holds no climb."""
    first, *others = runs
    if other := [run.name for run in others if _rows_of(run) != _rows_of(first)]:
        raise UsageError(f"{listed(other)} is of other rows or columns than {first.name}: their climbs do not compare.")
    without = [run.name for run in runs if not climbs_of_model(run)]
    if without:
        raise UsageError(f"--kind trace does not apply: trace.csv of {listed(without)} holds no climb of the model.")
    climbs = [best_of(climbs_of_model(run)) for run in runs]
    names = [run.name for run in runs]
    ends = [float(climb.log_likelihoods[-1]) for climb in climbs]
    told = ", ".join(f"{name} {end:.3f}" for name, end in zip(names, ends, strict=True))
    caption = (
        f"Log-likelihood of every iteration of the chosen climb of {len(runs)} runs, in nats below the highest of all; "
        f"ends: {told}."
    )
    return Picture(
        "trace",
        f"{len(runs)} runs: climbs to log-likelihoods up to {max(ends):.3f}",
        caption,
        f"{len(runs)} lines, one for each run; their ends are {told}.",
        (6.8, 4.2),
        partial(_draw, climbs, names),
    )


def _rows_of(run: Run) -> tuple[object, ...]:
    document = run.document
    counted = [document.get(key) for key in ("data_sha256", "n_samples", "weight_column")]
    return (*counted, *sorted((column.name, column.type, str(column.transform)) for column in run.schema.columns))


def _below(climb: Climb, highest: float) -> Array:
    found: Array = np.maximum(highest - climb.log_likelihoods, NEAREST)
    return found


def _draw(climbs: Sequence[Climb], names: Sequence[str], figure: Figure, theme: Theme) -> None:
    axes = figure.add_subplot()
    highest = max(float(np.nanmax(climb.log_likelihoods)) for climb in climbs)
    for place, (climb, name) in enumerate(zip(climbs, names, strict=True)):
        mark, below = theme.mark(place, len(climbs)), _below(climb, highest)
        steps = np.arange(1, len(below) + 1)
        axes.plot(steps, below, mark.dash, color=mark.colour, label=short(name))
        axes.plot(steps[-1:], below[-1:], mark.marker, color=mark.colour)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_ylim(1.6 * max(float(np.nanmax(_below(climb, highest))) for climb in climbs), 0.6 * NEAREST)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}" if value > NEAREST else f"≤ {NEAREST:g}")
    axes.yaxis.set_minor_formatter(lambda value, _: "")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
    axes.xaxis.set_minor_formatter(lambda value, _: "")
    axes.set_ylabel("nats below the highest")
    axes.set_xlabel("iteration")
    axes.grid(axis="y")
    figure.legend(loc="outside lower center", ncols=4)
