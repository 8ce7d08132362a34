"""Normal vectors some of whose elements are missing, by the sweep operator (Little & Rubin 2019, §7.4).

A quadratic form (1, z) Q (1, z)ᵀ swept on the missing elements of z holds what it is at best for
the others (the exponent of their marginal density), and the regression of the missing elements on them.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers

ITERATIONS = (5, 100)  # of EM for one normal distribution, at least and at most
WORK = 4e8  # numbers that it rewrites in all
SETTLED = 1e-7  # change of a moment, in standard deviations, at which it rests
NUGGET = 1e-8  # of a variance: keeps what hardly varies invertible


@dataclass(frozen=True, slots=True, eq=False)
class Lacking:
    """Patterns of missing elements, as the sweep operator wants them; 1 + D stands for (1, z)."""

    missing: Flags  # (P, D)

    count: Array = field(init=False, repr=False)  # (P, 1, 1) of missing elements
    swept: list[tuple[int, Integers]] = field(init=False, repr=False)  # elements of (1, z), and who lacks them
    observed: Array = field(init=False, repr=False)  # (P, 1, 1, 1 + D, 1 + D) identity, zero for what is missing
    regressed: Array = field(init=False, repr=False)  # -1 where a missing element meets an observed one
    unknown: Array = field(init=False, repr=False)  # -1 where two missing elements meet

    def __post_init__(self) -> None:
        p, d = self.missing.shape
        lacks = np.concatenate([np.zeros((p, 1), np.bool_), self.missing], axis=1)[:, None, None]
        rows, columns = lacks[..., :, None], lacks[..., None, :]
        object.__setattr__(self, "count", self.missing.sum(axis=1)[:, None, None])
        someone = np.flatnonzero(self.missing.any(axis=0))
        object.__setattr__(self, "swept", [(1 + int(j), np.flatnonzero(self.missing[:, j])) for j in someone])
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


def swept(form: Array, lacking: Lacking) -> tuple[Array, Array]:
    """Forms (R, K, 1 + D, 1 + D) swept on what each pattern lacks, one for each; log-determinants (P, R, K) of that."""
    forms = np.repeat(form[None], len(lacking.missing), axis=0)
    log_determinant = np.zeros(forms.shape[:-2])
    for j, who in lacking.swept:
        own = forms[who]
        column = own[..., j].copy()
        pivot = column[..., j].copy()
        log_determinant[who] += np.log(pivot)
        ratio = column / pivot[..., None]
        own -= column[..., :, None] * ratio[..., None, :]
        own[..., j, :] = own[..., :, j] = ratio
        own[..., j, j] = -1 / pivot
        forms[who] = own
    return forms, log_determinant


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
