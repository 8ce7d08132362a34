"""t components."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import optimize, stats
from scipy.special import digamma
from support import Case, Document

from cases.gaussian import gaussian_of_all
from cases.seen import averages, by_pattern, of_complete, with_and_without_gaps
from em_cli.engine.arrays import Array, Integers
from em_cli.families.covariances import COVARIANCES
from em_cli.families.covariances.shapes import from_shape, to_shape
from em_cli.families.student_t.options import StudentT


def scipy_student_t(family: Any, document: Document, x: Array) -> Array:
    means = np.array(document["means"])
    scales = from_shape(np.array(document["scales"]), of_complete(family).normal.covariance, *means.shape)
    log_density = np.zeros((len(means), x.shape[1]))
    for seen, rows in by_pattern(x):
        for k in range(len(means) if seen.any() else 0):
            centred, scale = x[np.ix_(seen, rows)] - means[k, seen, None], scales[k][np.ix_(seen, seen)]
            log_density[k, rows] = _multivariate_t(centred, scale, document["dof"][k])
    return log_density


def _multivariate_t(centred: Array, scale: Array, dof: float) -> Array:
    """Of scipy, in coordinates where the scale matrix is the identity: it takes narrow ones for singular."""
    unit = np.linalg.inv(np.linalg.cholesky(scale))
    log_determinant = np.log(np.diagonal(unit)).sum()
    log_density = stats.multivariate_t(np.zeros(len(scale)), np.eye(len(scale)), dof).logpdf((unit @ centred).T)
    return log_density.reshape(-1) + log_determinant


def student_t_of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    """By the fixed point of the likelihood equations; where cells are missing, by that of Liu & Rubin (1995)."""
    if np.isnan(x).any():
        return _student_t_of_observed(of_complete(family), x, weights)
    normal, d, dof = family.normal, len(x), family.dof
    document, before = gaussian_of_all(family.normal, x, weights), np.zeros(x.shape[1])
    for _ in range(1000):
        scale = from_shape(np.array(document["covariances"]), normal.covariance, 1, d)[0]
        centred = x - np.array(document["means"])[0][:, None]
        distance = np.einsum("dn,de,en->n", centred, np.linalg.inv(scale), centred)
        if family.dof in ("free", "common"):
            dof = _likeliest_dof(distance, weights, d)
        document = gaussian_of_all(family.normal, x, weights / (dof + distance))
        if np.allclose(distance, before, rtol=1e-10, atol=0):
            break
        before = distance
    return {"means": document["means"], "scales": document["covariances"], "dof": np.array([dof])}


def _student_t_of_observed(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    """Location and scale matrix by EM, the degrees of freedom by the observed log-likelihood itself."""
    letters, dof, seen = family.normal.letters, family.dof, (~np.isnan(x)).sum(axis=0)
    about = averages(x, weights)
    x = x - about[:, None]
    mean, scale, distance = np.zeros(len(x)), np.diag(np.nanvar(x, axis=1)), np.zeros(x.shape[1])
    if isinstance(dof, str):
        dof = 30.0
    for _ in range(5000):
        before, whole, spread = distance.copy(), np.empty_like(x), np.zeros_like(scale)
        for own, rows in by_pattern(x):
            centred = x[np.ix_(own, rows)] - mean[own, None]
            slope = np.linalg.solve(scale[np.ix_(own, own)], scale[own]).T
            distance[rows] = (centred * np.linalg.solve(scale[np.ix_(own, own)], centred)).sum(axis=0)
            whole[:, rows] = mean[:, None] + slope @ centred
            spread += weights[rows].sum() * (scale - slope @ scale[own])
        if np.allclose(distance, before, rtol=1e-8, atol=1e-10):
            break
        heavy = weights * (dof + seen) / (dof + distance)
        mean = np.average(whole, axis=1, weights=heavy)
        scale = ((whole - mean[:, None]) * heavy @ (whole - mean[:, None]).T + spread) / weights.sum()
        if letters.diagonal:
            scale = np.diag(np.full(len(x), np.trace(scale) / len(x)) if letters.isotropic else np.diag(scale))
        if family.dof in ("free", "common"):
            dof = _likeliest_dof(distance, weights, seen)
    scales = to_shape(scale[None], family.normal.covariance)
    return {"means": (mean + about)[None], "scales": scales, "dof": np.array([dof])}


def _likeliest_dof(distance: Array, weights: Array, d: int | Integers) -> float:
    def slope(dof: float) -> float:
        by_row = (dof + d) / dof * distance / (dof + distance) - np.log1p(distance / dof)
        return float(weights @ (by_row + digamma((dof + d) / 2) - digamma(dof / 2) - d / dof))

    if slope(1000.0) >= 0:
        return 1000.0
    found: float = optimize.brentq(slope, 1.0, 1000.0, xtol=1e-12)
    return found


def student_t_cases() -> list[Case]:
    """Few degrees of freedom would leave too much of the density beyond where it is summed."""
    options: list[tuple[str, str | float]] = [("full", "free"), ("tied", "free"), ("diag", "common"), ("spherical", 40)]
    cases = [
        Case(
            f"student_t-{covariance}-{dof}",
            ("real", "real", "real"),
            ("real",),
            not COVARIANCES.load(covariance).letters.common_scale,
            lambda kinds, covariance=covariance, dof=dof: StudentT(covariance, dof),
            scipy_student_t,
            student_t_of_all,
            exact=False,
        )
        for covariance, dof in options
    ]
    return [*cases, *(with_and_without_gaps(cases[number])[1] for number in (0, 2))]
