"""What a family must know of the columns before it sees a row: location, scale, resolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.protocols import Source

RELATIVE_RESOLUTION = 1e-6  # of the standard deviation, where the data do not show a resolution of their own


@dataclass(frozen=True, slots=True)
class Columns:
    """Location and scale of each column, in the user's units; every array is (D,) unless it says otherwise."""

    mean: Array
    sd: Array
    covariance: Array  # (D, D), maximum likelihood
    largest: Array  # largest distance of a value from the mean
    resolution: Array  # the smallest difference that the data can show
    n_distinct: Integers
    n_rows: int

    def select(self, indices: Integers) -> Columns:
        """The same of some columns."""
        return Columns(
            self.mean[indices],
            self.sd[indices],
            self.covariance[np.ix_(indices, indices)],
            self.largest[indices],
            self.resolution[indices],
            self.n_distinct[indices],
            self.n_rows,
        )


def unit_columns(n_columns: int) -> Columns:
    """Columns of which nothing is known: coordinates are the user's units, nothing is a collapse."""
    ones, zeros = np.ones(n_columns), np.zeros(n_columns)
    return Columns(zeros, ones, np.eye(n_columns), np.full(n_columns, np.inf), zeros, np.zeros(n_columns, np.intp), 0)


def summarize(source: Source) -> Columns:
    """Summarise the columns, one at a time; sums are centred, so an offset costs no digits."""
    n, d = source.n_rows, source.n_columns
    weights = _joined([source[b].weights for b in range(len(source))])
    mean, largest, resolution, distinct = np.empty(d), np.empty(d), np.empty(d), np.empty(d, np.intp)
    sd = np.empty(d)
    for j in range(d):
        values = np.concatenate([source[b].x[j] for b in range(len(source))])
        mean[j] = values[0] + np.average(values - values[0], weights=weights)
        centred = values - mean[j]
        sd[j] = np.sqrt(np.average(centred * centred, weights=weights))
        largest[j] = np.abs(centred).max()
        values.sort()
        gaps = np.diff(values)
        gaps = gaps[gaps > 0]
        distinct[j] = len(gaps) + 1
        smallest = gaps.min() if len(gaps) and distinct[j] < n / 2 else 0.0
        resolution[j] = max(smallest, RELATIVE_RESOLUTION * sd[j])
    return Columns(mean, sd, _covariance(source, mean, sd), largest, resolution, distinct, n)


def multiplicity(source: Source, columns: Columns) -> Array | None:
    """How many rows (n,) are equal to each row; None if no two are."""
    n = source.n_rows
    if columns.n_distinct.max() == n:
        return None
    code = np.zeros(n, np.intp)
    for j in np.argsort(-columns.n_distinct, kind="stable"):
        values = np.concatenate([source[b].x[j] for b in range(len(source))])
        _, inverse = np.unique(values, return_inverse=True)
        distinct, code = np.unique(code * (inverse.max() + 1) + inverse, return_inverse=True)
        if len(distinct) == n:
            return None
    counts = np.bincount(code)
    return counts[code].astype(np.float64)


def _covariance(source: Source, mean: Array, sd: Array) -> Array:
    scale = np.where(sd > 0, sd, 1.0)
    total, weight = np.zeros((len(mean), len(mean))), 0.0
    for b in range(len(source)):
        block = source[b]
        z = (block.x - mean[:, None]) / scale[:, None]
        weighted = z if block.weights is None else z * block.weights
        total += weighted @ z.T
        weight += z.shape[1] if block.weights is None else float(block.weights.sum())
    covariance: Array = total / weight * np.outer(scale, scale)
    return covariance


def _joined(parts: list[Array | None]) -> Array | None:
    return None if parts[0] is None else np.concatenate([part for part in parts if part is not None])
