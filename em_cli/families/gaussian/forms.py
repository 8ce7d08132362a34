"""What covariances are about a base point, for local coordinates: lengths along axes, and an orientation.

Each form reads the logarithms (…, K, D) of standard deviations relative to the base point's, and the
orientation (…, K, P), from covariances; makes covariances of them; and pulls the slope of the likelihood back.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.covariances.orientation import axes_of, rotation
from em_cli.families.covariances.structure import Letters, composed
from em_cli.families.gaussian.chart import Moments
from em_cli.families.gaussian.parameters import GaussianParameters

FLATTEST = 1e-4  # information of a row on the turn of two axes; of a circle there is none


class Form(Protocol):
    factors: Array  # of the base point
    information: Array  # (…, K, P) of a row on the orientation of its component

    def read(self, parameters: GaussianParameters) -> tuple[Array, Array]: ...
    def covariances(self, logs: Array, orientation: Array) -> Array:
        """The orientation may be common (…, 1, P)."""

    def pulled(self, moments: Moments, at: GaussianParameters) -> tuple[Array, Array]:
        """Slopes by the logarithms and the orientation."""


class Columns:
    """Independent columns."""

    def __init__(self, base: GaussianParameters) -> None:
        self.factors = base.factors
        self.information = _none(base)

    def read(self, parameters: GaussianParameters) -> tuple[Array, Array]:
        return np.log(self.factors / parameters.factors), _none(parameters)

    def covariances(self, logs: Array, orientation: Array) -> Array:
        deviations: Array = np.exp(logs) / self.factors
        return deviations**2

    def pulled(self, moments: Moments, at: GaussianParameters) -> tuple[Array, Array]:
        return moments.second - moments.weight[..., None], _none(at)


def _none(parameters: GaussianParameters) -> Array:
    """An orientation that has no coordinates."""
    return np.zeros((*parameters.means.shape[:-1], 0))


class Triangle:
    """Σ = λ L T Tᵀ Lᵀ, where L is the Cholesky factor of the base point and T is triangular, with determinant one.

    Shape and orientation are common or the component's own together.
    """

    def __init__(self, base: GaussianParameters, letters: Letters) -> None:
        k, d = base.means.shape[-2:]
        factors = base.factors
        size = np.log(np.diagonal(factors, axis1=-2, axis2=-1)).mean(axis=-1)
        if letters.shape == "E":
            factors = factors[..., :1, :, :] * np.exp(size - size[..., :1])[..., None, None]
        if letters.volume == "E":
            factors = factors * np.exp(size.mean(axis=-1, keepdims=True) - size)[..., None, None]
        self.factors, self.lower = factors, np.linalg.inv(factors)
        self.below = np.tril_indices(d, -1)
        self.information = np.ones((*size.shape[:-1], k, len(self.below[0])))

    def read(self, parameters: GaussianParameters) -> tuple[Array, Array]:
        triangle, size = self._triangle(parameters)
        return np.log(np.diagonal(triangle, axis1=-2, axis2=-1)), triangle[..., *self.below] / size

    def covariances(self, logs: Array, orientation: Array) -> Array:
        triangle = np.exp(logs)[..., None] * np.eye(logs.shape[-1])
        triangle[..., *self.below] = orientation * np.exp(logs.mean(axis=-1, keepdims=True))
        lower = self.lower @ triangle
        covariances: Array = lower @ lower.swapaxes(-1, -2)
        return covariances

    def pulled(self, moments: Moments, at: GaussianParameters) -> tuple[Array, Array]:
        d = at.means.shape[-1]
        triangle, size = self._triangle(at)
        back = np.linalg.inv(triangle).swapaxes(-1, -2)
        slopes = back @ (moments.second - moments.weight[..., None, None] * np.eye(d))
        below = slopes[..., *self.below]
        by_log = np.diagonal(slopes * triangle, axis1=-2, axis2=-1)
        by_log = by_log + (below * triangle[..., *self.below]).sum(axis=-1, keepdims=True) / d
        return by_log, below * size

    def _triangle(self, parameters: GaussianParameters) -> tuple[Array, Array]:
        """√λ T, and √λ (K, 1)."""
        triangle = self.factors @ np.linalg.inv(parameters.factors)
        return triangle, np.exp(np.log(np.diagonal(triangle, axis1=-2, axis2=-1)).mean(axis=-1, keepdims=True))


class Axes:
    """Σ = D V Dᵀ, where the axes D are those of the base point, turned by Cayley's map.

    What the components have in common, the base point may have to a few digits only: it is evened out.
    """

    def __init__(self, base: GaussianParameters, letters: Letters) -> None:
        d = base.means.shape[-1]
        self.common = letters.orientation == "E"
        self.factors = base.factors
        self.axes = axes_of(base.covariances)[..., None, :, :] if self.common else np.linalg.eigh(base.covariances)[1]
        logs = np.log(_along(base.covariances, self.axes))
        volume = logs.mean(axis=-1, keepdims=True)
        shape = logs - volume
        if letters.volume == "E":
            volume = volume.mean(axis=-2, keepdims=True)
        if letters.shape == "E":
            shape = shape.mean(axis=-2, keepdims=True)
        self.variances = np.exp(volume + shape)
        self.i, self.j = np.triu_indices(d, 1)
        one, other = self.variances[..., self.i], self.variances[..., self.j]
        self.information = np.maximum((one - other) ** 2 / (one * other), FLATTEST)

    def read(self, parameters: GaussianParameters) -> tuple[Array, Array]:
        axes, turn = self._axes(parameters)
        logs = 0.5 * np.log(_along(parameters.covariances, axes) / self.variances)
        return logs, np.repeat(turn[..., self.i, self.j], logs.shape[-2] // turn.shape[-3], axis=-2)

    def covariances(self, logs: Array, orientation: Array) -> Array:
        return composed(self.axes @ rotation(self._skew(orientation)), self.variances * np.exp(2 * logs))

    def pulled(self, moments: Moments, at: GaussianParameters) -> tuple[Array, Array]:
        """Of axes D exp ω the slope by ω_ij is that by Σ_ij along the axes times v_j - v_i."""
        d = at.means.shape[-1]
        axes, turn = self._axes(at)
        variances = _along(at.covariances, axes)
        to_axes = at.factors @ axes
        excess = moments.second - moments.weight[..., None, None] * np.eye(d)
        slopes = to_axes.swapaxes(-1, -2) @ excess @ to_axes
        by_turn = slopes * (variances[..., None, :] - variances[..., :, None])
        chain = np.linalg.inv(np.eye(d) + 0.5 * turn)  # ω = chain dΩ chainᵀ
        by_turn = chain.swapaxes(-1, -2) @ by_turn @ chain
        return np.diagonal(slopes, axis1=-2, axis2=-1) * variances, by_turn[..., self.i, self.j]

    def _axes(self, at: GaussianParameters) -> tuple[Array, Array]:
        """The axes (…, 1 or K, D, D) and their turn, a skew matrix, from those of the base point."""
        found = axes_of(at.covariances)[..., None, :, :] if self.common else np.linalg.eigh(at.covariances)[1]
        axes = np.empty_like(found)
        for place in np.ndindex(found.shape[:-2]):
            axes[place] = _aligned(found[place], np.broadcast_to(self.axes, found.shape)[place])
        relative, unit = self.axes.swapaxes(-1, -2) @ axes, np.eye(axes.shape[-1])
        turn: Array = 2 * np.linalg.inv(relative + unit) @ (relative - unit)
        return axes, turn

    def _skew(self, pairs: Array) -> Array:
        d = self.axes.shape[-1]
        skew = np.zeros((*pairs.shape[:-1], d, d))
        skew[..., self.i, self.j] = pairs
        return skew - skew.swapaxes(-1, -2)


def _along(covariances: Array, axes: Array) -> Array:
    """Variances (…, K, D) along the axes."""
    along: Array = np.einsum("...ji,...ji->...i", np.broadcast_to(axes, covariances.shape), covariances @ axes)
    return along


def _aligned(axes: Array, base: Array) -> Array:
    """The axes in the order and with the signs in which they are nearest to those of the base point."""
    overlap = base.T @ axes
    left, d = np.abs(overlap), len(base)
    order = np.zeros(d, np.intp)
    for _ in range(d):
        i, j = divmod(int(np.argmax(left)), d)
        order[i] = j
        left[i], left[:, j] = -1, -1
    own = np.diagonal(overlap[:, order])
    signs = np.where(own < 0, -1.0, 1.0)
    if np.linalg.det(overlap[:, order] * signs) < 0:
        signs[np.argmin(np.abs(own))] *= -1
    return axes[:, order] * signs
