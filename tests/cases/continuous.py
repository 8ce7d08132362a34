"""Positive quantities, proportions and angles."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy import stats
from scipy.special import digamma, i0e, i1e, polygamma
from support import Case, Document

from cases.seen import averages, by_columns, by_pairs, root, with_and_without_gaps
from em_cli.engine.arrays import Array
from em_cli.engine.family import Family
from em_cli.families.distributions.bernoulli import SMALLEST as SMALLEST_SHARE
from em_cli.families.distributions.beta import Beta
from em_cli.families.distributions.exponential import Exponential
from em_cli.families.distributions.gamma import Gamma
from em_cli.families.distributions.lognormal import Lognormal
from em_cli.families.distributions.von_mises import VonMises
from em_cli.families.distributions.weibull import Weibull
from em_cli.families.distributions.zero_inflated_gamma import ZeroInflatedGamma
from em_cli.families.distributions.zero_inflated_gaussian import ZeroInflatedGaussian
from em_cli.families.distributions.zero_inflated_lognormal import ZeroInflatedLognormal


def stirling_rest(a: Any) -> Any:
    """a log a − a − log Γ(a) of large numbers."""
    return 0.5 * np.log(a / (2 * np.pi)) - 1 / (12 * a) + 1 / (360 * a**3)


def gamma_log_density(x: Array, shapes: Array, scales: Array) -> Array:
    """Where scipy.stats loses digits, in extended precision."""
    a, u = shapes.astype(np.longdouble), x.astype(np.longdouble) / scales
    exact = stirling_rest(a) + a * (np.log(u / a) + 1 - u / a) - np.log(x)
    return np.where(shapes > 1e4, exact.astype(float), stats.gamma(shapes, scale=scales).logpdf(x))


def beta_log_density(x: Array, alphas: Array, betas: Array) -> Array:
    """Likewise."""
    a, b, u = alphas.astype(np.longdouble), betas.astype(np.longdouble), x.astype(np.longdouble)
    exact = a * np.log(u * (a + b) / a) + b * np.log((1 - u) * (a + b) / b) - np.log(u) - np.log(1 - u)
    exact += stirling_rest(a) + stirling_rest(b) - stirling_rest(a + b)
    return np.where(alphas + betas > 1e4, exact.astype(float), stats.beta(alphas, betas).logpdf(x))


def exponential_cases() -> list[Case]:
    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        return {"rates": 1 / averages(x, weights)[None]}

    law = by_columns("rates", lambda rates: stats.expon(scale=1 / rates))
    kinds = ("positive",) * 3
    return with_and_without_gaps(Case("exponential", kinds, kinds[:1], True, lambda kinds: Exponential(), law, of_all))


def gamma_cases() -> list[Case]:
    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        means = averages(x, weights)
        slack = np.log(means) - averages(np.log(x), weights)
        shapes = np.array([root(lambda a, s=s: np.log(a) - digamma(a) - s, 1e4) for s in slack])
        return {"shapes": shapes[None], "scales": (means / shapes)[None]}

    law = by_pairs(("shapes", "scales"), gamma_log_density)
    kinds = ("skewed",) * 3
    return with_and_without_gaps(Case("gamma", kinds, kinds[:1], True, lambda kinds: Gamma(), law, of_all))


def lognormal_cases() -> list[Case]:
    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        means = averages(np.log(x), weights)
        return {
            "log_means": means[None],
            "log_sds": np.sqrt(averages((np.log(x) - means[:, None]) ** 2, weights))[None],
        }

    law = by_pairs(("log_means", "log_sds"), lambda x, mean, sd: stats.norm(mean, sd).logpdf(np.log(x)) - np.log(x))
    kinds = ("skewed",) * 3
    return with_and_without_gaps(Case("lognormal", kinds, kinds[:1], True, lambda kinds: Lognormal(), law, of_all))


def beta_cases() -> list[Case]:
    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        """By Newton's iteration from the moments."""
        mean = averages(x, weights)
        logs = np.stack([averages(np.log(x), weights), averages(np.log1p(-x), weights)])
        precision = mean * (1 - mean) / averages((x - mean[:, None]) ** 2, weights) - 1
        p = np.stack([precision * mean, precision * (1 - mean)])  # (2, D)
        for _ in range(50):
            curvature = np.eye(2) * polygamma(1, p).T[:, None] - polygamma(1, p.sum(axis=0))[:, None, None]
            p = p + np.linalg.solve(curvature, (logs - digamma(p) + digamma(p.sum(axis=0))).T[..., None])[..., 0].T
        return {"alphas": p[:1], "betas": p[1:]}

    law = by_pairs(("alphas", "betas"), beta_log_density)
    kinds = ("proportion",) * 3
    return with_and_without_gaps(Case("beta", kinds, kinds[:1], False, lambda kinds: Beta(), law, of_all))


def von_mises_cases() -> list[Case]:
    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        east, north = averages(np.cos(x), weights), averages(np.sin(x), weights)
        lengths = np.hypot(east, north)
        kappa = [root(lambda k, r=r: r - i1e(k) / i0e(k), 1e4) for r in lengths]
        return {"means": np.remainder(np.arctan2(north, east), 2 * np.pi)[None], "concentrations": [kappa]}

    law = by_pairs(("means", "concentrations"), lambda x, mean, kappa: stats.vonmises(kappa, loc=mean).logpdf(x))
    kinds = ("angle",) * 3
    return with_and_without_gaps(Case("von_mises", kinds, kinds[:1], False, lambda kinds: VonMises(), law, of_all))


def weibull_cases() -> list[Case]:
    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        logs = np.log(x)
        means = averages(logs, weights)

        def missed(shape: float, j: int) -> float:
            seen = ~np.isnan(x[j])
            t = weights[seen] * np.exp(shape * (logs[j, seen] - means[j]))
            return float(1 / shape - t @ (logs[j, seen] - means[j]) / t.sum())

        shapes = np.array([root(lambda c, j=j: missed(c, j), 50.0) for j in range(len(x))])
        scales = np.exp(means + np.log(averages(np.exp(shapes[:, None] * (logs - means[:, None])), weights)) / shapes)
        return {"shapes": shapes[None], "scales": scales[None]}

    def log_density(x: Array, shapes: Array, scales: Array) -> Array:
        log_t = shapes * np.log(x / scales)  # t itself may be too large a number
        near = stats.weibull_min(shapes, scale=scales).logpdf(np.where(log_t < 600, x, scales))
        return np.where(log_t < 600, near, -np.exp(600))

    law = by_pairs(("shapes", "scales"), log_density)
    kinds = ("skewed",) * 3
    case = Case("weibull", kinds, kinds[:1], True, lambda kinds: Weibull(), law, of_all, exact=False, bounded=False)
    return with_and_without_gaps(case)


def hurdle_cases(name: str, family: Family, kind: str, of_others: Case) -> list[Case]:
    """A point mass at zero, and what stands elsewhere as a case has it."""

    def log_density(family: Any, document: Document, x: Array) -> Array:
        elsewhere = np.where(x == 0, np.nan, x)
        shares = np.clip(np.array(document["value_probabilities"]), SMALLEST_SHARE, None)[:, :, None]
        others = np.log(np.maximum(1 - shares, SMALLEST_SHARE))
        masses = np.where(x == 0, np.log(shares), np.where(np.isnan(x), 0.0, others)).sum(axis=1)
        own: Array = of_others.log_density(family, document, elsewhere)
        return masses + own

    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        shares = averages(np.where(np.isnan(x), np.nan, x == 0), weights)
        return {"value_probabilities": shares[None]} | of_others.closed_form(
            family, np.where(x == 0, np.nan, x), weights
        )

    kinds = (kind,) * 2
    return with_and_without_gaps(Case(name, kinds, kinds[:1], True, lambda kinds: family, log_density, of_all))


def normal_case() -> Case:
    """The numbers of a hurdle that are elsewhere."""

    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        means = averages(x, weights)
        return {"means": means[None], "sds": np.sqrt(averages((x - means[:, None]) ** 2, weights))[None]}

    law = by_pairs(("means", "sds"), lambda x, mean, sd: stats.norm(mean, sd).logpdf(x))
    return Case("normal", ("real",), ("real",), True, lambda kinds: ZeroInflatedGaussian(), law, of_all)


def zero_inflated_gamma_cases() -> list[Case]:
    return hurdle_cases("zero_inflated_gamma", ZeroInflatedGamma(), "inflated skewed", gamma_cases()[0])


def zero_inflated_lognormal_cases() -> list[Case]:
    return hurdle_cases("zero_inflated_lognormal", ZeroInflatedLognormal(), "inflated skewed", lognormal_cases()[0])


def zero_inflated_gaussian_cases() -> list[Case]:
    return hurdle_cases("zero_inflated_gaussian", ZeroInflatedGaussian(), "inflated real", normal_case())
