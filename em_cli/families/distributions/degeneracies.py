"""When a component of independent columns is degenerate."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import Columns
from em_cli.engine.family import Degeneracy

INDEPENDENT = 15  # distinct rows that support a component, however many its columns


def floor(columns: Columns, narrowest: float = 0.0) -> Array:
    """(D,) standard deviations below which no component may be.

    They are those of rounding to the resolution of the data, or what a family can resolve,
    relative to the standard deviation of the column.
    """
    rounding: Array = np.maximum(columns.resolution / np.sqrt(12), 1e-300)
    return np.maximum(rounding, narrowest * columns.sd) if narrowest else rounding


def degeneracies(at_resolution: Flags, variance: Array, support: Array) -> list[Degeneracy | None]:
    """From flags (K, D) and variances (K, D) relative to those of the columns: the rules of `Gaussian.degenerate`."""
    d = at_resolution.shape[1]
    narrowest, low = variance.min(axis=1), np.logical_or.reduce(at_resolution, axis=1)
    needed = min(d + 1, INDEPENDENT)
    few = (support <= needed) | (narrowest < 1e-3)
    weak = (narrowest < 1e-6) | (few & (support < 5 * needed))
    reasons: list[Degeneracy | None] = []
    for k in range(len(support)):
        if low[k]:
            reasons.append(Degeneracy("its variance is at the resolution of the data", True))
        elif weak[k]:
            reasons.append(Degeneracy(f"it rests on {support[k]:.3g} distinct rows, too few to trust", False))
        else:
            reasons.append(None)
    return reasons
