"""The Dirichlet prior that fits best to what is believed of many draws (Minka 2000, Estimating a Dirichlet)."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array

SMALLEST, LARGEST = 1e-4, 1e4  # of a concentration
STEPS = 30
AT_REST = 1e-10  # relative change


def fitted(alpha: Array, expected_log: Array, n: int) -> Array:
    """α (R, K) of highest expected log-density, from a start; `expected_log` (R, K) is summed over the n draws.

    Newton's steps with the inverse of a diagonal and a constant; where one does not ascend, Minka's fixed point.
    """
    if alpha.shape[-1] == 1:
        return alpha  # the share is one, whatever the law
    mean = expected_log / n
    objective = _objective(alpha, mean)
    for _ in range(STEPS):
        tried = np.clip(_newton(alpha, mean), SMALLEST, LARGEST)
        reached = _objective(tried, mean)
        if (down := ~(reached > objective)).any():
            tried[down] = np.clip(_fixed_point(alpha[down], mean[down]), SMALLEST, LARGEST)
            reached = _objective(tried, mean)
        up = reached > objective
        change = np.abs(tried - alpha).max(axis=-1) / alpha.max(axis=-1)
        alpha, objective = np.where(up[:, None], tried, alpha), np.where(up, reached, objective)
        if not (up & (change > AT_REST)).any():
            break
    return alpha


def _objective(alpha: Array, mean: Array) -> Array:
    """(R,) the expected log-density of a draw; its mean logarithms left out where they are constant."""
    from scipy.special import gammaln

    objective: Array = gammaln(alpha.sum(axis=-1)) + (alpha * mean - gammaln(alpha)).sum(axis=-1)
    return objective


def _newton(alpha: Array, mean: Array) -> Array:
    """One step, of which none more than halves a concentration."""
    from scipy.special import digamma, polygamma

    total = alpha.sum(axis=-1, keepdims=True)
    slope = digamma(total) - digamma(alpha) + mean
    own, common = -polygamma(1, alpha), polygamma(1, total)
    shift = (slope / own).sum(axis=-1, keepdims=True) / (1 / common + (1 / own).sum(axis=-1, keepdims=True))
    stepped: Array = np.maximum(alpha - (slope - shift) / own, alpha / 2)
    return stepped


def _fixed_point(alpha: Array, mean: Array) -> Array:
    from scipy.special import digamma

    return _inverse_digamma(digamma(alpha.sum(axis=-1, keepdims=True)) + mean)


def _inverse_digamma(y: Array) -> Array:
    """By Newton's steps from Minka's start: five give all digits."""
    from scipy.special import digamma, polygamma

    x = np.where(y >= -2.22, np.exp(np.minimum(y, 30.0)) + 0.5, -1 / np.minimum(y - digamma(1.0), -1e-9))
    for _ in range(5):
        x = np.maximum(x - (digamma(x) - y) / polygamma(1, x), 1e-12)
    return x
