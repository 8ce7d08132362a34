"""What a family must know of the columns before it sees a row: location, scale, resolution."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers

WIDE = 500  # columns; of more, nothing is computed for pairs unless a family asks


class Joint(Protocol):
    """The overall covariance of the columns, known or to be found."""

    @property
    def covariance(self) -> Array:
        """(D, D) that of greatest likelihood, by what is observed."""

    @property
    def variances(self) -> Array:
        """(D,) its diagonal."""

    def select(self, indices: Integers) -> Joint:
        """The same of some columns."""


@dataclass(frozen=True, slots=True, eq=False)
class Known:
    covariance: Array

    @property
    def variances(self) -> Array:
        return np.diagonal(self.covariance)

    def select(self, indices: Integers) -> Known:
        return Known(self.covariance[np.ix_(indices, indices)])


@dataclass(frozen=True, slots=True, eq=False)
class Apart:
    """Columns that are taken as independent, where there are too many to look at pairs."""

    variances: Array

    @property
    def covariance(self) -> Array:
        return np.diag(self.variances)

    def select(self, indices: Integers) -> Apart:
        return Apart(self.variances[indices])


@dataclass(frozen=True, eq=False)
class Columns:
    """Location and scale of each column, in the user's units; every array is (D,) unless it says otherwise."""

    mean: Array  # of the observed cells
    sd: Array
    centre: Array  # the mean, and
    joint: Joint  # how they vary together
    largest: Array  # largest distance of a value from the mean
    lowest: Array
    highest: Array
    resolution: Array  # the smallest difference that the data can show
    n_distinct: Integers  # values of each, at least
    commonest: Array  # value of each, and
    commonest_share: Array  # of the weight of the observed cells that bear it
    gaps: Flags  # whether cells may be missing
    patterns: Flags  # (P, D) cells that are missing together, without those that only few rows lack
    n_rows: int
    weight: Array  # of the observed cells: how many, or the sum of the weights of their rows

    @cached_property
    def covariance(self) -> Array:
        """(D, D) of greatest likelihood, by what is observed."""
        return self.joint.covariance

    @cached_property
    def unit(self) -> Array:
        """(D,) the standard deviation, or one where a column is constant."""
        return np.where(self.sd > 0, self.sd, 1.0)

    @cached_property
    def positive_unit(self) -> Array:
        """(D,) the mean, or one where it is not above zero: what positive quantities are relative to."""
        return np.where(self.mean > 0, self.mean, 1.0)

    @cached_property
    def log_sd(self) -> Array:
        """(D,) of logarithms, were they normal: that of a lognormal variable of the same mean and variance."""
        variance = np.log1p((self.sd / self.positive_unit) ** 2)
        return np.sqrt(np.where(variance > 0, variance, 1.0))

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
            self.joint.select(indices),
            self.largest[indices],
            self.lowest[indices],
            self.highest[indices],
            self.resolution[indices],
            self.n_distinct[indices],
            self.commonest[indices],
            self.commonest_share[indices],
            self.gaps[indices],
            np.unique(self.patterns[:, indices], axis=0),
            self.n_rows,
            self.weight[indices],
        )


def unit_columns(n_columns: int, gaps: Flags | None = None) -> Columns:
    """Columns of which nothing is known: coordinates are the user's units, nothing is a collapse."""
    ones, zeros, infinite = np.ones(n_columns), np.zeros(n_columns), np.full(n_columns, np.inf)
    gaps = np.zeros(n_columns, np.bool_) if gaps is None else gaps
    none, patterns = np.zeros(n_columns, np.intp), np.zeros((0, n_columns), np.bool_)
    apart = Apart(ones)
    return Columns(
        zeros, ones, zeros, apart, infinite, -infinite, infinite, zeros, none, zeros, zeros, gaps, patterns, 0, zeros
    )
