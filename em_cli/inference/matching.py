"""Which component of one mixture is which of another: the least symmetric Kullback-Leibler distance on the rows.

Unlike order, means or responsibilities, it holds for every family, and where components overlap or differ in spread.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import numpy as np

from em_cli.engine.arrays import Array, Integers

IMPOSSIBLE = -1e4  # stands for the log of a density of zero
FORBIDDEN = 1e3  # times all distances
MOST_LISTED = 5  # components, of which all assignments are looked at together
ROUNDING = 1e-9  # nats: a distance below it may be none
AMBIGUOUS = 0.1  # nats by which the best assignment is better than the next


@dataclass(frozen=True, slots=True, eq=False)
class Matching:
    """Components (M,) of a first mixture and those (M,) of a second that they are, with distances in nats."""

    first: Integers
    second: Integers
    distance: Array  # (M,)
    margins: Array  # (M,) by how much every assignment without the pair is farther in all; infinite where none is

    @property
    def margin(self) -> float:
        """The least of them."""
        return float(self.margins.min(initial=np.inf))

    @property
    def ambiguous(self) -> bool:
        return self.margin < AMBIGUOUS


@dataclass(frozen=True, slots=True, eq=False)
class Likeness:
    """Of the components of two mixtures: sums over rows, of which the distances are made."""

    first: Array  # (K,) Σ r_k
    second: Array  # (…, L) Σ s_l
    forth: Array  # (…, K, L) Σ r_k (log f_k − log g_l)
    back: Array  # (…, K, L) Σ s_l (log g_l − log f_k)

    def __add__(self, other: Likeness) -> Likeness:
        return Likeness(
            self.first + other.first, self.second + other.second, self.forth + other.forth, self.back + other.back
        )

    @property
    def distances(self) -> Array:
        """(…, K, L) Σ r_k (log f_k − log g_l) / N_k + Σ s_l (log g_l − log f_k) / N_l."""
        tiny = np.finfo(float).tiny
        first, second = np.maximum(self.first, tiny)[:, None], np.maximum(self.second, tiny)[..., None, :]
        found: Array = self.forth / first + self.back / second
        return np.where(found > ROUNDING, found, 0.0)


def likeness(r: Array, log_density: Array, s: Array, other: Array) -> Likeness:
    """By responsibilities r (K, n), s (…, L, n) and log-densities (K, n), (…, L, n), mixing weights left out."""
    f, g = np.maximum(log_density, IMPOSSIBLE), np.maximum(other, IMPOSSIBLE)
    forth = (r * f).sum(axis=-1)[:, None] - r @ g.swapaxes(-1, -2)
    back = (s * g).sum(axis=-1)[..., None, :] - (s @ f.T).swapaxes(-1, -2)
    return Likeness(r.sum(axis=-1), s.sum(axis=-1), forth, back)


def distances(r: Array, log_density: Array, s: Array, other: Array) -> Array:
    """(…, K, L) the same, of all rows together."""
    return likeness(r, log_density, s, other).distances


def orders(costs: Array) -> tuple[Integers, Array]:
    """(R, K) which of the second components each of the first is, for costs (R, K, K); and the margins (R,)."""
    k = costs.shape[-1]
    if k > MOST_LISTED:
        each = [matched(cost) for cost in costs]
        return np.array([found.second for found in each]), np.array([found.margin for found in each])
    every = np.array(list(permutations(range(k))), np.intp)
    totals = costs[:, np.arange(k), every].sum(axis=-1)  # (R, K!)
    best = totals.argmin(axis=1)
    least = totals[np.arange(len(totals)), best]
    totals[np.arange(len(totals)), best] = np.inf
    return every[best], totals.min(axis=1) - least


def matched(cost: Array) -> Matching:
    """The assignment of least distance in all (Kuhn 1955)."""
    from scipy.optimize import linear_sum_assignment

    first, second = linear_sum_assignment(cost)
    least, margins = cost[first, second].sum(), np.full(len(first), np.inf)
    for place, pair in enumerate(zip(first, second, strict=True)):
        without = cost.copy()
        without[pair] = FORBIDDEN * (1 + cost.sum())
        margins[place] = without[linear_sum_assignment(without)].sum() - least
    margins[margins >= 1 + cost.sum()] = np.inf
    return Matching(first, second, cost[first, second], margins)
