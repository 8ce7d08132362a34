"""Responses given regressors."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from scipy import optimize, special, stats
from support import Case, Document

from em_cli.engine.arrays import Array, Integers
from em_cli.families.regression.options import Regression

NAMES = ("y", "x1", "x2")


def build(law: str, trials: int | None = None, common: str = "") -> Any:
    """A regression of the first column on all others, of which one may have the same coefficient in all components."""

    def built(kinds: Any) -> Regression:
        names = NAMES[: len(kinds)]
        shared = [name for name in names if name == common]
        return Regression("y", law, names[1:], shared, None, trials, names, ((),) * len(kinds))

    return built


def predictors(document: Document, x: Array) -> Array:
    """(K, n)."""
    return np.asarray(document["coefficients"]) @ np.concatenate([np.ones((1, x.shape[1])), x[1:]])


def normal(family: Any, document: Document, x: Array) -> Array:
    return stats.norm(predictors(document, x), np.array(document["sigma"])[:, None]).logpdf(x[0])


def poisson(family: Any, document: Document, x: Array) -> Array:
    return stats.poisson(np.exp(predictors(document, x))).logpmf(x[0])


def binomial(family: Any, document: Document, x: Array) -> Array:
    return stats.binom(12, special.expit(predictors(document, x))).logpmf(x[0])


def gamma(family: Any, document: Document, x: Array) -> Array:
    shapes = np.array(document["shape"])[:, None]
    return stats.gamma(shapes, scale=np.exp(predictors(document, x)) / shapes).logpdf(x[0])


def negative_binomial(family: Any, document: Document, x: Array) -> Array:
    """Of large sizes Poisson's law, which the other is but for digits that it has lost."""
    sizes, means = np.array(document["size"])[:, None], np.exp(predictors(document, x))
    near = np.minimum(sizes, 1e7)
    return np.where(
        sizes < 1e7, stats.nbinom(near, near / (near + means)).logpmf(x[0]), stats.poisson(means).logpmf(x[0])
    )


def least_squares(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    """Of one component, by orthogonal factors, about the means of the columns."""
    means = np.average(x, axis=1, weights=weights)
    root, away = np.sqrt(weights), x - means[:, None]
    slopes = np.linalg.lstsq((away[1:] * root).T, away[0] * root)[0]
    errors = away[0] - slopes @ away[1:]
    coefficients = np.append(means[0] - slopes @ means[1:], slopes)
    return {"coefficients": coefficients[None], "sigma": np.sqrt([np.average(errors**2, weights=weights)])}


def by_scores(mean: Any) -> Any:
    """Of one component, where the scores Σ w (y − μ) x vanish."""

    def found(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        means = np.average(x, axis=1, weights=weights)
        design = np.concatenate([np.ones((1, x.shape[1])), x[1:] - means[1:, None]])

        def scores(beta: Array) -> Array:
            return (design * weights) @ (x[0] - mean(beta @ design))

        begin = np.append(np.log(x[0].mean() + 0.5) if mean is np.exp else 0.0, np.zeros(len(x) - 1))
        root = optimize.root(scores, begin, tol=1e-12)
        assert root.success
        return {"coefficients": np.append(root.x[0] - root.x[1:] @ means[1:], root.x[1:])[None]}

    return found


def with_dispersion(name: str, scores: Any) -> Any:
    """Of one component, where the scores of the coefficients and of what tells the dispersion vanish together."""

    def found(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        means = np.average(x, axis=1, weights=weights)
        design = np.concatenate([np.ones((1, x.shape[1])), x[1:] - means[1:, None]])

        def sums(at: Array) -> Array:
            of_line, of_dispersion = scores(x[0], np.exp(at[:-1] @ design), np.exp(at[-1]))
            return np.append((design * weights) @ of_line, weights @ of_dispersion)

        line = np.linalg.lstsq(design.T, np.log(x[0] + 0.5))[0]
        root = optimize.root(sums, np.append(line, 0.0), tol=1e-12)
        assert root.success
        slopes = root.x[1:-1]
        coefficients = np.append(root.x[0] - slopes @ means[1:], slopes)
        return {"coefficients": coefficients[None], name: np.exp(root.x[-1:])}

    return found


def gamma_scores(y: Array, mu: Array, shape: float) -> tuple[Array, Array]:
    return y / mu - 1, np.log(shape) + 1 - special.digamma(shape) + np.log(y / mu) - y / mu


def negative_binomial_scores(y: Array, mu: Array, size: float) -> tuple[Array, Array]:
    steps = special.digamma(y + size) - special.digamma(size)
    return (y - mu) / (1 + mu / size), steps + np.log(size / (size + mu)) + 1 - (y + size) / (mu + size)


class Lines(Case):
    """Rows whose responses stand about lines that are so far apart."""

    def unresolved(self, seed: int, n: int, separation: float, k: int = 3) -> tuple[Array, Integers]:
        rng = np.random.default_rng((seed, n, k))
        labels = np.concatenate([np.arange(k), rng.integers(k, size=n - k)])
        x = rng.standard_normal((len(self.kinds), n))
        slopes = rng.uniform(-1, 1, (k, len(self.kinds) - 1))[labels].T
        lines = rng.permutation(k)[labels] + (slopes * x[1:]).sum(axis=0) / 4
        if self.kinds[0] == "real":
            x[0] += separation * lines
        elif self.kinds[0] == "count":
            x[0] = rng.poisson(np.exp(np.log1p(min(separation, 20)) * lines))
        elif self.kinds[0] == "dispersed count":
            x[0] = rng.poisson(np.exp(np.log1p(min(separation, 20)) * lines) * rng.gamma(9.0, 1 / 9, n))
        elif self.kinds[0] == "positive":
            x[0] = np.exp(np.log1p(min(separation, 20)) * lines) * rng.gamma(4.0, 0.25, n)
        else:
            odds = np.exp(min(separation, 6) * (lines - (k - 1) / 2) / 2)
            x[0] = rng.binomial(12, odds / (1 + odds))
        return x, labels


def regression_cases() -> list[Case]:
    kinds = ("real", "real", "real")
    linear = Lines("regression", kinds, kinds[:1], False, build("gaussian"), normal, least_squares, free_order=False)
    general = replace(
        linear,
        name="regression-poisson",
        kinds=("count", "real"),
        narrow=("count",),
        build=build("poisson"),
        log_density=poisson,
        closed_form=by_scores(np.exp),
        exact=False,
        bounded=False,
    )
    trials = replace(
        general,
        name="regression-binomial",
        kinds=("12 trials", "real"),
        narrow=("12 trials",),
        build=build("binomial", 12),
        log_density=binomial,
        closed_form=by_scores(lambda eta: 12 * special.expit(eta)),
    )
    quantities = replace(
        general,
        name="regression-gamma",
        kinds=("positive", "real"),
        narrow=("positive",),
        build=build("gamma"),
        log_density=gamma,
        closed_form=with_dispersion("shape", gamma_scores),
    )
    dispersed = replace(
        general,
        name="regression-negative-binomial",
        kinds=("dispersed count", "real"),
        narrow=("dispersed count",),
        build=build("negative_binomial"),
        log_density=negative_binomial,
        closed_form=with_dispersion("size", negative_binomial_scores),
    )
    shared = replace(linear, name="regression-common", build=build("gaussian", common="x2"), exact=False)
    counts = replace(
        general,
        name="regression-poisson-common",
        kinds=("count", "real", "real"),
        build=build("poisson", common="x2"),
    )
    return [linear, general, trials, quantities, dispersed, shared, counts]
