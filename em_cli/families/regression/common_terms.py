"""Coefficients that are the same in all components: normal equations and coordinates of all components together.

Each component has f coefficients of its own, and c that stand last are common (the nested models of Grün & Leisch
2008). The matrix of all is block diagonal with a border, which is eliminated block by block.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array


def times(matrices: Array, vectors: Array) -> Array:
    """(…, p) of (…, p, p) and (…, p), one by one."""
    product: Array = np.matmul(matrices, vectors[..., None])[..., 0]
    return product


def solved_for(matrices: Array, vectors: Array) -> Array:
    """(…, p) the inverse of `times`."""
    return np.asarray(np.linalg.solve(matrices, vectors[..., None])[..., 0], np.float64)


def solved_together(matrices: Array, right: Array, c: int) -> Array:
    """(…, K, p) where Σ over components of quadratic forms less right sides is least, the c last the same in all."""
    f = right.shape[-1] - c
    own, border = matrices[..., :f, :f], matrices[..., :f, f:]
    through = np.asarray(np.linalg.solve(own, border), np.float64)  # (…, K, f, c)
    alone = solved_for(own, right[..., :f])
    left = np.add.reduce(matrices[..., f:, f:] - np.matmul(border.swapaxes(-1, -2), through), axis=-3)
    rest = np.add.reduce(right[..., f:] - times(border.swapaxes(-1, -2), alone), axis=-2)
    common = np.broadcast_to(solved_for(left, rest)[..., None, :], (*right.shape[:-1], c))
    return np.concatenate([alone - times(through, common), common], axis=-1)


@dataclass(frozen=True, slots=True, eq=False)
class CoefficientChart:
    """Steps of coefficients in units of their information: those of each component (…, K, f), and the common (…, c)."""

    root: Array  # (…, K, p, p) lower triangular, of the information that each component has
    common: Array | None  # (…, c, c) lower triangular, of that on the common ones beyond all others; None if c is 0

    @property
    def n_own(self) -> int:
        return int(self.root.shape[-1]) - self.n_common

    @property
    def n_common(self) -> int:
        return 0 if self.common is None else int(self.common.shape[-1])

    @property
    def _own(self) -> Array:
        return self.root[..., : self.n_own, : self.n_own]

    @property
    def _border(self) -> Array:
        """(…, K, c, f)."""
        return self.root[..., self.n_own :, : self.n_own]

    def coordinates(self, steps: Array) -> tuple[Array, Array]:
        """From steps (…, K, p)."""
        along, f = times(self.root.swapaxes(-1, -2), steps), self.n_own
        if self.common is None:
            return along, np.zeros((*steps.shape[:-2], 0))
        return along[..., :f], times(self.common.swapaxes(-1, -2), steps[..., 0, f:])

    def steps(self, own: Array, common: Array) -> Array:
        """(…, K, p), the inverse."""
        if self.common is None:
            return solved_for(self.root.swapaxes(-1, -2), own)
        shared = solved_for(self.common.swapaxes(-1, -2), common)[..., None, :]
        shared = np.broadcast_to(shared, (*own.shape[:-1], self.n_common))
        rest = own - times(self._border.swapaxes(-1, -2), shared)
        return np.concatenate([solved_for(self._own.swapaxes(-1, -2), rest), shared], axis=-1)

    def gradient(self, slopes: Array) -> tuple[Array, Array]:
        """By the coordinates, from those (…, K, p) by the coefficients of each component."""
        if self.common is None:
            return solved_for(self.root, slopes), np.zeros((*slopes.shape[:-2], 0))
        f = self.n_own
        own = solved_for(self._own, slopes[..., :f])
        left = np.add.reduce(slopes[..., f:] - times(self._border, own), axis=-2)
        return own, solved_for(self.common, left)


def coefficient_chart(root: Array, c: int) -> CoefficientChart:
    """From the triangular roots (…, K, p, p) of the information of each component."""
    if not c:
        return CoefficientChart(root, None)
    f = root.shape[-1] - c
    corner = root[..., f:, f:]
    left = np.add.reduce(np.matmul(corner, corner.swapaxes(-1, -2)), axis=-3)
    return CoefficientChart(root, np.asarray(np.linalg.cholesky(left), np.float64))


def in_a_row(own: Array, more: Array | None, common: Array) -> Array:
    """(…, P) coordinates of each component (…, K, f), one more of each (…, K) if there is one, then (…, c)."""
    both = own if more is None else np.concatenate([own, more[..., None]], axis=-1)
    return np.concatenate([both.reshape(*both.shape[:-2], -1), common], axis=-1)


def taken_apart(u: Array, size: int, c: int) -> tuple[Array, Array]:
    """Those of components (…, K, size), and the common (…, c)."""
    end = u.shape[-1] - c
    return u[..., :end].reshape(*u.shape[:-1], -1, size), u[..., end:]
