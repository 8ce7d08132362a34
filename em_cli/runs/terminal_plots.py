"""From a model to what can be drawn of it with characters."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from math import isfinite
from pathlib import Path

import numpy as np

from em_cli.display.densities import Curves
from em_cli.display.selection_summary import criterion_name
from em_cli.display.sketches import Criterion, Levels, Means, Sketches, room
from em_cli.engine.arrays import Array
from em_cli.outputs.components import level_probabilities
from em_cli.outputs.model_file import LoadedModel
from em_cli.reports.along_columns import by_itself, marginal, ranges
from em_cli.reports.finished_run import FinishedRun
from em_cli.reports.profile import standardised
from em_cli.reports.style import LIGHT
from em_cli.runs.read_back import parsed, run_of

MOST_COLUMNS = 6  # are drawn one by one: those in which the components are furthest apart
MOST_MEANS = 30
FINENESS = 4  # points for each cell of a curve


def sketches_of(loaded: LoadedModel, folder: str, width: int) -> Sketches:
    """Densities, levels, means; and the criterion, if the folder is that of a sweep."""
    run = run_of(
        "", loaded, {"inputs": [{"name": "-", "sha256": ""}]}, {"trace": (), "restarts": (), "selection": ()}, None
    )
    labels = [*(str(place + 1) for place in range(run.k)), *run.extra]
    criterion = _criterion(Path(folder))
    n_colors = max(len(labels), len(criterion.curves) if criterion else 0)
    colors = [LIGHT.mark(place, run.k if run.extra else n_colors).colour for place in range(n_colors)]
    levels = level_probabilities(loaded)
    numbers = [place for place in run.described if not run.column(place).levels]
    apart = dict(zip(numbers, _share(run) @ np.nan_to_num(standardised(run, numbers)[0]) ** 2, strict=True))
    apart |= {run.schema.names.index(name): _disagreement(run, levels[name]) for name in levels}
    able = [place for place in apart if by_itself(run, place)]
    drawn = sorted(sorted(able, key=lambda place: -apart[place])[:MOST_COLUMNS])
    (extents, bent), cells = ranges(run), room(width, labels)
    columns = [
        Levels(column.name, levels[column.name])
        if column.levels
        else _curves(run, place, extents[place], bool(bent[place]), cells)
        for place, column in ((place, run.column(place)) for place in drawn)
    ]
    return Sketches(labels, colors, columns, len(able) - len(drawn), _means(run, numbers), criterion)


def _curves(run: FinishedRun, place: int, extent: Sequence[float], logarithmic: bool, cells: int) -> Curves:
    count = run.column(place).type == "count"
    bent = logarithmic and not count
    found = marginal(run, place, extent[0], extent[1], cells if count else FINENESS * cells, bent)
    return Curves(run.schema.names[place], found.low, found.high, found.densities, found.whole, bent)


def _means(run: FinishedRun, numbers: Sequence[int]) -> Means | None:
    """Where two columns at least have means to compare."""
    found, _ = standardised(run, numbers)
    known = [place for place in range(len(numbers)) if np.isfinite(found[:, place]).all()][:MOST_MEANS]
    if run.k == 1 or len(known) < 2:
        return None
    return Means([run.schema.names[numbers[place]] for place in known], found[:, known].tolist())


def _disagreement(run: FinishedRun, levels: Sequence[Mapping[str, float]]) -> float:
    """How far apart the components are in a column of levels: Goodman & Kruskal's (1954) tau of the levels."""
    p, share = np.array([list(of_one.values()) for of_one in levels]), _share(run)
    mixed = share @ p
    unlike = 1 - float(mixed @ mixed)
    return 1 - (1 - float(share @ (p * p).sum(axis=1))) / unlike if unlike > 0 else 0.0


def _share(run: FinishedRun) -> Array:
    """(K,) of the components in what belongs to one."""
    share: Array = run.weights[: run.k] / run.weights[: run.k].sum()
    return share


def _criterion(folder: Path) -> Criterion | None:
    """The table of a sweep, if there is one that can be read."""
    try:
        with (folder / "selection.csv").open(encoding="utf-8", newline="") as lines:
            rows = parsed("selection", lines)
        config = json.loads((folder / "manifest.json").read_bytes())["config"]
        name = str(config["criterion"])
        curves: dict[str, dict[int, float]] = {}
        for row in rows:
            curves.setdefault(_label(row), {})[int(str(row["k"]))] = _number(row[name])
    except (OSError, ValueError, LookupError, TypeError, csv.Error):
        return None
    return Criterion(criterion_name(name), curves) if rows and len({row["k"] for row in rows}) > 1 else None


def _label(row: Mapping[str, object]) -> str:
    return str(row["model"] or row["covariance"] or "")


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and isfinite(value) else float("inf")
