"""Bins of a histogram."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array

FEWEST, MOST = 8, 48
COARSE = 200  # distinct values, of which bins must hold equally many


def edges(values: Array) -> Array:
    """Of the width of Freedman & Diaconis (1981) or less, for there may be several groups.

    Of rounded values it is a multiple of their resolution.
    """
    lowest, highest = float(values.min()), float(values.max())
    spread = highest - lowest
    if not spread:
        return np.array([lowest - 0.5, lowest + 0.5])
    quarter, three = np.quantile(values, [0.25, 0.75])
    width = 2 * float(three - quarter) / len(values) ** (1 / 3)
    fewest = min(max(FEWEST, np.sqrt(len(values))), MOST)
    width = min(max(width, spread / MOST), spread / fewest)
    distinct = np.unique(values)
    resolution = float(np.diff(distinct).min())
    if len(distinct) > COARSE or resolution < spread / 1e4:
        count = int(np.ceil(spread / width))
        return np.linspace(lowest, highest, count + 1)
    steps = round(spread / resolution) + 1
    widest = max(1, round(width / resolution))
    each = max(range(max(1, -(-2 * widest // 3)), widest + 1), key=lambda m: (-(-steps % m), m))  # the last as full
    count = -(-steps // each)
    return np.asarray(lowest + resolution * (each * np.arange(count + 1) - 0.5), np.float64)
