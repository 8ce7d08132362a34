"""How far what was observed is from what the model says: column by column, and in pairs of columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.reports.finished_run import CONTINUOUS, FinishedRun, Rows
from em_cli.reports.frequencies import Frequencies, table

MOST_PAIRED = 30  # columns, of which every pair is looked at
CLASSES = 5  # of a column in the table of a pair: its commonest values and the others, or fifths of its rows
TINY = float(np.finfo(float).tiny)
Measure = Literal["Kolmogorov–Smirnov", "total variation"]


@dataclass(frozen=True, slots=True)
class Distance:
    """Between 0 and 1."""

    places: tuple[int, ...]  # of the column, or of the two
    value: float
    measure: Measure


@dataclass(frozen=True, slots=True, eq=False)
class Classes:
    """The values of a column, taken together in a few classes."""

    place: int
    levels: Integers | None  # those that stand for themselves, the others being one class; None of numbers
    edges: Array  # between the classes of numbers

    def of(self, values: Array) -> Array:
        """(C, n) 1 where a value is in the class; nowhere, where it is missing."""
        if self.levels is None:
            code = np.searchsorted(self.edges, values, "right")
            size = len(self.edges) + 1
        else:
            hit = values[None] == self.levels[:, None]
            code = np.where(hit.any(axis=0), hit.argmax(axis=0), len(self.levels))
            size = len(self.levels) + 1
        inside: Array = ((code == np.arange(size)[:, None]) & ~np.isnan(values)).astype(np.float64)
        return inside


def classes_of(run: FinishedRun) -> list[Classes]:
    """Of the first columns that have a law of their own, as the rows have them."""
    able = [place for place in run.described if run.beside(place) == ()]
    return [_classes(run, place) for place in able[:MOST_PAIRED]]


def _classes(run: FinishedRun, place: int) -> Classes:
    values = run.shown.x[place]
    seen = values[~np.isnan(values)]
    distinct, times = np.unique(seen, return_counts=True)
    if run.column(place).levels:
        commonest = np.sort(distinct[np.argsort(-times, kind="stable")[: CLASSES - 1]])
        return Classes(place, commonest.astype(np.intp), np.empty(0))
    fifths = np.unique(np.quantile(seen, np.arange(1, CLASSES) / CLASSES)) if len(seen) else np.empty(0)
    return Classes(place, None, fifths)


def distances(run: FinishedRun, classes: Sequence[Classes], drawn: int) -> list[Distance]:
    """Of every column that can be compared, then of every pair; always in the same order."""
    draws, _ = run.model.sample(run.parameters, drawn, np.random.default_rng(0))
    found = [_continuous(run.shown, place, draws[place]) for place in run.places(CONTINUOUS)]
    found += [_whole(run, place) for place in Frequencies().columns(run)]
    return found + _pairs(run.shown, draws, classes)


def _continuous(rows: Rows, place: int, draws: Array) -> Distance:
    """The largest difference of the distribution functions, at the middle of the steps where values are rounded."""
    seen = ~np.isnan(rows.x[place])
    weights = np.ones(int(seen.sum())) if rows.weights is None else rows.weights[seen]
    values, which = np.unique(rows.x[place, seen], return_inverse=True)
    share = np.bincount(which, weights) / weights.sum()
    observed = np.cumsum(share) - share / 2
    draws = np.sort(draws)
    expected = (np.searchsorted(draws, values, "left") + np.searchsorted(draws, values, "right")) / (2 * len(draws))
    return Distance((place,), float(np.abs(observed - expected).max()), "Kolmogorov–Smirnov")


def _whole(run: FinishedRun, place: int) -> Distance:
    """Half the sum of the differences of the frequencies; many values are taken together."""
    found = table(run, place)
    expected = found.fitted.sum(axis=0)
    distance = 0.5 * float(np.abs(found.observed - expected).sum() + max(0.0, 1 - expected.sum()))
    return Distance((place,), distance, "total variation")


def _pairs(rows: Rows, draws: Array, classes: Sequence[Classes]) -> list[Distance]:
    """Of the table of every two columns, in rows that have both cells."""
    if len(classes) < 2:
        return []
    observed, expected = _joint(rows.x, rows.weights, classes), _joint(draws, None, classes)
    ends = np.cumsum([len(each.edges) + 1 if each.levels is None else len(each.levels) + 1 for each in classes])
    parts = [slice(a, b) for a, b in zip([0, *ends[:-1].tolist()], ends.tolist(), strict=True)]
    found = []
    for i, j in combinations(range(len(classes)), 2):
        one, other = (shares[parts[i], parts[j]] for shares in (observed, expected))
        if one.sum() > 0:
            found.append(Distance((classes[i].place, classes[j].place), _apart(one, other), "total variation"))
    return found


def _apart(one: Array, other: Array) -> float:
    """How far the tables are apart in how the columns go together: each is taken relative to independence.

    So the distributions of the columns themselves, which are looked at one by one, do not count.
    """
    shares = [table / table.sum() for table in (one, other)]
    alone = [share.sum(axis=1, keepdims=True) * share.sum(axis=0) for share in shares]
    together = [share / np.maximum(free, TINY) for share, free in zip(shares, alone, strict=True)]
    return min(1.0, 0.5 * float((alone[0] * np.abs(together[0] - together[1])).sum()))


def _joint(x: Array, weights: Array | None, classes: Sequence[Classes]) -> Array:
    """(C, C) how much there is in every class of a column together with every class of another."""
    inside = np.concatenate([each.of(x[each.place]) for each in classes])
    joint: Array = (inside if weights is None else inside * weights) @ inside.T
    return joint
