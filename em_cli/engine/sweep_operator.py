"""Normal vectors some of whose elements are missing, by the sweep operator (Little & Rubin 2019, §7.4).

A quadratic form (1, z) Q (1, z)ᵀ swept on the missing elements of z holds what it is at best for
the others (the exponent of their marginal density), and the regression of the missing elements on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from em_cli.engine.arrays import Array, Flags

ITERATIONS = (5, 100)  # of EM for one normal distribution, at least and at most
WORK = 4e8  # numbers that it rewrites in all
SETTLED = 1e-7  # change of a moment, in standard deviations, at which it rests
NUGGET = 1e-8  # of a variance: keeps what hardly varies invertible


Step = tuple[int, int, list[int]]  # how many elements were swept before, the next one, and the patterns that lack these


@dataclass(frozen=True, slots=True, eq=False)
class Lacking:
    """Patterns of missing elements, as the sweep operator wants them; 1 + D stands for (1, z)."""

    missing: Flags  # (P, D)

    count: Array = field(init=False, repr=False)  # (P, 1, 1) of missing elements
    steps: list[Step] = field(init=False, repr=False)
    observed: Array = field(init=False, repr=False)  # (P, 1, 1, 1 + D, 1 + D) identity, zero for what is missing
    regressed: Array = field(init=False, repr=False)  # -1 where a missing element meets an observed one
    unknown: Array = field(init=False, repr=False)  # -1 where two missing elements meet

    def __post_init__(self) -> None:
        p, d = self.missing.shape
        lacks = np.concatenate([np.zeros((p, 1), np.bool_), self.missing], axis=1)[:, None, None]
        rows, columns = lacks[..., :, None], lacks[..., None, :]
        object.__setattr__(self, "count", self.missing.sum(axis=1)[:, None, None])
        object.__setattr__(self, "steps", _steps(self.missing))
        object.__setattr__(self, "observed", np.eye(1 + d) * ~rows)
        object.__setattr__(self, "regressed", -(rows & ~columns).astype(np.float64))
        object.__setattr__(self, "unknown", -(rows & columns).astype(np.float64))


def quadratic(mean: Array, precision: Array) -> Array:
    """(…, 1 + D, 1 + D) of the Mahalanobis distance."""
    linear = np.einsum("...ij,...j->...i", precision, mean)
    form = np.empty((*mean.shape[:-1], mean.shape[-1] + 1, mean.shape[-1] + 1))
    form[..., 1:, 1:] = precision
    form[..., 0, 1:] = form[..., 1:, 0] = -linear
    form[..., 0, 0] = np.einsum("...i,...i->...", linear, mean)
    return form


def _steps(missing: Flags) -> list[Step]:
    """The sweeps of all patterns (P, D), those that begin alike done once: every step follows one of as many before."""
    steps: list[Step] = [(-1, 0, [])]
    before: list[int] = []
    for own, p in sorted((np.flatnonzero(lacks).tolist(), p) for p, lacks in enumerate(missing)):
        alike = next((place for place, pair in enumerate(zip(before, own, strict=False)) if pair[0] != pair[1]), None)
        first = min(len(before), len(own)) if alike is None else alike
        steps += [(place, 1 + own[place], []) for place in range(first, len(own))]
        steps[-1][2].append(p)
        before = own
    return steps


def swept(form: Array, lacking: Lacking) -> tuple[Array, Array]:
    """Forms (R, K, 1 + D, 1 + D) swept on what each pattern lacks, one for each; log-determinants (P, R, K) of that."""
    lead, e, p = form.shape[:-2], form.shape[-1], len(lacking.missing)
    some = form.reshape(-1, e * e)
    forms, log_determinant = np.empty((p, *some.shape)), np.empty((p, len(some)))
    depth = 2 + max(place for place, _, _ in lacking.steps)
    stack, logs = np.empty((depth, e, e, len(some))), np.zeros((depth, len(some)))
    stack[0] = some.T.reshape(e, e, -1)
    for place, j, who in lacking.steps:
        if place >= 0:
            logs[place + 1] = logs[place] + _sweep(stack[place], j, stack[place + 1])
        for own in who:
            forms[own] = stack[place + 1].reshape(e * e, -1).T
            log_determinant[own] = logs[place + 1]
    return forms.reshape(p, *lead, e, e), log_determinant.reshape(p, *lead)


def _sweep(forms: Array, j: int, out: Array) -> Array:
    """Write forms (1 + D, 1 + D, N) swept on element j; the logarithms (N,) of the pivots."""
    column, pivot = forms[:, j], forms[j, j]
    ratio = column / pivot
    np.multiply(column[:, None], ratio, out=out)
    np.subtract(forms, out, out=out)
    out[j] = out[:, j] = ratio
    out[j, j] = -1 / pivot
    logs: Array = np.log(pivot)
    return logs


def conditional(forms: Array, lacking: Lacking) -> tuple[Array, Array]:
    """From swept forms: maps of (1, z), zero where z is missing, to its expectation; conditional covariances."""
    return forms * lacking.regressed + lacking.observed, forms * lacking.unknown


def completed(sums: Array, fill: Array, spread: Array) -> Array:
    """Expected Σ (1, z)(1, z)ᵀ (…, 1 + D, 1 + D), from what such sums are with zeros where z is missing."""
    total: Array = fill @ sums @ np.swapaxes(fill, -1, -2)
    total += sums[..., :1, :1] * spread
    return total


def likeliest_normal(sums: Array, missing: Flags) -> tuple[Array, Array]:
    """Mean (D,) and covariance (D, D) of greatest likelihood, given sums (P, 1 + D, 1 + D) of (1, z)(1, z)ᵀ by pattern.

    By EM; the elements of z are centred and scaled, and zero where they are missing.
    """
    d, lacking = missing.shape[1], Lacking(missing)
    n, mean, covariance = sums[:, 0, 0].sum(), np.zeros(d), np.eye(d)
    affordable = WORK / (1 + missing.sum() * (1 + d) ** 2)
    for _ in range(int(np.clip(affordable, *ITERATIONS))):
        factor = np.linalg.inv(np.linalg.cholesky(covariance + NUGGET * np.eye(d))).astype(np.float64, copy=False)
        forms, _ = swept(quadratic(mean, factor.T @ factor)[None, None], lacking)
        total = completed(sums[:, None, None], *conditional(forms, lacking)).sum(axis=0)[0, 0] / n
        before, mean = (mean, covariance), total[0, 1:]
        covariance = total[1:, 1:] - np.outer(mean, mean)
        covariance = 0.5 * (covariance + covariance.T)
        if max(np.abs(mean - before[0]).max(), np.abs(covariance - before[1]).max()) < SETTLED:
            break
    return mean, covariance + NUGGET * np.eye(d)
