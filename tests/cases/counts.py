"""Counts, of which some have trials, or share a total."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import optimize, stats
from scipy.special import digamma, gammaln
from support import SMALLEST, Case, Document

from cases.seen import averages, by_columns, of_observed, with_and_without_gaps
from em_cli.engine.arrays import Array
from em_cli.families.distributions.binomial import Binomial
from em_cli.families.distributions.multinomial import Multinomial
from em_cli.families.distributions.negative_binomial import NegativeBinomial
from em_cli.families.distributions.poisson import Poisson
from em_cli.families.distributions.zero_inflated_poisson import ZeroInflatedPoisson

scipy_poisson = by_columns("rates", stats.poisson)


def poisson_of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    return {"rates": averages(x, weights)[None]}


def poisson_cases() -> list[Case]:
    kinds = ("count", "count")
    return with_and_without_gaps(
        Case("poisson", kinds, ("count",), False, lambda kinds: Poisson(), scipy_poisson, poisson_of_all)
    )


def binomial_cases() -> list[Case]:
    """With a constant number of trials, and with columns of trials."""

    def scipy_binomial(family: Any, document: Document, x: Array) -> Array:
        fixed = family.distribution.trials
        successes, trials = (x, fixed) if fixed else (x[::2], x[1::2])
        cells = []
        for p in np.array(document["probabilities"])[..., None]:
            rarer = np.maximum(np.minimum(p, 1 - p), np.exp(SMALLEST))
            cells.append(stats.binom(trials, rarer).logpmf(np.where(p > 0.5, trials - successes, successes)))
        return np.stack([of_observed(by_cell, successes) for by_cell in cells])

    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        fixed = family.distribution.trials
        mean = averages(x, weights)
        return {"probabilities": (mean / fixed if fixed else mean[::2] / mean[1::2])[None]}

    kinds, pairs = ("12 trials",) * 2, ("12 trials", "of 12") * 2
    alone = Case("binomial", kinds, kinds[:2], False, lambda kinds: Binomial(12), scipy_binomial, of_all)
    paired = replace(
        alone,
        name="binomial-pairs",
        free_order=False,
        kinds=pairs,
        narrow=pairs,
        build=lambda kinds: Binomial(trials_columns=True),
    )
    return [*with_and_without_gaps(alone), paired]


def multinomial_cases() -> list[Case]:
    def scipy_multinomial(family: Any, document: Document, x: Array) -> Array:
        with np.errstate(divide="ignore"):
            logs = [np.log(p)[:, None] for p in document["probabilities"]]
        whole = stats.multinomial(x.sum(axis=0), np.full(len(x), 1 / len(x))).logpmf(x.T) + x.sum(axis=0) * np.log(
            len(x)
        )
        return np.stack([whole + np.where(x > 0, x * np.maximum(log, SMALLEST), 0).sum(axis=0) for log in logs])

    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        mean = averages(x, weights)
        return {"probabilities": (mean / mean.sum())[None]}

    kinds = ("count",) * 4
    case = Case("multinomial", kinds, kinds[:2], False, lambda kinds: Multinomial(), scipy_multinomial, of_all)
    return [replace(case, normalised=False)]


def negative_binomial_cases() -> list[Case]:
    def scipy_negative_binomial(family: Any, document: Document, x: Array) -> Array:
        laws = zip(np.array(document["means"]), np.array(document["sizes"]), strict=True)
        return np.stack([of_observed(_negative_binomial(x, m[:, None], s[:, None]), x) for m, s in laws])

    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        means, sizes = averages(x, weights), []
        for row, mean in zip(x, means, strict=True):
            seen = ~np.isnan(row)
            row, own = row[seen], weights[seen]

            def slope(log_size: float, row: Array = row, own: Array = own, mean: float = mean) -> float:
                size = np.exp(log_size)
                each = digamma(row + size) - digamma(size) - np.log1p(mean / size)
                return float((own * each).sum())

            overdispersed = slope(np.log(1e4 * max(mean, 1))) < 0
            log_size = (
                optimize.brentq(slope, -20, np.log(1e4 * max(mean, 1)), xtol=1e-14, rtol=1e-14) if overdispersed else 0
            )
            sizes.append(np.exp(log_size) if overdispersed else 1e10 * max(mean, 1))
        return {"means": means[None], "sizes": np.array(sizes)[None]}

    kinds = ("dispersed count",) * 2
    return with_and_without_gaps(
        Case(
            "negative_binomial",
            kinds,
            kinds[:1],
            False,
            lambda kinds: NegativeBinomial(),
            scipy_negative_binomial,
            of_all,
        )
    )


def _negative_binomial(x: Array, means: Array, sizes: Array) -> Array:
    """(D, n); where the sizes are large, scipy has not all digits."""
    near = np.minimum(sizes, 1e3)
    beyond = [
        [np.log1p(np.arange(cell) / size).sum() for cell in np.nan_to_num(row)]
        for row, (size,) in zip(x, sizes, strict=True)
    ]
    far = (
        np.array(beyond)
        - (x + sizes) * np.log1p(means / sizes)
        + x * np.log(np.maximum(means, 1e-300))
        - gammaln(x + 1)
    )
    return np.where(sizes < 1e3, stats.nbinom(near, near / (near + means)).logpmf(x), far)


def zero_inflated_poisson_cases() -> list[Case]:
    def law(family: Any, document: Document, x: Array) -> Array:
        parts = zip(np.array(document["rates"]), np.array(document["zero_probabilities"]), strict=True)
        cells = []
        for rates, omega in parts:
            counted = stats.poisson(rates[:, None]).logpmf(x) + np.log1p(-omega[:, None])
            with np.errstate(divide="ignore"):
                zero = np.logaddexp(np.log(omega), np.log1p(-omega) - rates)[:, None]
            cells.append(np.where(x > 0, counted, zero))
        return np.stack([of_observed(by_cell, x) for by_cell in cells])

    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        """By the equation for the rate λ/(1 - exp(-λ)) = mean of the positive counts."""
        rates, shares = [], []
        for row in x:
            row, own = row[~np.isnan(row)], weights[~np.isnan(row)]
            positive = np.average(row[row > 0], weights=own[row > 0])
            rate = optimize.brentq(
                lambda rate, positive=positive: rate / -np.expm1(-rate) - positive, 1e-9, positive, xtol=1e-14
            )
            share = (own[row == 0].sum() / own.sum() - np.exp(-rate)) / -np.expm1(-rate)
            rates.append(rate if share > 0 else np.average(row, weights=own))
            shares.append(max(share, 0))
        return {"rates": np.array([rates]), "zero_probabilities": np.array([shares])}

    kinds = ("inflated count",) * 2
    return with_and_without_gaps(
        Case("zero_inflated_poisson", kinds, kinds[:1], False, lambda kinds: ZeroInflatedPoisson(), law, of_all)
    )
