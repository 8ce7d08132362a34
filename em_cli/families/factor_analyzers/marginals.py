"""The factors given the observed cells of a row: only the observed rows of loadings and noise enter.

With B = ΛᵀΨ⁻¹ over the observed columns, the factors have the precision M = I + BΛ = LLᵀ, and are
expected to be M⁻¹B(z − μ). No matrix has as many as D² numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.cache import Recent
from em_cli.engine.patterns import decoded, grouped
from em_cli.families.factor_analyzers.parameters import FactorParameters
from em_cli.families.gaussian.parameters import LOG_2PI
from em_cli.families.gaussian.patterns import product


@dataclass(frozen=True, slots=True, eq=False)
class FactorMarginals:
    """Of R × K components, for n rows with cells missing in P patterns."""

    at: FactorParameters
    codes: Array  # (C, n) of the patterns of the rows
    place: Integers  # (n,) of each row among the patterns
    root: Array  # (R, K, Q, Q, P) L⁻¹
    half: Array  # (R, K, P) ½ log|V|, V = M⁻¹ being the covariance of the factors
    projection: Array  # (R, K, Q, D) B
    constants: Array  # (R, K, D) log-density of a cell that is where the factors let expect it

    def whitened(self, z: Array, observed: Array) -> Array:
        """L⁻¹B(z − μ) (R, K, Q, n) of rows z (D, n), zero where they are not observed."""
        r, k, q, d = self.projection.shape
        own = np.matmul(self.projection.reshape(r, k * q, d), z)
        own -= np.matmul((self.projection * self.at.means[..., None, :]).reshape(r, k * q, d), observed)
        own = own.reshape(r, k, q, -1)
        for i, j in zip(*np.nonzero(self.at.concentrated), strict=True):
            own[i, j] = self.projection[i, j] @ self.centred(z, observed, i, j)
        return self._times(self.root, own)

    def factors(self, whitened: Array) -> Array:
        """What they are expected to be (R, K, Q, n)."""
        return self._times(np.swapaxes(self.root, 2, 3), whitened)

    def centred(self, z: Array, observed: Array, r: int, k: int) -> Array:
        """The rows (D, n) about the mean of a component, zero where they are not observed."""
        centred: Array = z - self.at.means[r, k][:, None] * observed
        return centred

    def spread(self) -> Array:
        """V (R, K, Q, Q, n)."""
        spread: Array = np.einsum("rkaqp,rkasp->rkqsp", self.root, self.root).take(self.place, axis=-1)
        return spread

    def level(self) -> Array:
        """½ log|V| (R, K, n)."""
        return self.half.take(self.place, axis=-1)

    def _times(self, matrices: Array, vectors: Array) -> Array:
        """Element by element, so that the bits of a row do not depend on the others."""
        total = np.zeros_like(vectors)
        for s in range(vectors.shape[2]):
            total += matrices[:, :, :, s].take(self.place, axis=-1) * vectors[:, :, s, None]
        return total


_recent = Recent[FactorMarginals]()


def marginals(at: FactorParameters, codes: Array) -> FactorMarginals:
    """For rows with these codes (C, n) of their patterns."""
    known = _recent.of(at)
    if known is not None and np.array_equal(known.codes, codes):
        return known
    r, k, d, q = at.loadings.shape
    groups = grouped(codes)
    place = np.repeat(np.arange(len(groups.bounds) - 1), np.diff(groups.bounds))
    if groups.order is not None:
        place[groups.order] = place.copy()
    projection = np.swapaxes(at.loadings / at.noise[..., None], -1, -2)
    products = projection[..., :, None, :] * np.swapaxes(at.loadings, -1, -2)[..., None, :, :]
    precision = np.empty((r, k * q * q, len(groups.bounds) - 1))
    observed = (~decoded(groups.codes, d)).T.astype(np.float64)
    product(observed[None], products.reshape(1, r, k * q * q, d), precision[None])
    precision = np.moveaxis(precision.reshape(r, k, q, q, -1), -1, 2) + np.eye(q)
    root = np.linalg.inv(np.linalg.cholesky(precision))
    half = np.add.reduce(np.log(np.diagonal(root, axis1=-2, axis2=-1)), axis=-1)
    root = np.ascontiguousarray(np.moveaxis(root, 2, -1))
    made = FactorMarginals(at, codes.copy(), place, root, half, projection, -0.5 * (np.log(at.noise) + LOG_2PI))
    return _recent.keep(at, made, root.size + projection.size + codes.size)
