"""The cells that a distribution describes: what its columns are called, hold, and look like."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import Columns
from em_cli.families.distributions import positive

EDGE = 1e-4  # of the unit interval, which is drawn up to there


def _anything(x: Array) -> str | None:
    return None


def _alone(place: int) -> tuple[int, ...] | None:
    return ()


def _unlimited(lowest: float, highest: float, margin: float) -> tuple[float, float]:
    return lowest - margin, highest + margin


@dataclass(frozen=True, slots=True)
class Support:
    """Which cells may be, and coordinates in which their distances mean something."""

    requirement: str  # what a cell must be, in words that follow "must be"
    holds: Callable[[Array], Flags]  # which numbers (D, n) may be cells
    embedding: Callable[[Array, Columns], Array]  # (E, n) of cells (D, n); a missing cell may be NaN
    whole: bool = False  # cells are counts or codes: the likelihood is bounded
    drawn: Callable[[float, float, float], tuple[float, float]] = _unlimited  # from lowest, highest and margin
    refuses: Callable[[Array], str | None] = _anything  # what is wrong with cells that may be one by one, by their ends
    beside: Callable[[int], tuple[int, ...] | None] = _alone  # which columns must be known for it

    def allows(self, x: Array) -> Flags:
        """Which cells (D, n) may be; one that is missing may be anything."""
        allowed: Flags = np.isnan(x) | (self.holds(x) & np.isfinite(x))
        return allowed


def _fourth_roots(x: Array, columns: Columns) -> Array:
    """They are nearly normal whatever the rate of exponential variables; their variance is near one."""
    embedded: Array = 4 * (x / positive.unit(columns)[:, None]) ** 0.25
    return embedded


def _square_roots(x: Array, columns: Columns) -> Array:
    """They have nearly the same variance whatever the rate of Poisson variables (Anscombe 1948)."""
    return 2 * np.sqrt(x + 0.375)


def unit_interval_moments(columns: Columns) -> tuple[Array, Array]:
    """(D,) mean and variance of columns of proportions; those of a uniform variable, where they are unknown."""
    mean, variance = columns.mean, columns.sd**2
    known = (mean > 0) & (mean < 1) & (variance > 0)
    return np.where(known, mean, 0.5), np.where(known, variance, 1 / 12)


def _arcsines(x: Array, columns: Columns) -> Array:
    """Of roots: their variance does not depend on the mean of beta variables."""
    mean, variance = (part[:, None] for part in unit_interval_moments(columns))
    embedded: Array = 2 * np.sqrt(mean * (1 - mean) / variance) * np.arcsin(np.sqrt(x))
    return embedded


def _within_reach_of_zero(lowest: float, highest: float, margin: float) -> tuple[float, float]:
    return max(lowest - margin, lowest * 0.1), highest + margin


def _within_the_unit_interval(lowest: float, highest: float, margin: float) -> tuple[float, float]:
    return max(lowest - margin, EDGE), min(highest + margin, 1 - EDGE)


def _doubled(x: Array, columns: Columns) -> Array:
    """The variance is one where both are as likely."""
    return 2 * x


def counts(x: Array) -> Flags:
    """Which numbers are whole, and not negative."""
    return np.asarray((x >= 0) & (x == np.rint(x)))


NUMBERS = Support("any number", np.isfinite, lambda x, columns: columns.standardized(x))
POSITIVE = Support("a number > 0", lambda x: x > 0, positive.embedding, drawn=_within_reach_of_zero)
NON_NEGATIVE = Support("a number ≥ 0", lambda x: x >= 0, _fourth_roots, drawn=_within_reach_of_zero)
PROPORTIONS = Support(
    "a number between 0 and 1, neither of them",
    lambda x: (x > 0) & (x < 1),
    _arcsines,
    drawn=_within_the_unit_interval,
)
COUNTS = Support("a whole number ≥ 0", counts, _square_roots, whole=True)
YES_OR_NO = Support("0 or 1", lambda x: (x == 0) | (x == 1), _doubled, whole=True)
