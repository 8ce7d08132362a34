"""Normal components, of every covariance structure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import stats
from support import Case, Document

from cases.seen import averages, by_pattern, of_complete, with_and_without_gaps
from em_cli.engine.arrays import Array
from em_cli.families.covariances import COVARIANCES
from em_cli.families.covariances.shapes import from_shape, to_shape
from em_cli.families.gaussian.options import Gaussian

WHOLE = ("EII", "EVI", "VEI", "EEV", "EVV")  # structures that are tried without missing cells only


def scipy_gaussian(family: Any, document: Document, x: Array) -> Array:
    means = np.array(document["means"])
    k, d = means.shape
    covariances = from_shape(np.array(document["covariances"]), of_complete(family).covariance, k, d)
    log_density = np.zeros((k, x.shape[1]))
    for seen, rows in by_pattern(x):
        for component in range(k if seen.any() else 0):
            root = np.linalg.cholesky(covariances[component][np.ix_(seen, seen)])
            law = stats.multivariate_normal(means[component, seen], stats.Covariance.from_cholesky(root))
            log_density[component, rows] = law.logpdf(x[np.ix_(seen, rows)].T)
    return log_density


def gaussian_of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    family, mean, observed = of_complete(family), averages(x, weights), ~np.isnan(x)
    if family.letters.diagonal:
        squares, cells = np.where(observed, (x - mean[:, None]) ** 2, 0.0) @ weights, observed @ weights
        variances = squares / cells
        if family.letters.isotropic:
            variances = np.full(len(x), squares.sum() / cells.sum())
        covariance = np.diag(variances)
    elif observed.all():
        covariance = np.atleast_2d(np.cov(x, aweights=weights, bias=True))
    else:
        mean, covariance = normal_of_all(x, weights)
    return {"means": mean[None], "covariances": to_shape(covariance[None], family.covariance)}


def normal_of_all(x: Array, weights: Array) -> tuple[Array, Array]:
    """Maximum-likelihood mean and covariance of rows with missing cells, by EM from the regressions of each pattern."""
    about = averages(x, weights)[:, None]
    z, mean, covariance = x - about, np.zeros(len(x)), np.diag(np.nanvar(x, axis=1))
    patterns, place = np.unique(~np.isnan(x), axis=1, return_inverse=True)
    parts = [(seen, place.ravel() == number) for number, seen in enumerate(patterns.T)]
    known = [(seen, z[np.ix_(seen, rows)], weights[rows]) for seen, rows in parts]
    for _ in range(3000):
        total, outer = np.zeros(len(x)), np.zeros_like(covariance)
        for seen, some, share in known:
            slope = np.linalg.solve(covariance[np.ix_(seen, seen)], covariance[seen]).T
            whole = mean[:, None] + slope @ (some - mean[seen, None])
            total += whole @ share
            outer += (whole * share) @ whole.T + share.sum() * (covariance - slope @ covariance[seen])
        before, mean = covariance, total / weights.sum()
        covariance = outer / weights.sum() - np.outer(mean, mean)
        if np.abs(covariance - before).max() < 1e-13 * np.abs(covariance).max():
            break
    return mean + about[:, 0], covariance


def structures() -> list[str]:
    """Each covariance structure once, by its alias if it has one."""
    alias = {name: alias for alias, name in COVARIANCES.aliases.items()}
    return [alias.get(name, name) for name in COVARIANCES]


def gaussian_cases() -> list[Case]:
    """One for each covariance structure; missing cells where the M-step of what completes them is not like others'."""
    cases = []
    for covariance in structures():
        structure = COVARIANCES.load(covariance)
        case = Case(
            f"gaussian-{covariance}",
            ("real", "real", "real"),
            ("real",),
            not structure.letters.common_scale,
            lambda kinds, covariance=covariance: Gaussian(covariance),
            scipy_gaussian,
            gaussian_of_all,
        )
        whole, gaps = with_and_without_gaps(case)
        exact = structure.letters.diagonal and not structure.letters.coupled
        cases += [whole] if covariance in WHOLE else [whole, replace(gaps, exact=exact)]
    return cases
