"""An L1 penalty of precisions: columns become independent of each other, given the others, within a component.

Under Laplace priors of the entries of each inverse covariance matrix off its diagonal the mode of the posterior is that
of a graphical lasso for each component (Zhou, Pan & Shen 2009).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.gaussian.gaussian import BoundGaussian
from em_cli.families.gaussian.parameters import GaussianParameters
from em_cli.families.gaussian.prior import scatter
from em_cli.families.variational.expected import averages
from em_cli.families.variational.graphical_lasso import graphical_lasso

KEY = "precisions"
FEWEST = 1e-3  # rows of a component, whose penalty is divided by them
NOTHING = 1e-9  # of a partial correlation: what rounding leaves of none


@dataclass(frozen=True, slots=True, eq=False)
class LaplacePrecisions:
    """Of components with full covariances of their own."""

    base: BoundGaussian
    strength: float
    widths: Array  # (D,) standard deviations of the columns, in the coordinates of the family

    def mode(self, statistics: Array, at: GaussianParameters | None) -> GaussianParameters:
        """In units of the widths: from where the parameters are, if they are told."""
        weight, means, covariances = averages(self.base, statistics, at)
        d, unit = self.base.n_columns, np.outer(self.widths, self.widths)
        own = covariances.copy()
        variances = np.einsum("...ii->...i", own)
        np.maximum(variances, self.base.bounds.variance, out=variances)
        own = own / unit
        penalty = np.broadcast_to((self.strength / np.maximum(weight, FEWEST))[..., None, None], own.shape)
        begin = np.eye(d) / np.einsum("...ii->...i", own)[..., None] if at is None else _precisions(at) * unit
        found = np.linalg.inv(graphical_lasso(own, penalty, begin)) * unit
        return self.base.completed(means, 0.5 * (found + found.swapaxes(-1, -2)), floored=True)

    def log_prior(self, parameters: GaussianParameters) -> Array:
        """Each pair of columns counts once."""
        d = self.base.n_columns
        entries = np.abs(_precisions(parameters)) * np.outer(self.widths, self.widths)
        off = np.add.reduce(np.where(np.eye(d, dtype=bool), 0.0, entries), axis=(-2, -1)) / 2
        found: Array = 0.5 * d * (d - 1) * np.log(self.strength / 2) - self.strength * off
        return found

    def told(self, parameters: GaussianParameters) -> dict[str, object]:
        """Which pairs of columns (K, D, D) are independent, given the others."""
        precisions = _precisions(parameters)
        root = np.sqrt(np.einsum("...ii->...i", precisions))
        return {"precisions_zero": (np.abs(precisions) < NOTHING * root[..., None] * root[..., None, :]).tolist()}


def laplace_precisions(base: BoundGaussian, strength: float) -> LaplacePrecisions:
    """A penalty of this many nats for a precision of 1 between columns, in units of their standard deviations."""
    widths = np.sqrt(np.maximum(scatter(base.columns, base.scale, 1, True), base.bounds.variance))
    return LaplacePrecisions(base, strength, widths)


def _precisions(parameters: GaussianParameters) -> Array:
    factors = parameters.factors
    found: Array = factors.swapaxes(-1, -2) @ factors
    return found
