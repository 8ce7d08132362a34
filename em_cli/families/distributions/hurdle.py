"""Amounts beside one value that many rows bear: a point mass there, a continuous distribution elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.column_summary import RELATIVE_RESOLUTION
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.engine.family import Degeneracy
from em_cli.families.distributions.bernoulli import SMALLEST
from em_cli.families.distributions.charts import log_odds_ratio, with_odds_scaled
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.declared import Coordinates, Declaration, Declared, Formulas
from em_cli.families.distributions.degeneracies import degeneracies
from em_cli.families.distributions.distribution import TINY, Framed, Values
from em_cli.families.distributions.parameters import from_zero_to_one
from em_cli.families.distributions.support import Support

NARROW, FEWEST_NARROW = 1e-3, 10.0  # variance beside that of the column; distinct rows of a component so narrow
VALUE = "at which the point mass stands; that of most rows, if it is not given"
SHARES = Parameter("value_probabilities", from_zero_to_one())


class Continuous(Formulas, Framed, Coordinates, Protocol):
    """What stands beside the point mass: the formulas of a distribution whose components can be narrow."""

    def relative_variance(self, values: Values) -> Array:
        """(K, D) of each component, in the coordinates of the starts, where that of the column is about one."""

    def at_resolution(self, values: Values) -> Flags:
        """Which columns (K, D) of components are held up only by the resolution of the data."""


def support_beside(value: float | None, elsewhere: Support) -> Support:
    """The cells of columns with a point mass at the value, or at their commonest, and others elsewhere."""
    at = "the value of the point mass" if value is None else f"{value:.15g}"

    def holds(x: Array) -> Flags:
        allowed: Flags = np.isfinite(x) if value is None else (x == value) | elsewhere.holds(x)
        return allowed

    def embedding(x: Array, columns: Columns) -> Array:
        """Twice [x = value], as of yes or no, and where a cell is among the others; at the value that is nowhere."""
        place, share = _masses(value, columns)
        there = x == place[:, None]
        beside = _beside(columns, place, share)
        amounts = elsewhere.embedding(np.where(there, _somewhere(beside)[:, None], x), beside)
        return np.concatenate([np.where(np.isnan(x), np.nan, 2.0 * there), np.where(there, np.nan, amounts)])

    return replace(elsewhere, requirement=f"{at}, or {elsewhere.requirement}", holds=holds, embedding=embedding)


def bound(
    family: Declaration, value: float | None, columns: Columns, continuous: Callable[[Columns], Continuous]
) -> Columnwise:
    """The family with a point mass at the value, or at the commonest value of each column."""
    at, share = _masses(value, columns)
    beside = _beside(columns, at, share)
    own = HurdleDistribution(at, share, continuous(beside), _somewhere(beside))
    declared = Declared(family, own, columns, coordinates=own, degeneracies=own.degenerate)
    return Columnwise(declared, columns, framed=own)


def _masses(value: float | None, columns: Columns) -> tuple[Array, Array]:
    """Where the point masses (D,) stand, and the share (D,) of the cells that are known to be there."""
    at = columns.commonest if value is None else np.full_like(columns.mean, value)
    return at, np.where(at == columns.commonest, columns.commonest_share, 0.0)


def _somewhere(beside: Columns) -> Array:
    """(D,) a cell that any continuous distribution can hold."""
    return np.where(beside.mean > 0, beside.mean, 1.0)


def _beside(columns: Columns, at: Array, share: Array) -> Columns:
    """The columns without the cells at the value, which are so large a share of them."""
    left = np.where(share < 1, 1 - share, 1.0)
    mean = columns.mean - share * (at - columns.mean) / left
    within = columns.sd**2 - share * (at - columns.mean) ** 2 / left
    sd = np.sqrt(np.maximum(within / left, (RELATIVE_RESOLUTION * columns.sd) ** 2))
    return replace(columns, mean=mean, sd=sd)


@dataclass(frozen=True, slots=True, eq=False)
class HurdleDistribution:
    """The value with probability ω, else a cell of the continuous distribution (Cragg 1971).

    The density is with respect to a unit mass at the value and length elsewhere. Features are [x = value] and
    [x ≠ value], then those of the continuous distribution, zero at the value: the M-step of ω and that of the
    continuous distribution know nothing of each other.
    """

    at: Array  # (D,) the value
    share: Array  # (D,) of the cells of the column that are there
    beside: Continuous
    somewhere: Array  # (D,) a cell that it can hold

    def features(self, x: Array, out: Array) -> None:
        d = len(x)
        at, other, continuous = out[:d], out[d : 2 * d], out[2 * d :]
        np.equal(x, self.at[:, None], out=at)
        np.subtract(1.0, at, out=other)
        self.beside.features(self._elsewhere(x), continuous)
        there = at > 0
        for first in range(0, len(continuous), d):
            continuous[first : first + d][there] = 0.0

    def _elsewhere(self, x: Array) -> Array:
        """The cells, with one that the continuous distribution can hold instead of the value."""
        return np.where(x == self.at[:, None], self.somewhere[:, None], x)

    def base_measure(self, x: Array) -> Array:
        return np.where(x == self.at[:, None], 0.0, self.beside.base_measure(self._elsewhere(x)))

    def natural(self, values: Values) -> tuple[Array, Array]:
        constant, slopes = self.beside.natural(values[1:])
        at, other = _logs(values[0])
        return np.zeros_like(at), np.concatenate([at, other + constant, slopes], axis=-1)

    def concentrated(self, values: Values) -> Flags:
        return self.beside.concentrated(values[1:])

    def log_density_about(self, cells: Array, observed: Flags | None, values: Values) -> Array:
        d = len(self.at)
        at, other = _logs(values[0])
        total = self.beside.log_density_about(cells[2 * d :], cells[d : 2 * d] > 0, values[1:])
        for j in range(d):
            total += at[:, [j]] * cells[j] + other[:, [j]] * cells[d + j]
        return total

    def sums_about(self, cells: Array, observed: Flags | None, responsibilities: Array, values: Values) -> Array:
        d = len(self.at)
        continuous = self.beside.sums_about(cells[2 * d :], cells[d : 2 * d] > 0, responsibilities, values[1:])
        masses = [np.einsum("tn,n->t", responsibilities, cells[j]) for j in range(2 * d)]
        return np.concatenate([np.stack(masses, axis=-1), continuous], axis=-1)

    def maximize(self, weight: Array, sums: Array) -> Values:
        at, other, continuous = self._parted(sums)
        return (at / np.maximum(at + other, TINY), *self.beside.maximize(*self._seen(other, continuous)))

    def maximize_about(self, weight: Array, sums: Array, values: Values) -> Values:
        at, other, continuous = self._parted(sums)
        unseen = other < TINY
        own = self.beside.maximize_about(np.where(unseen, 1.0, other), continuous, values[1:])
        typical = self.beside.maximize(*self._seen(np.zeros_like(other), continuous))
        parts = [np.where(unseen, *pair) for pair in zip(typical, own, strict=True)]
        return (at / np.maximum(at + other, TINY), *parts)

    def _parted(self, sums: Array) -> tuple[Array, Array, Array]:
        """Weights at the value and elsewhere, and what the continuous distribution has summed."""
        d = len(self.at)
        return sums[..., :d], sums[..., d : 2 * d], sums[..., 2 * d :]

    def _seen(self, weight: Array, sums: Array) -> tuple[Array, Array]:
        """Those of a typical cell where no cell was seen."""
        unseen = weight < TINY
        if not unseen.any():
            return weight, sums
        wide = np.concatenate([unseen] * (sums.shape[-1] // unseen.shape[-1]), axis=-1)
        return np.where(unseen, 1.0, weight), np.where(wide, self.beside.typical(), sums)

    def typical(self) -> Array:
        return self._with_masses(self.beside.typical())

    def typical_about(self, values: Values) -> Array:
        return self._with_masses(self.beside.typical_about(values[1:]))

    def _with_masses(self, continuous: Array) -> Array:
        """Sums of a typical cell, from those of one that is not at the value."""
        d, other = len(self.at), 1 - self.share
        masses = np.broadcast_to(np.concatenate([self.share, other]), (*continuous.shape[:-1], 2 * d))
        return np.concatenate([masses, np.tile(other, continuous.shape[-1] // d) * continuous], axis=-1)

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]:
        """By the cells elsewhere: those at the value make no likelihood high, and may be one distinct row."""
        other = 1 - values[0]
        at_resolution = self.beside.at_resolution(values[1:]) & (other > 0)
        variance = np.where(other > 0, self.beside.relative_variance(values[1:]), 1.0)
        rows = np.where((other > 0.5).any(axis=-1), support, np.inf)
        of_all = degeneracies(at_resolution, variance, rows)
        amounts = np.where(variance < NARROW, support[:, None] * other, np.inf)
        few = np.where(amounts < FEWEST_NARROW, amounts, np.inf)
        return [
            found or (_of_amounts(float(rows.min()), int(rows.argmin())) if rows.min() < np.inf else None)
            for found, rows in zip(of_all, few, strict=True)
        ]

    def moments(self, values: Values) -> tuple[Array, Array]:
        share, (mean, sd) = values[0], self.beside.moments(values[1:])
        away = mean - self.at
        with np.errstate(over="ignore", invalid="ignore"):
            spread = np.sqrt((1 - share) * (sd**2 + share * away**2))
            return np.where(share < 1, self.at + (1 - share) * away, self.at), np.where(share < 1, spread, 0.0)

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        there = rng.random(values[0].shape) < values[0]
        return np.where(there, self.at, self.beside.sample(values[1:], rng))

    def steps(self, base: Values, values: Values) -> Values:
        return (log_odds_ratio(base[0], values[0]), *self.beside.steps(base[1:], values[1:]))

    def moved(self, base: Values, steps: Values) -> Values:
        return (with_odds_scaled(base[0], steps[0]), *self.beside.moved(base[1:], steps[1:]))

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        at, other, continuous = self._parted(sums)
        by_share = (1 - values[0]) * at - values[0] * other
        seen = self.beside.score(np.where(other < TINY, 1.0, other), continuous, values[1:])
        return (by_share, *(np.where(other < TINY, 0.0, part) for part in seen))

    def information(self, values: Values) -> list[list[Array]]:
        other = 1 - values[0]
        rest = [[other * part for part in line] for line in self.beside.information(values[1:])]
        none = np.zeros_like(other)
        first = [values[0] * other, *[none for _ in rest]]
        return [first, *([none, *line] for line in rest)]


def _of_amounts(rows: float, column: int) -> Degeneracy:
    return Degeneracy(f"its amounts are narrow and rest on {rows:.3g} distinct rows only", False, (column,))


def _logs(share: Array) -> tuple[Array, Array]:
    """Of the probabilities of the value, and of any other."""
    return np.log(np.maximum(share, SMALLEST)), np.log(np.maximum(1 - share, SMALLEST))
