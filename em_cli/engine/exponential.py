"""The two matrix products of a mixture of exponential families.

The log-density of a component is ⟨θ, φ(x)⟩ plus a base measure, so the E-step is Θ Φ and
the sufficient statistics are R Φᵀ: one product each, for all components of a candidate.
Candidates are stacked on a leading axis and multiplied one by one, so that the bits of one
do not depend on its company.
"""

import numpy as np

from em_cli.engine.arrays import Array


def log_density(features: Array, theta: Array, offset: Array, out: Array) -> None:
    """Θ Φ with the offset (R, K) added to the first natural parameter; features[0] must be ones."""
    shifted = theta.copy()
    shifted[..., 0] += offset
    np.matmul(shifted, features, out=out)


def statistics(features: Array, responsibilities: Array) -> Array:
    """R Φᵀ, (R, K, F)."""
    sums: Array = np.matmul(responsibilities, features.T)
    return sums
