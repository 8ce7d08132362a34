"""Bayes' rule by rows: what latent structures of independent labels have in common."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.assignment import SOFT, Assignment
from em_cli.engine.cache import scratch

RULED_OUT = -1e300  # the log-density of what cannot be; finite, so that no difference is undefined
NEGLIGIBLE = -700.0  # of the log of a responsibility: less would make no difference, but slow `exp` down tenfold


def honour_labels(log_density: Array, labels: Integers | None) -> None:
    """Rule out (R, L, n), in place, the outcomes that rows of known component (n,) do not belong to."""
    if labels is not None:
        other = (labels >= 0) & (labels != np.arange(log_density.shape[1])[:, None])
        np.copyto(log_density, RULED_OUT, where=other)


def bayes(
    log_density: Array, weights: Array | None, assignment: Assignment = SOFT, first_row: int = 0
) -> tuple[Array, Array | None]:
    """The log-likelihood (R, n) of rows, from the joint log-densities (R, L, n) of row and outcome.

    These are overwritten by what the assignment makes of the responsibilities, times the weights (n,) or (R, n).
    With it what the assignment climbs, (R, n), where that is another objective.
    """
    log_likelihood: Array
    if assignment.inverse_temperature != 1.0:
        log_likelihood, _ = bayes(log_density.copy(), None)
        log_density *= assignment.inverse_temperature
        tempered, _ = bayes(log_density, weights)
        return log_likelihood, np.divide(tempered, assignment.inverse_temperature, out=tempered)
    if log_density.shape[1] == 1:
        log_likelihood = log_density[:, 0].copy()
        log_density[...] = 1.0 if weights is None else weights[..., None, :]
        return log_likelihood, None
    log_likelihood = np.maximum.reduce(log_density, axis=1)
    largest = log_likelihood[:, None]
    spare = scratch("spare", *largest.shape)  # the allocator would hand such arrays back to the system each time
    np.subtract(log_density, largest, out=log_density)
    spare.fill(NEGLIGIBLE)  # a number takes twice as long as rows of it: each is a loop of its own
    np.maximum(log_density, spare, out=log_density)  # not before: in 1e19 nats they drown
    np.exp(log_density, out=log_density)
    own = None if assignment.objective == SOFT.objective else log_likelihood.copy()
    total = np.add.reduce(log_density, axis=1, keepdims=True, out=scratch("total", *largest.shape))
    np.add(largest, np.log(total, out=spare), out=largest)
    if assignment is not SOFT:
        assignment.settle(log_density, first_row)
        np.add.reduce(log_density, axis=1, keepdims=True, out=total)
    if own is not None:
        own += np.log(total, out=spare)[:, 0]
    np.divide(1.0 if weights is None else weights[..., None, :], total, out=total)  # `reciprocal` takes twice as long
    np.multiply(log_density, total, out=log_density)
    return log_likelihood, own


def weighted_sum(log_likelihood: Array, weights: Array | None) -> Array:
    """Of rows (R, n), (R,)."""
    total: Array = np.add.reduce(log_likelihood, axis=1) if weights is None else np.vecdot(log_likelihood, weights)
    return total
