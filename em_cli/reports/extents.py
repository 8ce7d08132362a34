"""From where to where columns are drawn, and which of them along a logarithmic axis."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports.finished_run import FinishedRun

SKEWED = 1.0  # skewness of a column of positive numbers, above which its axis is logarithmic where that helps
MARGIN = 0.06  # beside the values, of the range that they take


def skewed(run: FinishedRun, place: int) -> bool:
    """Whether a column has a tail so long that only a logarithmic axis shows where most of it is: it gets one."""
    return long_tailed(run, place, run.shown.x[place])


def long_tailed(run: FinishedRun, place: int, cells: Array) -> bool:
    """Whether cells (n,) of a column have such a tail; those that are missing do not count."""
    x = cells[~np.isnan(cells)]
    if run.mass(place) is not None or run.column(place).type == "angle" or x.size < 3 or x.min() <= 0:
        return False
    return skewness(x) > SKEWED and abs(skewness(np.log(x))) < skewness(x) / 2


def skewness(x: Array) -> float:
    """The third standardised moment."""
    sd = x.std()
    return float((((x - x.mean()) / sd) ** 3).mean()) if sd > 0 else 0.0


def extent(run: FinishedRun, place: int) -> tuple[float, float]:
    """From where to where a column is drawn: a little wider than the values that are shown."""
    lowest, highest = float(np.nanmin(run.shown.x[place])), float(np.nanmax(run.shown.x[place]))
    if skewed(run, place):
        margin = (highest / lowest) ** MARGIN
        return lowest / margin, highest * margin
    return wider(run, place, lowest, highest)


def wider(run: FinishedRun, place: int, lowest: float, highest: float) -> tuple[float, float]:
    """A little wider than from the lowest to the highest value of a column, but within what its values can be."""
    margin = MARGIN * (highest - lowest) or 0.5
    support = run.support_of(place)
    return support.drawn(lowest, highest, margin) if support else (lowest - margin, highest + margin)
