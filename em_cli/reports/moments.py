"""Means and standard deviations of components, where there are any; else locations and scales."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports.finished_run import FinishedRun


def moments(run: FinishedRun) -> tuple[Array, Array]:
    """(K, D) each; of components without moments, which are those of heavy tails, location and scale."""
    means, sds = run.model.family.moments(run.parameters.components)
    means, sds = means.copy(), sds.copy()
    for found in run.elliptic:
        own = np.ix_(range(run.k), found.columns)
        scales = np.sqrt(found.variances)
        means[own] = np.where(np.isfinite(means[own]), means[own], found.locations)
        sds[own] = np.where(np.isfinite(sds[own]), sds[own], scales)
    return means, sds


def of_mixture(run: FinishedRun) -> tuple[Array, Array]:
    """Mean and standard deviation (D,) of the components together; noise is left out."""
    means, sds = moments(run)
    share = run.weights[: run.k] / run.weights[: run.k].sum()
    mean = share @ means
    return mean, np.sqrt(share @ (sds**2 + (means - mean) ** 2))
