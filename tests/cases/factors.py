"""Factor analysers and principal components."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import optimize
from support import Case, Document, Kinds

from cases.gaussian import scipy_gaussian
from cases.seen import averages, by_pattern, of_complete, with_and_without_gaps
from em_cli.engine.arrays import Array
from em_cli.engine.family import Family
from em_cli.families.gaussian.options import Gaussian


def scipy_factors(family: Any, document: Document, x: Array) -> Array:
    loadings, noise = np.array(document["loadings"]), np.array(document["noise_variances"])
    d = loadings.shape[1]
    covariances = loadings @ np.swapaxes(loadings, 1, 2) + noise.reshape(len(noise), -1)[:, :, None] * np.eye(d)
    return scipy_gaussian(Gaussian("full"), {"means": document["means"], "covariances": covariances}, x)


def factors_of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    """Principal components (Tipping & Bishop 1999); or loadings and noise by turns, each the best for the other."""
    if np.isnan(x).any():
        return _factors_of_observed(of_complete(family), x, weights)
    covariance, q = np.atleast_2d(np.cov(x, aweights=weights, bias=True)), family.n_factors
    noise = np.diag(covariance) / 2
    if family.isotropic:
        noise = np.full(len(x), np.linalg.eigvalsh(covariance)[: len(x) - q].mean())
    for _ in range(20_000):
        values, vectors = np.linalg.eigh(covariance / np.sqrt(np.outer(noise, noise)))
        loadings = np.sqrt(noise)[:, None] * vectors[:, -q:] * np.sqrt(values[-q:] - 1)
        if family.isotropic:
            break
        before, noise = noise, np.diag(covariance) - (loadings**2).sum(axis=1)
        if np.allclose(noise, before, rtol=1e-10, atol=0):
            break
    return {
        "means": np.average(x, axis=1, weights=weights)[None],
        "loadings": loadings[None],
        "noise_variances": noise[:1] if family.isotropic else noise[None],
    }


def _factors_of_observed(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    """By the gradient of the observed log-likelihood, what is missing standing apart in the covariance of a pattern."""
    about, scale = averages(x, weights), np.nanstd(x, axis=1)
    if family.isotropic:
        scale = np.full_like(scale, scale.mean())
    d, q = len(x), family.n_factors
    z = (x - about[:, None]) / scale[:, None]
    parts = [(seen, z[np.ix_(seen, rows)], weights[rows]) for seen, rows in by_pattern(x)]
    mass = np.array([share.sum() for _, _, share in parts])
    seen = np.array([own for own, _, _ in parts])
    first, second, both = np.zeros((len(parts), d)), np.zeros((len(parts), d, d)), seen[:, :, None] & seen[:, None]
    for place, (own, some, share) in enumerate(parts):
        first[place, own] = some @ share
        second[place][np.ix_(own, own)] = some * share @ some.T

    def unpacked(u: Array) -> tuple[Array, Array, Array]:
        mean, loadings, logs = np.split(u, [d, d + d * q])
        return mean, loadings.reshape(d, q), np.exp(np.broadcast_to(logs, d))

    def lacking(u: Array) -> tuple[float, Array]:
        mean, loadings, noise = unpacked(u)
        covariances = np.where(both, loadings @ loadings.T + np.diag(noise), np.eye(d))
        precision, (_, log_determinant) = np.linalg.inv(covariances), np.linalg.slogdet(covariances)
        shift = first - mass[:, None] * mean * seen
        outer = first[:, :, None] * mean
        scatter = (second - outer - np.swapaxes(outer, 1, 2) + mass[:, None, None] * np.outer(mean, mean)) * both
        height = -0.5 * (mass @ log_determinant + (precision * scatter).sum())
        slope = np.where(both, precision @ scatter @ precision - mass[:, None, None] * precision, 0.0).sum(axis=0)
        by_noise = 0.5 * np.diag(slope) * noise
        parts = (precision @ shift[:, :, None]).sum(axis=0).ravel(), (slope @ loadings).ravel()
        return -height, -np.concatenate([*parts, [by_noise.sum()] if family.isotropic else by_noise])

    values, vectors = np.linalg.eigh(np.cov(np.nan_to_num(z), aweights=weights))
    leading = vectors[:, -q:] * np.sqrt(0.8 * values[-q:])
    found = optimize.minimize(
        lacking,
        np.concatenate([np.zeros(d), leading.ravel(), np.full(1 if family.isotropic else d, -1.0)]),
        jac=True,
        method="L-BFGS-B",
        options={"maxiter": 5000, "maxfun": 10_000, "ftol": 1e-14, "gtol": 1e-9, "maxcor": 30},
    )
    mean, loadings, noise = unpacked(found.x)
    noise = noise * scale**2
    return {
        "means": (about + mean * scale)[None],
        "loadings": (loadings * scale[:, None])[None],
        "noise_variances": noise[:1] if family.isotropic else noise[None],
    }


def factor_cases(name: str, free_units: bool, build: Callable[[Kinds], Family]) -> list[Case]:
    kinds = ("real",) * 6
    case = Case(name, kinds, kinds[:1], free_units, build, scipy_factors, factors_of_all, exact=False)
    return with_and_without_gaps(replace(case, expanded=True, factor=2.0))
