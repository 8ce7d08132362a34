"""Normal components given some of the cells, in coordinates where what is observed is standard normal.

Let z = μ + L w with w standard normal, and Lᵀ = Q R for the observed rows of L. Then
y = R⁻ᵀ(z − μ) = Qᵀ w is standard normal as well; and w, given y, has mean Q y and covariance I − Q Qᵀ.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.patterns import codes, decoded, grouped


@dataclass(frozen=True, slots=True)
class Given:
    """T components, given the cells of P patterns. What has to do with missing cells is zero in Q and R⁻ᵀ."""

    missing: Flags  # (P, D)
    means: Array  # (T, D)
    lower: Array  # (T, D, D) Cholesky factors
    axes: Array  # (P, T, D, D) Q
    whitening: Array  # (P, T, D, D) R⁻ᵀ
    log_determinant: Array  # (P, T) of R⁻ᵀ
    n_seen: Integers  # (P,) of the cells

    def whitened(self, place: int | Integers, z: Array) -> Array:
        """y (…, T, D, m) of rows (…, D, m) of a pattern, or of several, zero where they have no cells; there they may
        hold any numbers."""
        whitened: Array = self.whitening[place] @ (z[..., None, :, :] - self.means[..., None])
        return whitened

    def unknown(self, place: int | slice | Integers) -> Array:
        """I − Q Qᵀ (…, T, D, D) of a pattern, or of several."""
        axes = self.axes[place]
        unknown: Array = np.eye(axes.shape[-1]) - axes @ np.swapaxes(axes, -1, -2)
        return unknown

    def restored(self, place: int, w: Array) -> Array:
        """The missing cells (T, M, m) of vectors w (T, D, m)."""
        lacks = self.missing[place]
        restored: Array = self.means[:, lacks, None] + self.lower[:, lacks] @ w
        return restored


def given(means: Array, lower: Array, missing: Flags, factors: Array | None = None) -> Given:
    """Patterns (P, D) of as many cells at once. Complete rows need the inverse Cholesky factors only, if known."""
    (p, d), t = missing.shape, len(means)
    axes, whitening, log_determinant = np.zeros((p, t, d, d)), np.zeros((p, t, d, d)), np.zeros((p, t))
    n_seen = d - missing.sum(axis=1)
    for o in np.unique(n_seen[n_seen > 0]):
        alike = np.flatnonzero(n_seen == o)
        if o == d and factors is not None:
            axes[alike], whitening[alike] = np.eye(d), factors
            log_determinant[alike] = np.log(np.diagonal(factors, axis1=-2, axis2=-1)).sum(axis=-1)
            continue
        seen = np.nonzero(~missing[alike])[1].reshape(len(alike), o)
        own, upper = np.linalg.qr(lower[:, seen].transpose(1, 0, 3, 2))
        inverse = np.swapaxes(np.linalg.inv(upper), -1, -2)
        log_determinant[alike] = -np.log(np.abs(np.diagonal(upper, axis1=-2, axis2=-1))).sum(axis=-1)
        axes[alike[:, None], :, :, seen] = own.transpose(0, 3, 1, 2)
        whitening[alike[:, None, None], :, seen[:, :, None], seen[:, None]] = inverse.transpose(0, 2, 3, 1)
    return Given(missing, means, lower, axes, whitening, log_determinant, n_seen)


def expected(z: Array, means: Array, covariances: Array, responsibilities: Array) -> Array:
    """The rows z (D, n) with missing cells at their conditional mean under the mixture; responsibilities (K, n)."""
    filled = z.copy()
    for rows, place, some in _by_pattern(z, means, covariances):
        cells = some.restored(place, some.axes[place] @ some.whitened(place, np.nan_to_num(z[:, rows])))
        filled[np.ix_(some.missing[place], rows)] = np.einsum("km,kjm->jm", responsibilities[:, rows], cells)
    return filled


def drawn(
    z: Array, means: Array, covariances: Array, labels: Integers, rng: np.random.Generator, dof: Array | None = None
) -> Array:
    """The rows z (D, n) with missing cells drawn, given the other cells and the component (n,) of each row.

    With degrees of freedom (K,) these are t components, and the covariances their scale matrices.
    """
    filled, noise = z.copy(), rng.standard_normal(z.shape[::-1]).T
    for rows, place, some in _by_pattern(z, means, covariances):
        own, m = labels[rows], np.arange(len(rows))
        y, away = some.whitened(place, np.nan_to_num(z[:, rows])), some.unknown(place) @ noise[:, rows]
        if dof is not None:
            distances = np.einsum("mo,mo->m", y[own, :, m], y[own, :, m])
            away *= np.sqrt((dof[own] + distances) / rng.chisquare(dof[own] + some.n_seen[place]))
        filled[np.ix_(some.missing[place], rows)] = some.restored(place, some.axes[place] @ y + away)[own, :, m].T
    return filled


def _by_pattern(z: Array, means: Array, covariances: Array) -> Iterator[tuple[Integers, int, Given]]:
    """The rows (m,) of each pattern that lacks something, with the components given the rest."""
    lower = np.linalg.cholesky(covariances).astype(np.float64, copy=False)
    groups = grouped(codes(z))
    order = np.arange(z.shape[1]) if groups.order is None else groups.order
    for missing, rows in zip(decoded(groups.codes, len(z)), groups.slices, strict=True):
        if missing.any():
            yield order[rows], 0, given(means, lower, missing[None])
