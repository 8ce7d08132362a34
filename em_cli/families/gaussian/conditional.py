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
    """T components, given the cells of one pattern."""

    missing: Flags  # (D,)
    means: Array  # (T, D)
    lower: Array  # (T, D, D) Cholesky factors
    axes: Array  # (T, D, O) Q
    whitening: Array  # (T, O, O) R⁻ᵀ
    log_determinant: Array  # (T,) of R⁻ᵀ

    def whitened(self, z: Array) -> Array:
        """y (T, O, m) of rows (D, m)."""
        observed = ~self.missing
        centred = z[observed] - self.means[:, observed, None]
        whitened: Array = self.whitening @ centred
        return whitened

    def unknown(self) -> Array:
        """I − Q Qᵀ (T, D, D)."""
        unknown: Array = np.eye(len(self.missing)) - self.axes @ np.swapaxes(self.axes, -1, -2)
        return unknown

    def restored(self, w: Array) -> Array:
        """The missing cells (T, M, m) of vectors w (T, D, m)."""
        restored: Array = self.means[:, self.missing, None] + self.lower[:, self.missing] @ w
        return restored


def given(means: Array, lower: Array, missing: Flags) -> Given:
    axes, upper = np.linalg.qr(np.swapaxes(lower[:, ~missing], -1, -2))
    whitening = np.swapaxes(np.linalg.inv(upper), -1, -2)
    half = np.log(np.abs(np.diagonal(upper, axis1=-2, axis2=-1)))
    return Given(missing, means, lower, axes, whitening, -half.sum(axis=-1))


def expected(z: Array, means: Array, covariances: Array, responsibilities: Array) -> Array:
    """The rows z (D, n) with missing cells at their conditional mean under the mixture; responsibilities (K, n)."""
    filled = z.copy()
    for rows, some in _by_pattern(z, means, covariances):
        cells = some.restored(some.axes @ some.whitened(z[:, rows]))
        filled[np.ix_(some.missing, rows)] = np.einsum("km,kjm->jm", responsibilities[:, rows], cells)
    return filled


def drawn(
    z: Array, means: Array, covariances: Array, labels: Integers, rng: np.random.Generator, dof: Array | None = None
) -> Array:
    """The rows z (D, n) with missing cells drawn, given the other cells and the component (n,) of each row.

    With degrees of freedom (K,) these are t components, and the covariances their scale matrices.
    """
    filled, noise = z.copy(), rng.standard_normal(z.shape[::-1]).T
    for rows, some in _by_pattern(z, means, covariances):
        own, m = labels[rows], np.arange(len(rows))
        y, away = some.whitened(z[:, rows]), some.unknown() @ noise[:, rows]
        if dof is not None:
            distances = np.einsum("mo,mo->m", y[own, :, m], y[own, :, m])
            away *= np.sqrt((dof[own] + distances) / rng.chisquare(dof[own] + y.shape[1]))
        filled[np.ix_(some.missing, rows)] = some.restored(some.axes @ y + away)[own, :, m].T
    return filled


def _by_pattern(z: Array, means: Array, covariances: Array) -> Iterator[tuple[Integers, Given]]:
    """The rows (m,) of each pattern that lacks something, with the components given the rest."""
    lower = np.linalg.cholesky(covariances).astype(np.float64, copy=False)
    groups = grouped(codes(z))
    order = np.arange(z.shape[1]) if groups.order is None else groups.order
    for missing, rows in zip(decoded(groups.codes, len(z)), groups.slices, strict=True):
        if missing.any():
            yield order[rows], given(means, lower, missing)
