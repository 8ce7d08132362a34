"""Local coordinates of normal components, for climbs that use gradients.

Means are measured in standard deviations of the component, covariances by the Cholesky factor T
of L⁻¹ΣL⁻ᵀ, L being that of the base point, with logarithms on its diagonal; both times
the root of the rows that inform them, so that the complete-data information is the identity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.families.gaussian.parameters import GaussianParameters

LARGEST_LOG = 15.0  # of a standard deviation relative to the base point
Completed = Callable[[Array, Array], GaussianParameters]  # from means and covariances, floor included


@dataclass(frozen=True, slots=True)
class Moments:
    """About the component's mean and in its units, from the statistics of an E-step at these parameters."""

    weight: Array  # (…, K)
    first: Array  # (…, K, D)
    second: Array  # (…, K, D, D), or (…, K, D) of a diagonal structure


MomentsOf = Callable[[Array, GaussianParameters], Moments]


def in_a_row(*parts: Array) -> Array:
    """(…, P) of parts (…, K, m) each."""
    return np.concatenate([part.reshape(*part.shape[:-2], -1) for part in parts], axis=-1)


class MatrixChart:
    """Of covariance matrices: one for each component, or one for all."""

    def __init__(
        self, base: GaussianParameters, weight: Array, shared: bool, completed: Completed, moments: MomentsOf
    ) -> None:
        k, d = base.means.shape[-2:]
        self.shape, self.shared, self.completed, self.moments = (k, d), shared, completed, moments
        self.means, self.factors = base.means, base.factors
        self.own = slice(0, 1) if shared else slice(None)
        self.own_factors = base.factors[..., self.own, :, :]
        self.lower: Array = np.asarray(np.linalg.inv(base.factors), np.float64)
        self.i, self.j = np.tril_indices(d)
        self.on_diagonal = self.i == self.j
        rows = weight.sum(axis=-1, keepdims=True) if shared else weight
        self.mean_root = np.sqrt(np.maximum(weight, 1.0))[..., None]
        root = np.sqrt(np.maximum(rows, 1.0))[..., None]
        self.root = np.where(self.on_diagonal, np.sqrt(2) * root, root)

    def coordinates(self, parameters: GaussianParameters) -> Array:
        a = np.einsum("...ij,...j->...i", self.factors, parameters.means - self.means) * self.mean_root
        triangle = self._relative(parameters)[..., self.i, self.j]
        triangle[..., self.on_diagonal] = np.log(triangle[..., self.on_diagonal])
        return in_a_row(a, triangle * self.root)

    def parameters(self, u: Array) -> GaussianParameters:
        k, d = self.shape
        a = u[..., : k * d].reshape(*u.shape[:-1], k, d) / self.mean_root
        triangle = u[..., k * d :].reshape(*u.shape[:-1], -1, len(self.i)) / self.root
        logs = np.clip(triangle[..., self.on_diagonal], -LARGEST_LOG, LARGEST_LOG)
        triangle[..., self.on_diagonal] = np.exp(logs)
        relative = np.zeros((*triangle.shape[:-1], d, d))
        relative[..., self.i, self.j] = triangle
        lower = self.lower[..., self.own, :, :] @ relative
        covariances = lower @ np.swapaxes(lower, -1, -2)
        means = self.means + np.einsum("...ij,...j->...i", self.lower, a)
        return self.completed(means, np.repeat(covariances, k, axis=-3) if self.shared else covariances)

    def gradient(self, statistics: Array, parameters: GaussianParameters) -> Array:
        moments, d = self.moments(statistics, parameters), self.shape[1]
        back = np.swapaxes(np.linalg.inv(self._relative(parameters)), -1, -2)  # T⁻ᵀ
        excess = moments.second - moments.weight[..., None, None] * np.eye(d)
        if self.shared:
            excess = excess.sum(axis=-3, keepdims=True)
        triangle = (back @ excess)[..., self.i, self.j]
        on_diagonal = np.diagonal(back, axis1=-2, axis2=-1)
        triangle[..., self.on_diagonal] /= on_diagonal
        first = (back @ moments.first[..., None])[..., 0] / self.mean_root
        return in_a_row(first, triangle / self.root)

    def log_scales(self) -> Integers:
        """Where the logarithms on the diagonal of each T (·, D) are among the coordinates."""
        k, d = self.shape
        first = k * d + len(self.i) * np.arange(1 if self.shared else k)
        places: Integers = first[:, None] + np.flatnonzero(self.on_diagonal)
        return places

    def _relative(self, parameters: GaussianParameters) -> Array:
        """T (…, K or 1, D, D)."""
        relative: Array = self.own_factors @ np.linalg.inv(parameters.factors[..., self.own, :, :])
        return relative


class VarianceChart:
    """Of variances: one for each column of each component, or one for each component."""

    def __init__(
        self, base: GaussianParameters, weight: Array, one: bool, completed: Completed, moments: MomentsOf
    ) -> None:
        self.shape, self.one, self.completed, self.moments = base.means.shape[-2:], one, completed, moments
        self.means, self.factors = base.means, base.factors
        self.mean_root = np.sqrt(np.maximum(weight, 1.0))[..., None]
        self.root = self.mean_root * np.sqrt(2 * (self.shape[1] if one else 1))

    def coordinates(self, parameters: GaussianParameters) -> Array:
        a = (parameters.means - self.means) * self.factors * self.mean_root
        logs = np.log(self.factors / parameters.factors)[..., : 1 if self.one else None]
        return in_a_row(a, logs * self.root)

    def parameters(self, u: Array) -> GaussianParameters:
        k, d = self.shape
        a = u[..., : k * d].reshape(*u.shape[:-1], k, d) / self.mean_root
        logs = u[..., k * d :].reshape(*u.shape[:-1], k, -1) / self.root
        deviations = np.exp(np.clip(logs, -LARGEST_LOG, LARGEST_LOG)) / self.factors
        return self.completed(self.means + a / self.factors, deviations**2)

    def gradient(self, statistics: Array, parameters: GaussianParameters) -> Array:
        moments = self.moments(statistics, parameters)
        first = moments.first * (parameters.factors / self.factors) / self.mean_root
        excess = moments.second - moments.weight[..., None]
        if self.one:
            excess = excess.sum(axis=-1, keepdims=True)
        return in_a_row(first, excess / self.root)

    def log_scales(self) -> Integers:
        """Where the logarithms (K, D or 1) are among the coordinates."""
        k, d = self.shape
        places: Integers = k * d + np.arange(k if self.one else k * d).reshape(k, -1)
        return places
