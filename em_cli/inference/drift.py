"""Whether rows to come still follow a fit: by their densities, the shares of the components, and column by column.

Two samples are compared, and the variances of both count: the fitted rows too are a sample. These have been drawn
towards by their fit: by p/n nats each, for p parameters (Akaike 1973).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.inference.tails import LEAST, above, below

SIZE = 0.01  # of the test


@dataclass(frozen=True, slots=True)
class Compared:
    """A difference of means, in its standard errors."""

    fitted: float
    new: float
    z: float
    p: float


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """How far the distribution of a column is from the model's."""

    distance: float  # largest of the distribution functions, or largest difference of the shares of levels
    p: float


def density_drift(fitted: tuple[float, float, float], new: tuple[float, float, float], n_parameters: int) -> Compared:
    """Of log-densities per row, given as mean, standard deviation and number; lower than they should be: one-sided."""
    (old, old_sd, n), (mean, sd, m) = fitted, new
    error = sqrt(sd**2 / m + old_sd**2 / n)
    z = (mean - old + n_parameters / n) / error if error > 0 else 0.0
    return Compared(old, mean, z, below(z))


def share_drift(old: float, old_sd: float, n: float, new: float, new_sd: float, m: float) -> Compared:
    """Of responsibilities of a component: two-sided."""
    error = sqrt(new_sd**2 / m + old_sd**2 / n)
    z = (new - old) / error if error > 0 else 0.0
    return Compared(old, new, z, 2 * below(-abs(z)))


def column_drift(values: Array, weights: Array, m: float, drawn: Array, n_fitted: float) -> ColumnDrift:
    """Of the cells of a column of numbers, under weights that are worth m rows, and those (M,) of rows from the model,
    by Kolmogorov and Smirnov.

    The probability integral transforms of the cells would be uniform. That the model is an estimate, from so many
    rows, is allowed for as if they were a second sample.
    """
    from scipy.special import kolmogorov

    order = np.argsort(values, kind="stable")
    both, up_to = np.sort(np.concatenate([values, drawn])), np.concatenate([[0.0], np.cumsum(weights[order])])
    ours = up_to[np.searchsorted(values[order], both, "right")] / up_to[-1]
    theirs = np.searchsorted(np.sort(drawn), both, "right") / len(drawn)
    distance = float(np.abs(ours - theirs).max())
    size = 1 / (1 / m + 1 / n_fitted + 1 / len(drawn))
    return ColumnDrift(distance, max(LEAST, float(kolmogorov(sqrt(size) * distance))))


def level_drift(codes: Array, weights: Array, m: float, drawn: Array, n_levels: int, n_fitted: float) -> ColumnDrift:
    """The same of codes of levels, by chi-squared."""
    ours = np.bincount(codes.astype(np.intp), weights, minlength=n_levels)
    theirs = np.bincount(drawn.astype(np.intp), minlength=n_levels)
    expected = (theirs + 0.5) / (len(drawn) + n_levels / 2)
    apart = ours / ours.sum() - expected
    size = 1 / (1 / m + 1 / n_fitted + 1 / len(drawn))
    statistic = float((size * apart**2 / expected).sum())
    return ColumnDrift(float(np.abs(apart).max()), above(statistic, n_levels - 1))


def together(*several: list[float]) -> float:
    """One p-value of groups of tests, each group and each test in it counted (Bonferroni)."""
    groups = [min(1.0, len(group) * min(group)) for group in several if group]
    return min(1.0, len(groups) * min(groups, default=1.0))
