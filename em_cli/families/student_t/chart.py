"""Local coordinates of t components, for climbs that use gradients.

Those of a Gaussian, and the reciprocals of the degrees of freedom, which the log-likelihood nearly
is linear in where they are small. In the bound that the M-step
maximises a change of all of a scale matrix by one factor tells less than it does of a
covariance, by ν/(ν + D): so that the information is the identity, the coordinates shrink along it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.gaussian.chart import Moments
from em_cli.families.gaussian.gaussian import BoundGaussian
from em_cli.families.gaussian.parameters import GaussianParameters
from em_cli.families.gaussian.whitening import whitened_moments
from em_cli.families.student_t.dof import LEAST, MOST, fall, log_slope
from em_cli.families.student_t.parameters import StudentTParameters, of_normal


class StudentTChart:
    def __init__(self, normal: BoundGaussian, base: StudentTParameters, weight: Array, dof: str | float) -> None:
        self.dof, self.d, self.family = base.dof, normal.n_columns, normal
        self.normal = normal.direct_chart(base.normal, weight, _moments)
        self.size = self.normal.coordinates(base.normal).shape[-1]
        shared = normal.letters.shared
        mean_dof = np.average(base.dof, axis=-1, weights=np.maximum(weight, 1.0), keepdims=True) if shared else base.dof
        self.shrunk = np.sqrt(mean_dof / (mean_dof + self.d))[..., None]
        self.scales = self.normal.log_scales()
        self.free, self.common = isinstance(dof, str), dof == "common"
        own = slice(0, 1) if self.common else slice(None)
        rows = weight.sum(axis=-1, keepdims=True) if self.common else weight
        _, slope = fall(base.dof[..., own], self.d)
        information = -0.5 * base.dof[..., own] ** 4 * slope
        self.root = np.sqrt(np.maximum(rows, 1.0) * information)

    def coordinates(self, parameters: StudentTParameters) -> Array:
        u = self._stretched(self.normal.coordinates(parameters.normal), self.shrunk)
        if not self.free:
            return u
        change = (1 / parameters.dof - 1 / self.dof)[..., : self.root.shape[-1]]
        return np.concatenate([u, change * self.root], axis=-1)

    def parameters(self, u: Array) -> StudentTParameters:
        normal = self.normal.parameters(self._stretched(u[..., : self.size], 1 / self.shrunk))
        if not self.free:
            return of_normal(normal, np.broadcast_to(self.dof, normal.means.shape[:-1]))
        return of_normal(normal, 1 / np.clip(1 / self.dof + u[..., self.size :] / self.root, 1 / MOST, 1 / LEAST))

    def gradient(self, statistics: Array, parameters: StudentTParameters) -> Array:
        dof, weight = parameters.dof, statistics[..., 0]
        heavier = 1 + self.d / dof
        sums = np.concatenate([weight[..., None], heavier[..., None] * statistics[..., 1:-2]], axis=-1)
        prior = statistics[..., -1:]
        if prior.any():
            pseudo = self.family.penalty_statistics(parameters.normal, plain=False)
            sums += prior * np.concatenate([np.ones_like(prior), pseudo], axis=-1)
        gradient = self._stretched(self.normal.gradient(sums, parameters.normal), 1 / self.shrunk)
        if not self.free:
            return gradient
        rest = statistics[..., -2] + heavier * (weight - statistics[..., 1])
        slope = -(dof**2) * (weight * log_slope(dof, self.d) + 0.5 * rest)
        if self.common:
            slope, dof = slope.sum(axis=-1, keepdims=True), dof[..., :1]
        outwards = ((dof >= MOST) & (slope < 0)) | ((dof <= LEAST) & (slope > 0))
        return np.concatenate([gradient, np.where(outwards, 0.0, slope) / self.root], axis=-1)

    def _stretched(self, u: Array, factor: Array) -> Array:
        """Along the mean of the logarithms of the scales of each matrix."""
        logs = u[..., self.scales]
        u = u.copy()
        u[..., self.scales] += (factor - 1) * logs.mean(axis=-1, keepdims=True)
        return u


def _moments(statistics: Array, at: GaussianParameters) -> Moments:
    """Of statistics after the weights of the rows alone, which are not those of the sums."""
    return replace(whitened_moments(statistics[..., 1:], at), weight=statistics[..., 0])
