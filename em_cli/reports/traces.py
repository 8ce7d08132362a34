"""How several runs climbed to their ends on the same rows: the log-likelihood of the best climb of each.

By iteration, and by the CPU time that the search of all climbs had taken, where the manifests tell it.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.errors import UsageError
from em_cli.reports.finished_run import Climb, FinishedRun
from em_cli.reports.kind import Picture
from em_cli.reports.style import Theme, short
from em_cli.reports.trace import NEAREST, best_of, climbs_of_model
from em_cli.sources.quoting import listed

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def traces(runs: Sequence[FinishedRun]) -> Picture:
    """`UsageError` where the runs are not of the same rows, or one holds no climb."""
    first, *others = runs
    if other := [run.name for run in others if _rows_of(run) != _rows_of(first)]:
        raise UsageError(f"{listed(other)} is of other rows or columns than {first.name}: their traces do not compare.")
    without = [run.name for run in runs if not climbs_of_model(run)]
    if without:
        raise UsageError(f"--kind trace does not apply: trace.csv of {listed(without)} holds no start of the model.")
    climbs = [best_of(climbs_of_model(run)) for run in runs]
    names = [run.name for run in runs]
    ends = [float(climb.log_likelihoods[-1]) for climb in climbs]
    told = ", ".join(f"{name} {end:.3f}" for name, end in zip(names, ends, strict=True))
    seconds = [_seconds(run, climb) for run, climb in zip(runs, climbs, strict=True)]
    if untimed := [name for name, own in zip(names, seconds, strict=True) if own is None]:
        by_time = f"CPU seconds are not shown: {listed(untimed)} does not tell them."
    else:
        by_time = "On the right the same by the CPU seconds that the search, all its starts, had taken."
    caption = (
        f"Log-likelihood of every iteration of the best start of {len(runs)} runs, in nats below the highest of all; "
        f"ends: {told}. {by_time}"
    )
    return Picture(
        "trace",
        f"{len(runs)} runs: log-likelihoods up to {max(ends):.3f}",
        caption,
        f"{len(runs)} lines, one for each run; their ends are {told}.",
        (6.8, 4.2) if untimed else (9.6, 4.2),
        partial(_draw, climbs, names, [own for own in seconds if own is not None and not untimed]),
    )


def _rows_of(run: FinishedRun) -> tuple[object, ...]:
    document = run.document
    counted = [document.get(key) for key in ("data_sha256", "n_samples", "weight_column")]
    return (*counted, *sorted((column.name, column.type, str(column.transform)) for column in run.schema.columns))


def _seconds(run: FinishedRun, climb: Climb) -> Array | None:
    """(n,) of CPU time at each iteration; None where the manifest does not tell."""
    told = run.manifest.get("stopping", {}).get("cpu_seconds")
    return np.array(told) if told and len(told) == len(climb.values) else None


def _below(climb: Climb, highest: float) -> Array:
    found: Array = np.maximum(highest - climb.log_likelihoods, NEAREST)
    return found


def _draw(
    climbs: Sequence[Climb], names: Sequence[str], seconds: Sequence[Array], figure: Figure, theme: Theme
) -> None:
    steps = [np.arange(1, len(climb.values) + 1) for climb in climbs]
    panels = [(steps, "iteration"), *([(seconds, "CPU seconds")] if seconds else [])]
    every = figure.subplots(1, len(panels), sharey=True, squeeze=False)[0]
    highest = max(float(np.nanmax(climb.log_likelihoods)) for climb in climbs)
    for axes, (along, label) in zip(every, panels, strict=True):
        for place, (climb, name, at) in enumerate(zip(climbs, names, along, strict=True)):
            mark, below = theme.mark(place, len(climbs)), _below(climb, highest)
            axes.plot(at, below, mark.dash, color=mark.colour, label=short(name))
            axes.plot(at[-1:], below[-1:], mark.marker, color=mark.colour)
        axes.set_xscale("log")
        axes.set_yscale("log")
        axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.10g}")
        axes.xaxis.set_minor_formatter(lambda value, _: "")
        axes.set_xlabel(label)
        axes.grid(axis="y")
    first = every[0]
    first.set_ylim(1.6 * max(float(np.nanmax(_below(climb, highest))) for climb in climbs), 0.6 * NEAREST)
    first.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}" if value > NEAREST else f"≤ {NEAREST:g}")
    first.yaxis.set_minor_formatter(lambda value, _: "")
    first.set_ylabel("nats below the highest")
    figure.legend(*first.get_legend_handles_labels(), loc="outside lower center", ncols=4)
