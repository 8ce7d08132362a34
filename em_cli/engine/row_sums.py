"""Sums over rows that are in memory, whose features need not all be there at once."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.family import BoundFamily

MOST_FEATURES = 1 << 22  # floats, of all rows together
OF_PART = 1 << 20  # where they are more


def parts_of_rows(n_rows: int, n_features: int) -> Iterator[slice]:
    """All rows, or so many at a time that their features are few; it depends on nothing else."""
    if n_rows * n_features <= MOST_FEATURES:
        return iter((slice(0, n_rows),))
    step = max(1, OF_PART // n_features)
    return (slice(first, min(first + step, n_rows)) for first in range(0, n_rows, step))


def features_of(family: BoundFamily, x: Array) -> Array:
    """(F, n) of the rows x (D, n)."""
    features = np.empty((family.n_features(), x.shape[1]))
    family.features(x, features)
    return features


def sums_of_rows(family: BoundFamily, x: Array, masses: Array, at: object) -> Array:
    """The statistics (R, K, S) of the rows x (D, n) with masses (R, K, n), in a frame or in none."""
    return sum_of(
        family.statistics(features_of(family, x[:, some]), masses[..., some], at)
        for some in parts_of_rows(x.shape[1], family.n_features())
    )


def sum_of(parts: Iterator[Array]) -> Array:
    """Of at least one, in their order."""
    total = next(parts)
    for part in parts:
        total = total + part
    return total
