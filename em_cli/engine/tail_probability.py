"""How unlikely rows are: the probability that a row drawn from the model has no higher density than this one.

It is that of the highest-density region which ends at the row (Hyndman 1996). A row with missing cells is compared
with what the same columns of drawn rows are worth.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from em_cli.engine import patterns
from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.scoring import score_rows

ENOUGH = 100  # draws of no higher density: the probability is then known to a tenth
AT_ONCE = 1 << 12  # draws
NUMBERS = 1 << 22  # squares of columns, over all draws at once
SAME = 1e-9  # relative difference of log-densities that are the same but for rounding


@dataclass(frozen=True, slots=True, eq=False)
class Densities:
    """Rows, as far as it matters how likely they are."""

    log_density: Array  # (n,)
    pattern: Integers  # (n,) which cells are missing: a place in the next
    patterns: Flags  # (P, D)

    @classmethod
    def of(cls, log_density: Array, codes: Array, n_columns: int) -> Densities:
        """Of rows (n,) whose missing cells have the codes (C, n)."""
        groups = patterns.grouped(codes)
        order = np.arange(len(log_density)) if groups.order is None else groups.order
        pattern = np.empty(len(log_density), np.intp)
        pattern[order] = np.repeat(np.arange(groups.codes.shape[1]), np.diff(groups.bounds))
        return cls(log_density, pattern, patterns.decoded(groups.codes, n_columns))


@dataclass(frozen=True, slots=True, eq=False)
class Tails:
    probability: Array  # (n,)
    draws: int  # at most, of any row; 0 if the probabilities are exact


def tail_probabilities(model: Model, parameters: Parameters, rows: Densities, alpha: float, seed: int) -> Tails:
    """Of rows that are units by themselves; the model is ready for their missing cells.

    Exact for one elliptic component. Else by draws, and as many as tell a probability of `alpha` to a tenth: c of m
    draws being no likelier, it is (c + 1)/(m + 1). Rows that lack the same cells share their draws, which end as soon
    as all these rows have been met often enough (Besag & Clifford 1991).
    """
    exact = _of_ellipsoid(model, parameters, rows)
    if exact is not None:
        return Tails(exact, 0)
    met, trials, drawn = np.zeros(len(rows.log_density)), np.zeros(len(rows.patterns)), 0
    limit, of_pattern = _limit(rows.log_density), _by_pattern(rows)
    lowest = np.array([rows.log_density[own].min() for own in of_pattern])
    for p, densities, drawn in _draws(model, parameters, rows.patterns, lowest, alpha, seed):
        met[of_pattern[p]] += np.searchsorted(densities, limit[of_pattern[p]], "right")
        trials[p] = drawn
    return Tails((met + 1) / (trials[rows.pattern] + 1), drawn)


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """Draws that rows are compared with: the least likely, which tell a tail probability of at most `alpha`."""

    model: Model
    parameters: Parameters
    patterns: Flags  # (P, D)
    least: list[Array]  # of each pattern, log-densities in ascending order; none where probabilities are exact
    trials: Array  # (P,) of how many draws they are the least
    draws: int  # at most; 0 if the probabilities are exact

    def tails(self, log_density: Array, pattern: Integers) -> Array:
        """Tail probabilities (n,) up to alpha, as `tail_probabilities` has them; others are told too low, but above."""
        rows = Densities(log_density, pattern, self.patterns)
        if not self.draws:
            exact = _of_ellipsoid(self.model, self.parameters, rows)
            assert exact is not None, "there are no draws"
            return exact
        limit, met = _limit(log_density), np.zeros(len(log_density))
        for least, own in zip(self.least, _by_pattern(rows), strict=True):
            met[own] = np.searchsorted(least, limit[own], "right")
        tails: Array = (met + 1) / (self.trials[pattern] + 1)
        return tails


def reference(
    model: Model, parameters: Parameters, patterns: Flags, lowest: Array, alpha: float, seed: int
) -> Reference:
    """Of rows of these patterns (P, D), the least likely of which have these log-densities (P,)."""
    none = Densities(np.empty(0), np.empty(0, np.intp), patterns)
    trials, drawn, least = np.zeros(len(patterns)), 0, [np.empty(0)] * len(patterns)
    if _of_ellipsoid(model, parameters, none) is None:
        kept = 1 + int(alpha * (1 + draws_for(alpha) + batch_size(patterns.shape[1])))
        for p, densities, drawn in _draws(model, parameters, patterns, lowest, alpha, seed):
            least[p] = np.sort(np.concatenate([least[p], densities[:kept]]))[:kept]
            trials[p] = drawn
    return Reference(model, parameters, patterns, least, trials, drawn)


def _draws(
    model: Model, parameters: Parameters, patterns: Flags, lowest: Array, alpha: float, seed: int
) -> Iterator[tuple[int, Array, int]]:
    """Of each pattern in turn the sorted log-densities of draws, and how many have been made by then."""
    batch = batch_size(patterns.shape[1])
    wanted, drawn, limit, met = draws_for(alpha), 0, _limit(lowest), np.zeros(len(patterns))
    unsure = list(range(len(patterns)))
    while unsure and drawn < wanted:
        x, _ = model.sample(parameters, batch, np.random.default_rng((seed, drawn)))
        drawn += batch
        for p in unsure:
            seen = np.where(patterns[p][:, None], np.nan, x)
            densities = np.sort(score_rows(model, parameters, seen).log_density)
            met[p] += np.searchsorted(densities, limit[p], "right")
            yield p, densities, drawn
        unsure = [p for p in unsure if met[p] < ENOUGH]


def _limit(log_density: Array) -> Array:
    """Up to where a density is no higher, but for rounding."""
    limit: Array = log_density + SAME * (1 + np.abs(log_density))
    return limit


def draws_for(alpha: float) -> int:
    """As many as tell a probability of alpha to a tenth."""
    return int(np.ceil(ENOUGH / alpha))


def batch_size(n_columns: int) -> int:
    return int(np.clip(NUMBERS // n_columns**2, 1 << 8, AT_ONCE))


def _by_pattern(rows: Densities) -> list[Integers]:
    order = np.argsort(rows.pattern, kind="stable")
    bounds = np.searchsorted(rows.pattern[order], np.arange(len(rows.patterns) + 1))
    return [order[first:stop] for first, stop in pairwise(bounds)]


def _of_ellipsoid(model: Model, parameters: Parameters, rows: Densities) -> Array | None:
    """(n,) exactly, where contours of the density are ellipsoids about one place; None where they are not.

    How far out a row is, is told by how much lower its density is than there: it has a chi-squared distribution, or
    that of F for t components.
    """
    from scipy.special import betainc, gammaincc

    elliptic = model.family.elliptic
    if elliptic is None or model.n_outcomes > 1:
        return None
    found = elliptic.ellipsoids(parameters.components)
    if len(found) != 1 or len(found[0].columns) < rows.patterns.shape[1] or not found[0].exact:
        return None
    location = found[0].locations[0]
    peak = score_rows(model, parameters, np.where(rows.patterns.T, np.nan, location[:, None])).log_density
    lower = np.maximum(peak[rows.pattern] - rows.log_density, 0.0)
    half = np.maximum((~rows.patterns).sum(axis=1)[rows.pattern], 1) / 2  # without a cell, nothing is lower
    if found[0].dof is None:
        tail: Array = gammaincc(half, lower)
    else:
        dof = found[0].dof[0]
        tail = betainc(dof / 2, half, np.exp(-lower / (dof / 2 + half)))
    return tail
