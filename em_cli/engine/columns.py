"""What a family must know of the columns before it sees a row: location, scale, resolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.protocols import Source

RELATIVE_RESOLUTION = 1e-6  # of the standard deviation, where the data do not show a resolution of their own
HASH = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ over the golden ratio


@dataclass(frozen=True, slots=True)
class Columns:
    """Location and scale of each column, in the user's units; every array is (D,) unless it says otherwise."""

    mean: Array
    sd: Array
    covariance: Array  # (D, D), maximum likelihood
    largest: Array  # largest distance of a value from the mean
    lowest: Array
    highest: Array
    resolution: Array  # the smallest difference that the data can show
    n_distinct: Integers  # values of each, at least
    gaps: Flags  # whether cells may be missing
    n_rows: int

    def select(self, indices: Integers) -> Columns:
        """The same of some columns."""
        return Columns(
            self.mean[indices],
            self.sd[indices],
            self.covariance[np.ix_(indices, indices)],
            self.largest[indices],
            self.lowest[indices],
            self.highest[indices],
            self.resolution[indices],
            self.n_distinct[indices],
            self.gaps[indices],
            self.n_rows,
        )


def unit_columns(n_columns: int, gaps: Flags | None = None) -> Columns:
    """Columns of which nothing is known: coordinates are the user's units, nothing is a collapse."""
    ones, zeros, infinite = np.ones(n_columns), np.zeros(n_columns), np.full(n_columns, np.inf)
    gaps = np.zeros(n_columns, np.bool_) if gaps is None else gaps
    none = np.zeros(n_columns, np.intp)
    return Columns(zeros, ones, np.eye(n_columns), infinite, -infinite, infinite, zeros, none, gaps, 0)


def summarize(source: Source) -> Columns:
    """Summarise the observed cells of the columns, one at a time; sums are centred, so an offset costs no digits."""
    n, d = source.n_rows, source.n_columns
    weights = _joined([source[b].weights for b in range(len(source))])
    mean, sd, resolution, lowest, highest = np.empty((5, d))
    distinct, gaps = np.empty(d, np.intp), np.zeros(d, np.bool_)
    for j in range(d):
        values = np.concatenate([source[b].x[j] for b in range(len(source))])
        seen = ~np.isnan(values)
        gaps[j] = not seen.all()
        if gaps[j]:
            values = values[seen]
        lowest[j], highest[j] = values.min(), values.max()
        mean[j], sd[j] = _moments(values, weights[seen] if weights is not None and gaps[j] else weights)
        smallest = 0.0
        if n not in distinct[:j] or (at_least := _fewest_distinct(values)) < len(values) / 2:
            distinct[j], gap = _distinct(values)
            smallest = gap if distinct[j] < len(values) / 2 else 0.0
        else:  # rows are known to differ, and this column is not rounded
            distinct[j] = at_least
        resolution[j] = max(smallest, RELATIVE_RESOLUTION * sd[j])
    largest, covariance = np.maximum(highest - mean, mean - lowest), _covariance(source, mean, sd)
    return Columns(mean, sd, covariance, largest, lowest, highest, resolution, distinct, gaps, n)


def _moments(values: Array, weights: Array | None) -> tuple[float, float]:
    """Mean and standard deviation."""
    mean = values[0] + np.average(values - values[0], weights=weights)
    centred = values - mean
    return mean, np.sqrt(np.average(np.square(centred, out=centred), weights=weights))


def _distinct(values: Array) -> tuple[int, float]:
    """How many values differ, and by how little; the values are sorted in place."""
    values.sort()
    gaps = np.diff(values)
    gaps = gaps[gaps > 0]
    return len(gaps) + 1, float(gaps.min()) if len(gaps) else 0.0


def _fewest_distinct(values: Array) -> int:
    """At least so many values differ: those that a hash tells apart, in a fraction of the time that sorting takes."""
    bits = len(values).bit_length()
    seen = np.zeros(1 << bits, np.bool_)
    hashes = (values + 0.0).view(np.uint64)  # -0.0 is no value of its own
    hashes *= HASH
    hashes >>= np.uint64(64 - bits)
    seen[hashes.view(np.intp)] = True
    return int(np.count_nonzero(seen))


def multiplicity(source: Source, columns: Columns) -> Array | None:
    """How many rows (n,) are equal to each row; None if no two are."""
    n = source.n_rows
    if columns.n_distinct.max() == n:
        return None
    code = np.zeros(n, np.intp)
    for j in np.argsort(-columns.n_distinct, kind="stable"):
        values = np.concatenate([source[b].x[j] for b in range(len(source))])  # a missing cell is a value of its own
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
        z = np.nan_to_num((block.x - mean[:, None]) / scale[:, None], nan=0.0)
        weighted = z if block.weights is None else z * block.weights
        total += weighted @ z.T
        weight += z.shape[1] if block.weights is None else float(block.weights.sum())
    covariance: Array = total / weight * np.outer(scale, scale)
    return covariance


def _joined(parts: list[Array | None]) -> Array | None:
    return None if parts[0] is None else np.concatenate([part for part in parts if part is not None])
