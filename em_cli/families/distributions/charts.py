"""Local coordinates for climbs that use gradients, of distributions that know their Fisher information."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.distributions.distribution import Values

LARGEST_LOG = 15.0  # of a quantity relative to that at the base point


class Unconstrained(Protocol):
    """A distribution with m parameters of each column that can be moved freely, each array (…, K, D)."""

    def steps(self, base: Values, values: Values) -> Values:
        """The m steps that lead from the base to the values."""

    def moved(self, base: Values, steps: Values) -> Values:
        """The inverse of `steps`."""

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        """The m derivatives of the log-likelihood by the steps."""

    def information(self, values: Values) -> list[list[Array]]:
        """m × m, of one cell, in terms of the steps."""


class InformationChart:
    """The steps, times a root of the information of the cells that a component bears.

    A parameter on which there is no information, as a rate of zero, stays where it is.
    """

    def __init__(self, of: Unconstrained, base: Values, weight: Array) -> None:
        self.of, self.base = of, base
        rows = np.maximum(weight, 1.0)[..., None]
        self.root = _cholesky([[rows * part for part in line] for line in of.information(base)])

    def coordinates(self, values: Values) -> Array:
        steps, m = self.of.steps(self.base, values), len(self.root)
        return _in_a_row([sum(self.root[j][i] * steps[j] for j in range(i, m)) for i in range(m)])

    def values(self, u: Array) -> Values:
        m = len(self.root)
        apart = u.reshape(*u.shape[:-1], m, *self.root[0][0].shape[-2:])
        steps = [apart[..., i, :, :] for i in range(m)]
        for i in reversed(range(m)):
            for j in range(i + 1, m):
                steps[i] = steps[i] - self.root[j][i] * steps[j]
            steps[i] = _divided(steps[i], self.root[i][i])
        moved = self.of.moved(self.base, tuple(steps))
        return tuple(np.broadcast_to(value, steps[0].shape) for value in moved)

    def gradient(self, weight: Array, sums: Array, values: Values) -> Array:
        score = list(self.of.score(weight, sums, values))
        for i in range(len(score)):
            for j in range(i):
                score[i] = score[i] - self.root[i][j] * score[j]
            score[i] = _divided(score[i], self.root[i][i])
        return _in_a_row(score)


def _in_a_row(parts: Sequence[Array | float]) -> Array:
    """(…, P) of parts (…, K, D) each."""
    whole = np.stack(parts, axis=-3)
    return whole.reshape(*whole.shape[:-3], -1)


def _cholesky(matrix: list[list[Array]]) -> list[list[Array]]:
    """Lower triangular factors of many small matrices, zero where the matrix is."""
    root: list[list[Array]] = []
    for i, line in enumerate(matrix):
        root.append([])
        for j in range(i + 1):
            rest = line[j]
            for known in range(j):
                rest = rest - root[i][known] * root[j][known]
            root[i].append(np.sqrt(np.maximum(rest, 0.0)) if i == j else _divided(rest, root[j][j]))
    return root


def _divided(numerator: Array, root: Array) -> Array:
    quotient: Array = numerator / np.where(root > 0, root, np.inf)
    return quotient


def log_ratio(base: Array, values: Array) -> Array:
    """Of quantities that are not negative; zero, where one of them is zero."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where((base > 0) & (values > 0), np.log(values / base), 0.0)


def scaled(base: Array, logs: Array) -> Array:
    """The inverse of `log_ratio`, within reason."""
    moved: Array = base * np.exp(np.clip(logs, -LARGEST_LOG, LARGEST_LOG))
    return moved


def log_odds_ratio(base: Array, values: Array) -> Array:
    """Of probabilities; zero, where one of them is zero or one."""
    inside = (values > 0) & (values < 1) & (base > 0) & (base < 1)
    p, q = np.where(inside, values, 0.5), np.where(inside, base, 0.5)
    ratio: Array = np.log(p / q) - np.log((1 - p) / (1 - q))
    return ratio


def with_odds_scaled(base: Array, logs: Array) -> Array:
    """The inverse of `log_odds_ratio`, within reason."""
    odds = base * np.exp(np.clip(logs, -LARGEST_LOG, LARGEST_LOG))
    moved: Array = odds / (odds + (1 - base))
    return moved
