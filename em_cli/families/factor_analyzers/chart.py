"""Local coordinates of factor analysers, for climbs that use gradients.

Means are measured in standard deviations of the component, loadings in those of the noise, noise
variances by their logarithms; all times the root of the rows that inform them, so that the
information of rows and factors is the identity.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.factor_analyzers.parameters import FactorParameters
from em_cli.families.factor_analyzers.statistics import averages

LARGEST_LOG = 30.0  # of a variance relative to the base point
Held = Callable[[Array, Array, Array], FactorParameters]  # from means, loadings and noise, floor included


class FactorChart:
    def __init__(self, base: FactorParameters, weight: Array, isotropic: bool, held: Held) -> None:
        self.base, self.isotropic, self.held = base, isotropic, held
        self.rows = np.maximum(weight, 1.0)
        self.deviations = np.sqrt(base.noise)
        scaled = base.loadings / self.deviations[..., None]
        self.axes, lengths, _ = np.linalg.svd(scaled, full_matrices=False)
        self.lengths = np.sqrt(1 + lengths**2)  # standard deviations along the axes, where those of the noise are one
        n_noise = base.noise.shape[-1] if isotropic else 1
        self.root = np.sqrt(self.rows / 2 * n_noise)[..., None]

    def coordinates(self, parameters: FactorParameters) -> Array:
        n, base = np.sqrt(self.rows), self.base
        means = self._along_axes((parameters.means - base.means) / self.deviations, 1 / self.lengths)
        loadings = (parameters.loadings - base.loadings) / self.deviations[..., None]
        logs = np.log(parameters.noise / base.noise)[..., : 1 if self.isotropic else None]
        parts = means * n[..., None], loadings * n[..., None, None], logs * self.root
        return _in_a_row(parts)

    def parameters(self, u: Array) -> FactorParameters:
        n, base, (k, d, q) = np.sqrt(self.rows), self.base, self.base.loadings.shape[-3:]
        stack = u.shape[:-1]
        means, loadings, logs = np.split(u, np.cumsum([k * d, k * d * q]), axis=-1)
        along = self._along_axes(means.reshape(*stack, k, d) / n[..., None], self.lengths)
        change = loadings.reshape(*stack, k, d, q) / n[..., None, None] * self.deviations[..., None]
        logs = np.clip(logs.reshape(*stack, k, -1) / self.root, -LARGEST_LOG, LARGEST_LOG)
        return self.held(base.means + along * self.deviations, base.loadings + change, base.noise * np.exp(logs))

    def gradient(self, statistics: Array, parameters: FactorParameters) -> Array:
        """By Fisher's identity, that of the expected log-density of rows and factors."""
        p, n = parameters, np.sqrt(self.rows)
        m = averages(statistics, *p.loadings.shape[-2:])
        away = np.where(p.concentrated[..., None], m.mean, m.mean - p.means)
        residual = away - np.einsum("...dq,...q->...d", p.loadings, m.factors)
        products = m.products + m.factors[..., :, None] * m.factors[..., None, :]
        cross = m.cross + m.factors[..., :, None] * away[..., None, :]
        fitted = p.loadings @ products
        by_loadings = np.swapaxes(cross, -1, -2) - fitted
        spread = m.variances + away**2 - 2 * np.einsum("...dq,...qd->...d", p.loadings, cross)
        spread += np.einsum("...dq,...dq->...d", fitted, p.loadings)
        logs = 0.5 * (spread / p.noise - 1)
        if self.isotropic:
            logs = logs.sum(axis=-1, keepdims=True)
        weight = m.weight[..., None]
        means = self._along_axes(weight * residual / p.noise * self.deviations, self.lengths)
        parts = (
            means / n[..., None],
            weight[..., None] * by_loadings / p.noise[..., None] * self.deviations[..., None] / n[..., None, None],
            weight * logs / self.root,
        )
        return _in_a_row(parts)

    def _along_axes(self, vectors: Array, factor: Array) -> Array:
        """Vectors (K, D), stretched along the axes."""
        along = np.einsum("...dq,...d->...q", self.axes, vectors)
        stretched: Array = vectors + np.einsum("...dq,...q->...d", self.axes, (factor - 1) * along)
        return stretched


def _in_a_row(parts: tuple[Array, Array, Array]) -> Array:
    """(…, P) of means, loadings and logarithms, (…, K, ·) each."""
    stack = parts[0].shape[:-2]
    return np.concatenate([part.reshape(*stack, -1) for part in parts], axis=-1)
