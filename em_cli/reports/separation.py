"""Which columns tell the components apart: the information of a column about the component, in nats."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports.finished_run import FinishedRun

ROWS = 2000  # of which the mean is taken
TRIED = 24  # columns that are tried beside those already chosen: the best by themselves


def information(run: FinishedRun, places: Sequence[int]) -> float:
    """H(labels) − mean H(labels | cells of these columns): how much they say of the component of a row."""
    left = _entropy(_labels(run, places))
    return float(_entropy(run.weights) - np.average(left, weights=run.shown.some(ROWS).weights))


def about_each(run: FinishedRun, place: int) -> Array:
    """(K,) the same of a column, about whether a row is of the component or not."""
    beside = run.beside(place)
    if beside is None:
        return np.zeros(len(run.weights))
    p = _labels(run, [place, *beside])
    left = np.average(_entropy(np.stack([p, 1 - p])), axis=1, weights=run.shown.some(ROWS).weights)
    found: Array = _entropy(np.stack([run.weights, 1 - run.weights])) - left
    return found


def _labels(run: FinishedRun, places: Sequence[int]) -> Array:
    """(K, m) the probabilities of the components of rows of which just these columns are known."""
    rows = run.shown.some(ROWS)
    log_joint = run.log_density(places, rows.x[list(places)]) + np.log(run.weights)[:, None]
    joint = np.exp(log_joint - log_joint.max(axis=0))
    shares: Array = joint / joint.sum(axis=0)
    return shares


def ranked(run: FinishedRun, places: Sequence[int]) -> list[int]:
    """The columns, those first that by themselves say most."""
    if len(places) < 2 or len(run.weights) == 1:
        return list(places)
    return sorted(places, key=lambda place: -round(information(run, [place]), 9))


def most_separating(run: FinishedRun, places: Sequence[int], count: int) -> list[int]:
    """So many of the columns, each the one that says most beside those before it."""
    left = ranked(run, places)
    if len(left) <= count or len(run.weights) == 1:
        return left[:count]
    chosen, left = left[:1], left[1 : TRIED + 1]
    while len(chosen) < count:
        best = max(left, key=lambda place: round(information(run, [*chosen, place]), 9))
        chosen.append(best)
        left.remove(best)
    return chosen


def _entropy(p: Array) -> Array:
    surprise = p * np.log(np.where(p > 0, p, 1.0))
    total: Array = -surprise.sum(axis=0)
    return total
