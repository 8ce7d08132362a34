"""Expected statistics of complete rows, which stand before what is known of missing cells."""

from __future__ import annotations

from em_cli.engine.arrays import Array
from em_cli.families.gaussian.gaussian import BoundGaussian
from em_cli.families.gaussian.parameters import GaussianParameters


def averages(base: BoundGaussian, statistics: Array, at: GaussianParameters | None) -> tuple[Array, Array, Array]:
    """Weight, mean and scatter of each component, missing cells as they are expected to be."""
    return base.averages(statistics[..., : base.n_features()], at)
