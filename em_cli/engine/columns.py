"""What a family must know of the columns before it sees a row: location, scale, resolution."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.patterns import codes, decoded, grouped
from em_cli.engine.rows import Source
from em_cli.engine.sweep_operator import likeliest_normal

RELATIVE_RESOLUTION = 1e-6  # of the standard deviation, where the data do not show a resolution of their own
HASH = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ over the golden ratio
PATTERN_FLOATS = 1 << 21  # of second moments by pattern of missing cells; where there are more, the rarest are left out


@dataclass(frozen=True, slots=True)
class Columns:
    """Location and scale of each column, in the user's units; every array is (D,) unless it says otherwise."""

    mean: Array  # of the observed cells
    sd: Array
    centre: Array  # the mean, and
    covariance: Array  # (D, D) the covariance of greatest likelihood, by what is observed
    largest: Array  # largest distance of a value from the mean
    lowest: Array
    highest: Array
    resolution: Array  # the smallest difference that the data can show
    n_distinct: Integers  # values of each, at least
    gaps: Flags  # whether cells may be missing
    patterns: Flags  # (P, D) cells that are missing together, without those that only few rows lack
    n_rows: int

    @property
    def unit(self) -> Array:
        """(D,) the standard deviation, or one where a column is constant."""
        return np.where(self.sd > 0, self.sd, 1.0)

    def standardized(self, x: Array) -> Array:
        """The rows (D, n) from the mean, in units."""
        standardized: Array = (x - self.mean[:, None]) / self.unit[:, None]
        return standardized

    def select(self, indices: Integers) -> Columns:
        """The same of some columns."""
        return Columns(
            self.mean[indices],
            self.sd[indices],
            self.centre[indices],
            self.covariance[np.ix_(indices, indices)],
            self.largest[indices],
            self.lowest[indices],
            self.highest[indices],
            self.resolution[indices],
            self.n_distinct[indices],
            self.gaps[indices],
            np.unique(self.patterns[:, indices], axis=0),
            self.n_rows,
        )


def unit_columns(n_columns: int, gaps: Flags | None = None) -> Columns:
    """Columns of which nothing is known: coordinates are the user's units, nothing is a collapse."""
    ones, zeros, infinite = np.ones(n_columns), np.zeros(n_columns), np.full(n_columns, np.inf)
    gaps = np.zeros(n_columns, np.bool_) if gaps is None else gaps
    none, patterns = np.zeros(n_columns, np.intp), np.zeros((0, n_columns), np.bool_)
    eye = np.eye(n_columns)
    return Columns(zeros, ones, zeros, eye, infinite, -infinite, infinite, zeros, none, gaps, patterns, 0)


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
    largest = np.maximum(highest - mean, mean - lowest)
    if gaps.any():
        centre, covariance, patterns = _likeliest(source, mean, sd)
    else:
        centre, covariance, patterns = mean, _covariance(source, mean, sd), np.zeros((1, d), np.bool_)
    return Columns(mean, sd, centre, covariance, largest, lowest, highest, resolution, distinct, gaps, patterns, n)


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
        z = (block.x - mean[:, None]) / scale[:, None]
        weighted = z if block.weights is None else z * block.weights
        total += weighted @ z.T
        weight += z.shape[1] if block.weights is None else float(block.weights.sum())
    covariance: Array = total / weight * np.outer(scale, scale)
    return covariance


def _likeliest(source: Source, mean: Array, sd: Array) -> tuple[Array, Array, Flags]:
    """Mean and covariance of greatest likelihood, and the patterns (P, D) of missing cells."""
    scale = np.where(sd > 0, sd, 1.0)
    patterns, sums = _by_pattern(source, mean, scale)
    shift, covariance = likeliest_normal(sums, patterns)
    return mean + scale * shift, covariance * np.outer(scale, scale), patterns


def _by_pattern(source: Source, mean: Array, scale: Array) -> tuple[Flags, Array]:
    """Patterns (P, D) and Σ (1, z)(1, z)ᵀ (P, 1 + D, 1 + D) of their rows, zero where cells are missing."""
    d = len(mean)
    found = grouped(np.concatenate([codes(source[b].x) for b in range(len(source))], axis=1))
    counts = np.diff(found.bounds)
    kept = np.sort(np.argsort(-counts, kind="stable")[: max(1, PATTERN_FLOATS // (1 + d) ** 2)])
    places = np.full(len(counts), -1)
    places[kept] = np.arange(len(kept))
    place = np.repeat(places, counts)
    if found.order is not None:
        place[found.order] = place.copy()
    sums, first = np.zeros((len(kept), 1 + d, 1 + d)), 0
    for b in range(len(source)):
        block = source[b]
        z = np.ones((1 + d, block.x.shape[1]))
        z[1:] = np.nan_to_num((block.x - mean[:, None]) / scale[:, None], nan=0.0)
        groups = grouped(place[None, first : first + z.shape[1]].astype(np.float64))
        first += z.shape[1]
        ordered, weights = z, block.weights
        if groups.order is not None:
            ordered, weights = z.take(groups.order, axis=1), None if weights is None else weights[groups.order]
        for pattern, rows in zip(groups.codes[0].astype(np.intp), groups.slices, strict=True):
            if pattern >= 0:
                some = ordered[:, rows]
                sums[pattern] += (some if weights is None else some * weights[rows]) @ some.T
    return decoded(found.codes[:, kept], d), sums


def _joined(parts: list[Array | None]) -> Array | None:
    return None if parts[0] is None else np.concatenate([part for part in parts if part is not None])
