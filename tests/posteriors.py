"""Parameters drawn from the posteriors that documents hold, and what prior and posterior say of them, by scipy."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from scipy import stats

from em_cli.engine.model import Model
from em_cli.families.covariances.shapes import to_shape
from em_cli.families.product import BoundProduct

Drawn = tuple[dict[str, Any], float]  # a document of parameters, and log p(θ) - log q(θ)


def draw(document: Mapping[str, Any], plain: Model, rng: np.random.Generator) -> Drawn:
    """Mixing weights and components; these as documents of the plain family have them."""
    weights, log_ratio = of_weights(document["weights_posterior"], rng)
    if isinstance(plain.family, BoundProduct):
        pairs = zip(document["groups"], plain.family.families, strict=True)
        parts = [of_family(own, family, rng) for own, family in pairs]
        found: dict[str, Any] = {"groups": [part for part, _ in parts]}
        log_ratio += sum(ratio for _, ratio in parts)
    else:
        found, ratio = of_family(document, plain.family, rng)
        log_ratio += ratio
    return found | {"weights": weights}, log_ratio


def of_weights(told: Mapping[str, Any], rng: np.random.Generator) -> tuple[np.ndarray, float]:
    counts, prior = np.array(told["weight_concentration"]), told["weight_concentration_prior"]
    if told["name"] == "dirichlet":
        pi = rng.dirichlet(counts) + 1e-300
        pi /= pi.sum()
        k = len(pi)
        if k == 1:
            return pi, 0.0
        own, other = stats.dirichlet(np.full(k, prior)), stats.dirichlet(counts)
        return pi, float(own.logpdf(pi) - other.logpdf(pi))
    order = np.argsort(-counts.sum(axis=1))  # the stick of the largest component is the first
    sticks = rng.beta(counts[:, 0], counts[:, 1])
    left, pi = 1.0, np.empty(len(counts))
    for k in order:
        pi[k], left = sticks[k] * left, left * (1 - sticks[k])
    own, other = stats.beta(1.0, prior), stats.beta(counts[:, 0], counts[:, 1])
    return pi, float((own.logpdf(sticks) - other.logpdf(sticks)).sum())


def of_family(own: Mapping[str, Any], family: Any, rng: np.random.Generator) -> Drawn:
    posterior, prior = own["posterior"], own["prior_parameters"]
    if "inverse_scale" in posterior:
        return of_normal(posterior, prior, family, rng)
    return OF_COLUMNS[frozenset(posterior)](posterior, prior, own, rng)


def of_normal(posterior: Any, prior: Any, family: Any, rng: np.random.Generator) -> Drawn:
    letters, means = family.letters, np.array(posterior["means"])
    k, d = means.shape
    precisions, log_ratio = np.empty((k, d, d)), 0.0
    for c in range(k):
        if letters.shared and c:
            precisions[c] = precisions[0]
            continue
        at = posterior["degrees_of_freedom"][c], np.array(posterior["inverse_scale"][c])
        before = prior["degrees_of_freedom"], np.array(prior["inverse_scale"])
        if letters.diagonal:
            own, other = (stats.gamma(dof / 2, scale=2 / scale) for dof, scale in (before, at))
            drawn = other.rvs(size=d, random_state=rng)
            ratios = own.logpdf(drawn) - other.logpdf(drawn)
            if letters.isotropic:
                drawn, ratios = np.full(d, drawn[0]), ratios[:1]
                ratios = own.logpdf(drawn[:1])[:1] - other.logpdf(drawn[:1])[:1]
            precisions[c], log_ratio = np.diag(drawn), log_ratio + float(ratios.sum())
        else:
            own, other = (stats.wishart(dof, np.linalg.inv(scale)) for dof, scale in (before, at))
            precisions[c] = np.atleast_2d(other.rvs(random_state=rng))
            log_ratio += float(own.logpdf(precisions[c]) - other.logpdf(precisions[c]))
    covariances, centres = np.linalg.inv(precisions), np.empty((k, d))
    for c in range(k):
        near, far = posterior["mean_precision"][c], prior["mean_precision"]
        other = stats.multivariate_normal(means[c], covariances[c] / near)
        centres[c] = np.atleast_1d(other.rvs(random_state=rng))
        own = stats.multivariate_normal(prior["means"], covariances[c] / far)
        log_ratio += float(own.logpdf(centres[c]) - other.logpdf(centres[c]))
    return {"means": centres.tolist(), "covariances": to_shape(covariances, family.covariance).tolist()}, log_ratio


def of_rates(posterior: Any, prior: Any, own: Any, rng: np.random.Generator) -> Drawn:
    before, at = (stats.gamma(np.array(p["shape"]), scale=1 / np.array(p["rate"])) for p in (prior, posterior))
    rates = at.rvs(random_state=rng)
    return {"rates": rates.tolist()}, float((before.logpdf(rates) - at.logpdf(rates)).sum())


def of_levels(posterior: Any, prior: Any, own: Any, rng: np.random.Generator) -> Drawn:
    """Of two levels, documents of binary columns have the probability of the second alone."""
    found, log_ratio = [], 0.0
    for of_component, point in zip(posterior["concentration"], own["probabilities"], strict=True):
        rows = []
        for at, before, shown in zip(of_component, prior["concentration"], point, strict=True):
            other, earlier = stats.dirichlet(at), stats.dirichlet(before)
            p = other.rvs(random_state=rng)[0]
            log_ratio += float(earlier.logpdf(p) - other.logpdf(p))
            rows.append(p.tolist() if isinstance(shown, list) else float(p[1]))
        found.append(rows)
    return {"probabilities": found}, log_ratio


OF_COLUMNS = {frozenset({"shape", "rate"}): of_rates, frozenset({"concentration"}): of_levels}
