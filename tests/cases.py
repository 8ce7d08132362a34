"""What the laws are run on: for every registered family a maker of cases.

A new family enters by a line in `CASE_MAKERS`. Its cases say of which kinds its columns are, how
to build it for such columns, and what an independent program (scipy.stats) says of its density.
Then every law runs on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import optimize, stats
from scipy.special import digamma, gammaln, i0e, i1e, polygamma
from support import SMALLEST, Case, Document, Kinds, n_levels

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.columns import unit_columns
from em_cli.engine.protocols import Family
from em_cli.families import FAMILIES
from em_cli.families.columnwise import Columnwise
from em_cli.families.covariances import COVARIANCES
from em_cli.families.covariances.shapes import from_shape, to_shape
from em_cli.families.distributions.bernoulli import bernoulli
from em_cli.families.distributions.beta import beta
from em_cli.families.distributions.binomial import binomial
from em_cli.families.distributions.categorical import categorical
from em_cli.families.distributions.exponential import exponential
from em_cli.families.distributions.gamma import gamma
from em_cli.families.distributions.lognormal import lognormal
from em_cli.families.distributions.multinomial import multinomial
from em_cli.families.distributions.negative_binomial import negative_binomial
from em_cli.families.distributions.poisson import poisson
from em_cli.families.distributions.von_mises import von_mises
from em_cli.families.distributions.weibull import weibull
from em_cli.families.distributions.zero_inflated_poisson import zero_inflated_poisson
from em_cli.families.factor_analyzers import FactorAnalyzers, ppca
from em_cli.families.gaussian import Gaussian
from em_cli.families.product import Product
from em_cli.families.student_t import StudentT


def scipy_gaussian(family: Any, document: Document, x: Array) -> Array:
    means = np.array(document["means"])
    k, d = means.shape
    covariances = from_shape(np.array(document["covariances"]), family.covariance, k, d)
    log_density = np.zeros((k, x.shape[1]))
    for seen, rows in by_pattern(x):
        for component in range(k if seen.any() else 0):
            root = np.linalg.cholesky(covariances[component][np.ix_(seen, seen)])
            law = stats.multivariate_normal(means[component, seen], stats.Covariance.from_cholesky(root))
            log_density[component, rows] = law.logpdf(x[np.ix_(seen, rows)].T)
    return log_density


def by_pattern(x: Array) -> Iterator[tuple[Flags, Integers]]:
    """Which cells (D,) are observed, and in which rows (m,)."""
    patterns, place = np.unique(~np.isnan(x), axis=1, return_inverse=True)
    for number, seen in enumerate(patterns.T):
        yield seen, np.flatnonzero(place.ravel() == number)


def of_observed(by_cell: Array, x: Array) -> Array:
    """(n,) sums over the observed cells (D, n)."""
    return np.where(np.isnan(x), 0.0, np.where(np.isneginf(by_cell), SMALLEST, by_cell)).sum(axis=0)


def by_columns(name: str, law: Callable[[Array], Any]) -> Callable[[Any, Document, Array], Array]:
    """The log-density of columns that all have the law of scipy.stats, from the field of that name."""

    def log_density(family: Any, document: Document, x: Array) -> Array:
        laws = [law(np.array(own)[:, None]) for own in document[name]]
        cells = [each.logpmf(x) if hasattr(each, "logpmf") else each.logpdf(x) for each in laws]
        return np.stack([of_observed(by_cell, x) for by_cell in cells])

    return log_density


def stirling_rest(a: Any) -> Any:
    """a log a − a − log Γ(a) of large numbers."""
    return 0.5 * np.log(a / (2 * np.pi)) - 1 / (12 * a) + 1 / (360 * a**3)


def by_pairs(names: tuple[str, str], law: Callable[[Array, Array, Array], Array]) -> Callable[..., Array]:
    """Of columns with two parameters each."""

    def log_density(family: Any, document: Document, x: Array) -> Array:
        both = zip(*[np.array(document[name]) for name in names], strict=True)
        return np.stack([of_observed(law(x, one[:, None], other[:, None]), x) for one, other in both])

    return log_density


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


scipy_poisson = by_columns("rates", stats.poisson)


def scipy_categorical(family: Any, document: Document, x: Array) -> Array:
    observed = ~np.isnan(x)
    codes = np.where(observed, x, 0).astype(int)
    with np.errstate(divide="ignore"):
        logs = [[np.log(column)[codes[j]] for j, column in enumerate(p)] for p in document["probabilities"]]
    return np.stack([of_observed(np.stack(by_cell), x) for by_cell in logs])


def scipy_student_t(family: Any, document: Document, x: Array) -> Array:
    means = np.array(document["means"])
    scales = from_shape(np.array(document["scales"]), family.normal.covariance, *means.shape)
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


def scipy_product(family: Any, document: Document, x: Array) -> Array:
    by_family = {Gaussian: scipy_gaussian, Columnwise: scipy_poisson}
    parts = zip(family.families, family.columns_of, document["groups"], strict=True)
    return np.sum([by_family[type(part)](part, own, x[columns]) for part, columns, own in parts], axis=0)


def gaussian_of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    mean, observed = averages(x, weights), ~np.isnan(x)
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


def averages(x: Array, weights: Array) -> Array:
    """(D,) of the observed cells."""
    observed = ~np.isnan(x)
    return (np.where(observed, x, 0.0) * weights).sum(axis=1) / (observed * weights).sum(axis=1)


def poisson_of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    return {"rates": averages(x, weights)[None]}


def categorical_of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    levels = family.distribution.levels
    shares = [[np.sum(weights * (row == code)) for code in range(n)] for row, n in zip(x, levels, strict=True)]
    return {"probabilities": [[(np.array(own) / np.sum(own)).tolist() for own in shares]]}


def product_of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    of_all = {Gaussian: gaussian_of_all, Columnwise: poisson_of_all}
    parts = zip(family.families, family.columns_of, strict=True)
    return {"groups": [of_all[type(part)](part, x[columns], weights) for part, columns in parts]}


def structures() -> list[str]:
    """Each covariance structure once, by its alias if it has one."""
    alias = {name: alias for alias, name in COVARIANCES.aliases.items()}
    return [alias.get(name, name) for name in COVARIANCES]


def gaussian_cases() -> list[Case]:
    """One for each covariance structure."""
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
        cases += [whole, replace(gaps, exact=structure.letters.diagonal and not structure.letters.coupled)]
    return cases


def student_t_of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    """By the fixed point of the likelihood equations; where cells are missing, by that of Liu & Rubin (1995)."""
    if np.isnan(x).any():
        return _student_t_of_observed(family, x, weights)
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


def scipy_factors(family: Any, document: Document, x: Array) -> Array:
    loadings, noise = np.array(document["loadings"]), np.array(document["noise_variances"])
    d = loadings.shape[1]
    covariances = loadings @ np.swapaxes(loadings, 1, 2) + noise.reshape(len(noise), -1)[:, :, None] * np.eye(d)
    return scipy_gaussian(Gaussian("full"), {"means": document["means"], "covariances": covariances}, x)


def factors_of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
    """Principal components (Tipping & Bishop 1999); or loadings and noise by turns, each the best for the other."""
    if np.isnan(x).any():
        return _factors_of_observed(family.base, x, weights)
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


def poisson_cases() -> list[Case]:
    kinds = ("count", "count")
    return with_and_without_gaps(
        Case("poisson", kinds, ("count",), False, lambda kinds: poisson(), scipy_poisson, poisson_of_all)
    )


def with_and_without_gaps(case: Case) -> list[Case]:
    return [case, replace(case, name=f"{case.name}-gaps", gaps=0.15)]


def bernoulli_cases() -> list[Case]:
    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        return {"probabilities": averages(x, weights)[None]}

    law = by_columns("probabilities", stats.bernoulli)
    kinds = ("binary",) * 12
    return with_and_without_gaps(Case("bernoulli", kinds, kinds[:2], False, lambda kinds: bernoulli(), law, of_all))


def categorical_cases() -> list[Case]:
    kinds = ("3 levels", "2 levels", "4 levels", "3 levels", "5 levels", "3 levels")

    def build(kinds: Kinds) -> Family:
        return categorical(tuple(map(n_levels, kinds)))

    return with_and_without_gaps(
        Case("categorical", kinds, kinds[1:3], False, build, scipy_categorical, categorical_of_all)
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
    alone = Case("binomial", kinds, kinds[:2], False, lambda kinds: binomial(12), scipy_binomial, of_all)
    paired = replace(
        alone,
        name="binomial-pairs",
        free_order=False,
        kinds=pairs,
        narrow=pairs,
        build=lambda kinds: binomial(trials_columns=True),
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
    case = Case("multinomial", kinds, kinds[:2], False, lambda kinds: multinomial(), scipy_multinomial, of_all)
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
            lambda kinds: negative_binomial(),
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
                cells.append(
                    np.where(x > 0, counted, np.log(omega[:, None] + (1 - omega)[:, None] * np.exp(-rates[:, None])))
                )
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
        Case("zero_inflated_poisson", kinds, kinds[:1], False, lambda kinds: zero_inflated_poisson(), law, of_all)
    )


def exponential_cases() -> list[Case]:
    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        return {"rates": 1 / averages(x, weights)[None]}

    law = by_columns("rates", lambda rates: stats.expon(scale=1 / rates))
    kinds = ("positive",) * 3
    return with_and_without_gaps(Case("exponential", kinds, kinds[:1], True, lambda kinds: exponential(), law, of_all))


def gamma_cases() -> list[Case]:
    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        means = averages(x, weights)
        slack = np.log(means) - averages(np.log(x), weights)
        shapes = np.array([root(lambda a, s=s: np.log(a) - digamma(a) - s, 1e4) for s in slack])
        return {"shapes": shapes[None], "scales": (means / shapes)[None]}

    law = by_pairs(("shapes", "scales"), gamma_log_density)
    kinds = ("skewed",) * 3
    return with_and_without_gaps(Case("gamma", kinds, kinds[:1], True, lambda kinds: gamma(), law, of_all))


def lognormal_cases() -> list[Case]:
    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        means = averages(np.log(x), weights)
        return {
            "log_means": means[None],
            "log_sds": np.sqrt(averages((np.log(x) - means[:, None]) ** 2, weights))[None],
        }

    law = by_pairs(("log_means", "log_sds"), lambda x, mean, sd: stats.norm(mean, sd).logpdf(np.log(x)) - np.log(x))
    kinds = ("skewed",) * 3
    return with_and_without_gaps(Case("lognormal", kinds, kinds[:1], True, lambda kinds: lognormal(), law, of_all))


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
    return with_and_without_gaps(Case("beta", kinds, kinds[:1], False, lambda kinds: beta(), law, of_all))


def von_mises_cases() -> list[Case]:
    def of_all(family: Any, x: Array, weights: Array) -> dict[str, Any]:
        east, north = averages(np.cos(x), weights), averages(np.sin(x), weights)
        lengths = np.hypot(east, north)
        kappa = [root(lambda k, r=r: r - i1e(k) / i0e(k), 1e4) for r in lengths]
        return {"means": np.remainder(np.arctan2(north, east), 2 * np.pi)[None], "concentrations": [kappa]}

    law = by_pairs(("means", "concentrations"), lambda x, mean, kappa: stats.vonmises(kappa, loc=mean).logpdf(x))
    kinds = ("angle",) * 3
    return with_and_without_gaps(Case("von_mises", kinds, kinds[:1], False, lambda kinds: von_mises(), law, of_all))


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
    case = Case("weibull", kinds, kinds[:1], True, lambda kinds: weibull(), law, of_all, exact=False, bounded=False)
    return with_and_without_gaps(case)


def root(falling: Callable[[float], float], most: float) -> float:
    return float(optimize.brentq(falling, 1e-2, most, xtol=1e-14, rtol=1e-15))


def product_cases() -> list[Case]:
    def build(kinds: Kinds) -> Product:
        groups = tuple(np.array([j for j, kind in enumerate(kinds) if kind == wanted]) for wanted in ("real", "count"))
        parts = (Gaussian(columns=unit_columns(len(groups[0]))), poisson())
        return Product(parts, groups)

    kinds = ("real", "count", "real", "count")
    return [Case("product", kinds, ("real", "count"), True, build, scipy_product, product_of_all)]


CASE_MAKERS: dict[str, Callable[[], list[Case]]] = {
    "bernoulli": bernoulli_cases,
    "beta": beta_cases,
    "binomial": binomial_cases,
    "categorical": categorical_cases,
    "exponential": exponential_cases,
    "factor_analyzers": lambda: factor_cases("factor_analyzers", True, lambda kinds: FactorAnalyzers(1)),
    "gamma": gamma_cases,
    "gaussian": gaussian_cases,
    "lognormal": lognormal_cases,
    "multinomial": multinomial_cases,
    "negative_binomial": negative_binomial_cases,
    "poisson": poisson_cases,
    "ppca": lambda: factor_cases("ppca", False, lambda kinds: ppca(min(2, len(kinds)))),
    "product": product_cases,
    "student_t": student_t_cases,
    "von_mises": von_mises_cases,
    "weibull": weibull_cases,
    "zero_inflated_poisson": zero_inflated_poisson_cases,
}

CLIMBED = [*COVARIANCES.aliases, "EEI", "VEE", "EVE"]  # that laws of whole climbs and searches are tried on

CASES = [case for name in FAMILIES if name in CASE_MAKERS for case in CASE_MAKERS[name]()]

SPARED = {
    *(f"gaussian-{name}" for name in set(structures()) - set(CLIMBED)),
    *("binomial", "binomial-pairs", "lognormal", "ppca", "student_t-tied-free", "student_t-spherical-40"),
}  # much like others
INCOMPLETE = {
    f"{name}-gaps" for name in ("factor_analyzers", "gaussian-full", "gaussian-diag", "poisson", "categorical", "gamma")
}
CLIMBING_CASES = [c for c in CASES if c.name in INCOMPLETE or not (c.name.endswith("-gaps") or c.name in SPARED)]
