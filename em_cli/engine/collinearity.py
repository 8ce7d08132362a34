"""Columns that are exact linear functions of others: a covariance of theirs has no width one way."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.columns import Columns

ROUNDING = 1e-13  # of a variance, by which one that is none may seem to be some
COUNTS = 1e-6  # of a standard deviation; what moves a column by less does not determine it


def dependent(x: Array, columns: Columns, among: Sequence[int]) -> dict[int, tuple[int, ...]]:
    """Which of these columns of the rows x (D, n) are determined by earlier ones, and by which.

    What is left of them beside the others, in rows without a missing cell, is less than the rounding of the data.
    """
    places = np.array(among, np.intp)
    rows = x[places][:, ~np.isnan(x[places]).any(axis=0)]
    sd = columns.sd[places]
    if rows.shape[1] <= len(places) or not (sd > 0).all():
        return {}
    z = (rows - rows.mean(axis=1, keepdims=True)) / sd[:, None]
    correlation = z @ z.T / z.shape[1]
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
