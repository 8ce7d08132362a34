"""The covariance of highest penalised likelihood, by an L1 norm of its inverse (Friedman, Hastie & Tibshirani 2008).

Entry by entry, each to its maximum in closed form (Scheinberg & Rish 2009, SINCO), which settles what is zero, and
steps of Newton for the others: every step ascends.
"""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array

TURNS = 50
AT_REST = 1e-9  # what a turn gains, in nats of a row
MOST_FREE = 500  # entries for which Newton's equations are solved
HALVINGS = 6


def graphical_lasso(scatter: Array, penalty: Array, start: Array) -> Array:
    """Precisions Ω (…, D, D), from positive definite ones, that maximise log |Ω| − tr(SΩ) − Σ ρ |Ω_ij| over i ≠ j.

    S (…, D, D) has no zero on its diagonal; ρ (…, D, D) is symmetric. Each has the bits that it has alone.
    """
    d = scatter.shape[-1]
    s, rho, found = (np.array(a, np.float64).reshape(-1, d, d) for a in (scatter, penalty, start))
    climbing, objective = np.arange(len(s)), _objective(found, s, rho)
    for _ in range(TURNS):
        own = _swept(s[climbing], rho[climbing], found[climbing])
        if d * (d + 1) <= 2 * MOST_FREE:
            own = _newton(s[climbing], rho[climbing], own)
        reached = _objective(own, s[climbing], rho[climbing])
        found[climbing], gained, objective[climbing] = own, reached - objective[climbing], reached
        climbing = climbing[gained > AT_REST]
        if not len(climbing):
            break
    return found.reshape(scatter.shape)


def _objective(precision: Array, s: Array, rho: Array) -> Array:
    """(n,) the objective; −∞ where it is not positive definite."""
    values = np.linalg.eigvalsh(precision)
    definite = values[:, 0] > 0
    logs = np.log(np.where(definite[:, None], values, 1.0)).sum(axis=1)
    norm = (rho * np.abs(precision)).sum(axis=(1, 2)) - np.einsum("nii,nii->n", rho, np.abs(precision))
    return np.where(definite, logs - (s * precision).sum(axis=(1, 2)) - norm, -np.inf)


def _newton(s: Array, rho: Array, precision: Array) -> Array:
    """A step for the entries that are not zero, as far as it ascends; those that would change sign become zero."""
    i, j = np.triu_indices(s.shape[-1])
    w, entry, half = _inverse(precision), precision[:, i, j], np.where(i == j, 0.5, 1.0)
    free = entry != 0
    slope = 2 * half * (w[:, i, j] - s[:, i, j] - np.where(i == j, 0.0, rho[:, i, j] * np.sign(entry)))
    bend = w[:, i[:, None], i] * w[:, j[:, None], j] + w[:, i[:, None], j] * w[:, j[:, None], i]
    bend *= 2 * half[:, None] * half
    bend = np.where(free[:, :, None] & free[:, None], bend, np.eye(len(i)))
    step = np.linalg.solve(bend, np.where(free, slope, 0.0)[..., None])[..., 0]
    best, objective, share = precision.copy(), _objective(precision, s, rho), 1.0
    searching = np.ones(len(s), bool)
    for _ in range(HALVINGS):
        moved = entry + share * step
        moved[moved * entry <= 0] = 0.0
        tried = np.empty_like(precision)
        tried[:, i, j] = tried[:, j, i] = moved
        reached = _objective(tried, s, rho)
        higher = searching & (reached > objective)
        best[higher] = tried[higher]
        searching &= ~higher
        share /= 2
        if not searching.any():
            break
    return best


def _swept(s: Array, rho: Array, precision: Array) -> Array:
    """Every entry once at its best, the others held; the inverse W is kept along."""
    omega, w = precision.copy(), _inverse(precision)
    for j in range(s.shape[-1]):
        for i in range(j):
            step, left = _step(omega[:, i, j], w[:, i, i], w[:, j, j], w[:, i, j], s[:, i, j], rho[:, i, j])
            one, two = w[:, i].copy(), w[:, j].copy()
            omega[:, i, j] = omega[:, j, i] = left
            within = 1 + step * w[:, i, j]
            share = step / (within * within - step * step * w[:, i, i] * w[:, j, j])
            towards = (step * w[:, j, j])[:, None] * one - within[:, None] * two
            back = (step * w[:, i, i])[:, None] * two - within[:, None] * one
            w += share[:, None, None] * (one[:, :, None] * towards[:, None] + two[:, :, None] * back[:, None])
        step = 1 / s[:, j, j] - 1 / w[:, j, j]
        omega[:, j, j] += step
        column = w[:, j].copy()
        w -= (step / (1 + step * column[:, j]))[:, None, None] * (column[:, :, None] * column[:, None])
    return omega


def _inverse(matrices: Array) -> Array:
    return np.asarray(np.linalg.inv(matrices), np.float64)


def _step(entry: Array, w_ii: Array, w_jj: Array, w_ij: Array, s: Array, rho: Array) -> tuple[Array, Array]:
    """How far (n,) an entry and its mirror go, and where they come to: 0 between the maxima of both signs."""
    area = w_ii * w_jj - w_ij * w_ij

    def best(slope: Array) -> Array:
        """Where log(1 + 2θ w − θ² (w_ii w_jj − w²)) − 2θ slope is highest."""
        root = np.sqrt(area * area + 4 * slope * slope * w_ii * w_jj)
        return np.asarray(2 * (w_ij - slope) / (area + 2 * slope * w_ij + root))

    up, down = best(s + rho), best(s - rho)
    step = np.where(entry + up > 0, up, np.where(entry + down < 0, down, -entry))
    left = np.where((entry + up > 0) | (entry + down < 0), entry + step, 0.0)
    return step, left
