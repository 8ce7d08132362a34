"""Columns that are exact linear functions of others: a covariance of theirs has no width one way."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from operator import add

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.column_moments import Moments
from em_cli.engine.columns import Columns
from em_cli.engine.rows import Source, quanta

ROUNDING = 1e-13  # of a variance, by which one that is none may seem to be some
COUNTS = 1e-6  # of a standard deviation; what moves a column by less does not determine it


def dependent(source: Source, columns: Columns, among: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Which of these columns are determined by earlier ones, and by which.

    What is left of them beside the others, in rows without a missing cell, is less than the rounding of the data.
    The rows are read only where cells of these columns are missing.
    """
    places = np.array(among, np.intp)
    n_rows, covariance = columns.n_rows, columns.covariance[np.ix_(places, places)]
    if columns.gaps[places].any():
        n_rows, covariance = _of_complete_rows(source, places)
    sd = columns.sd[places]
    if n_rows <= len(places) or not (sd > 0).all():
        return {}
    correlation = covariance / np.outer(sd, sd)
    floor = np.maximum((columns.resolution[places] / sd) ** 2 / 12, ROUNDING)
    rest, kept = correlation.copy(), []
    found: dict[int, tuple[int, ...]] = {}
    for j in range(len(places)):
        if rest[j, j] > floor[j]:
            rest -= rest[:, [j]] * (rest[j] / rest[j, j])
            kept.append(j)
        elif kept:
            share = np.linalg.solve(correlation[np.ix_(kept, kept)], correlation[kept, j])
            of = np.array(kept)[np.abs(share) > COUNTS]
            found[int(places[j])] = tuple(places[of].tolist())
    return found


def _of_complete_rows(source: Source, places: Integers) -> tuple[int, Array]:
    """How many rows lack no cell of these columns, and their covariance."""
    parts = []
    for index in range(len(source)):
        for rows in quanta(source[index]):
            x = rows.x[places]
            x = x[:, ~np.isnan(x).any(axis=0)]
            if x.shape[1]:
                parts.append(Moments.of(x, None, None))
    if not parts:
        return 0, np.zeros((len(places), len(places)))
    moments = reduce(add, parts)
    return int(moments.weight[0]), moments.covariance
