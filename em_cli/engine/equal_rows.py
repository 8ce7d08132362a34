"""Which rows are equal, told by two hashes of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from em_cli.engine.arrays import Array
from em_cli.engine.rows import Source

FACTORS = np.array([0x9E3779B97F4A7C15, 0xD1342543DE82EF95], np.uint64)  # odd, their bits without a pattern
SHIFT = np.uint64(32)

Hashes = NDArray[np.uint64]


def hashes(x: Array) -> Hashes:
    """(2, n) of the rows x (D, n); a missing cell is a value of its own."""
    found = np.zeros((2, x.shape[1]), np.uint64)
    for values in x:
        cells = np.where(np.isnan(values), np.nan, values + 0.0).view(np.uint64)  # one NaN for all; -0.0 is 0.0
        for own, factor in zip(found, FACTORS, strict=True):
            own ^= cells
            own *= factor
            own ^= own >> SHIFT
    return found


def copies(parts: Sequence[Hashes]) -> Array | None:
    """(n,) How many rows are equal to each of those of all parts; None if no two rows are."""
    first, second = parts[0] if len(parts) == 1 else np.concatenate(parts, axis=1)
    ordered = np.sort(first)
    if (ordered[1:] != ordered[:-1]).all():
        return None
    order = np.lexsort((second, first))
    starts = np.ones(len(order), np.bool_)
    np.logical_or(first[order[1:]] != first[order[:-1]], second[order[1:]] != second[order[:-1]], out=starts[1:])
    if starts.all():
        return None
    counts = np.empty(len(order))
    bounds = np.append(np.flatnonzero(starts), len(order))
    counts[order] = np.repeat(np.diff(bounds), np.diff(bounds))
    return counts


def multiplicity(source: Source) -> Array | None:
    """(n,) How many rows are equal to each; None if no two are. Each block is read once."""
    return copies([hashes(source[index].x) for index in range(len(source))])
