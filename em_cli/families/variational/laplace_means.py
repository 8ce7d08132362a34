"""An L1 penalty of means: columns in which components do not differ lose their separate means.

Under a Laplace prior with its peak at the mean of the data the mode of the posterior has means that are exactly there
(Pan & Shen 2007; Xie, Pan & Shen 2008 where each component has variances of its own, as here).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.gaussian.gaussian import BoundGaussian
from em_cli.families.gaussian.parameters import GaussianParameters
from em_cli.families.gaussian.prior import scatter

KEY = "means"


@dataclass(frozen=True, slots=True, eq=False)
class LaplaceMeans:
    """Of components with a variance for each column; the data's mean is at 0 in the coordinates of the family."""

    base: BoundGaussian
    rate: Array  # (D,)

    def mode(self, statistics: Array, at: GaussianParameters | None) -> GaussianParameters:
        """Exact: mean and variance are the best of all together."""
        weight, means, variances = self.base.averages(statistics, at)
        spread = np.maximum(variances, self.base.bounds.variance)
        moved = shift(weight[..., None], np.abs(means), spread, self.rate)
        held = moved == np.abs(means)
        own = np.where(held, 0.0, means - np.sign(means) * moved)
        return self.base.completed(own, spread + moved * moved)

    def log_prior(self, parameters: GaussianParameters) -> Array:
        found: Array = np.add.reduce(np.log(self.rate / 2) - self.rate * np.abs(parameters.means), axis=-1)
        return found

    def told(self, parameters: GaussianParameters) -> dict[str, object]:
        """Which means (K, D) are held at that of the data."""
        return {"means_held": (parameters.means == 0).tolist()}


def laplace_means(base: BoundGaussian, strength: float) -> LaplaceMeans:
    """A penalty of this many nats for a mean that is a standard deviation of its column away from that of the data."""
    widths = np.sqrt(np.maximum(scatter(base.columns, base.scale, 1, True), base.bounds.variance))
    return LaplaceMeans(base, strength / widths)


def shift(weight: Array, far: Array, variance: Array, rate: Array) -> Array:
    """How much nearer to 0 than `far` ≥ 0 the best mean is, if the variance about the mean of the rows is `variance`.

    With the best variance for it, a mean that is t nearer loses w/2 · log(variance + t²) and gains rate · t: this has
    its one inner maximum where rate · t² − w · t + rate · variance = 0, or the best is to go all the way.
    """
    inside = weight * weight - 4 * rate * rate * variance
    inner = 2 * rate * variance / (weight + np.sqrt(np.maximum(inside, 0.0)))

    def loss(t: Array) -> Array:
        return np.asarray(0.5 * weight * np.log(variance + t * t) - rate * t)

    stays = (inside > 0) & (inner < far) & (loss(np.minimum(inner, far)) < loss(far))
    found: Array = np.where(stays, inner, far)
    return found
