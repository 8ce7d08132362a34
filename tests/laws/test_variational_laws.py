"""Variational Bayes: the lower bound is exact, never falls, and is the evidence where there is one component."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from cases import CASES
from posteriors import draw
from support import Case, climb, responsibilities, start

from em_cli.engine.arrays import Array, map_arrays, stack, take
from em_cli.engine.base_measure import base_measure
from em_cli.engine.expectation import ModelStatistics, Parameters
from em_cli.engine.model import Model
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.scoring import component_log_density
from em_cli.engine.side_by_side import maximize_all
from em_cli.engine.stopping import Stopping
from em_cli.families.variational.conjugate_families import conjugate_of
from em_cli.latents.approximate_weights import ApproximateWeights, WeightsPrior
from em_cli.latents.independent import Independent, mixing_weights
from em_cli.latents.weights_priors import DirichletWeights, StickBreaking
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory

K = 3
FLAT = mixing_weights(np.ones(K) / K)


def conjugate(case: Case) -> bool:
    """Whether it is of a family that can be fitted so, as it is bound."""
    x, _ = case.rows(0, 40)
    known = conjugate_of(case.model(x, K).family) is not None
    return known and not (case.gaps and any(kind in case.name for kind in ("diag", "spherical")))


ABLE = [case for case in CASES if conjugate(case)]
COMPLETE = [case for case in ABLE if not case.gaps or "gaussian" not in case.name]  # no cell has a posterior
each_complete = pytest.mark.parametrize("case", COMPLETE, ids=lambda case: case.name)
each_case = pytest.mark.parametrize("case", ABLE, ids=lambda case: case.name)
each_prior = pytest.mark.parametrize("prior", [DirichletWeights(), StickBreaking(0.7)], ids=lambda prior: prior.name)


def approximate(case: Case, x: Array, k: int, prior: WeightsPrior) -> Model:
    plain = case.model(x, k)
    own = conjugate_of(plain.family)
    assert own is not None
    return replace(plain, family=own.approximated({}), latent=ApproximateWeights(prior))


@cache
def begun(case: Case, name: str) -> tuple[Array, Model, Parameters]:
    """Rows, a model of them, and a poor place to start from."""
    x, labels = case.rows(3, 90, 2.5)
    model = approximate(case, x, K, DirichletWeights() if name == "dirichlet" else StickBreaking(0.7))
    return x, model, start(model, x, responsibilities(3, labels, K, 0.7))


def test_the_families_are_those_that_the_message_names():
    from em_cli.models.variational import ABLE as said

    names = {case.name.split("-")[0] for case in ABLE if not case.name.startswith("product")}
    assert all(name in said for name in names)
    assert {"gaussian"} <= names


@each_case
@each_prior
def test_the_lower_bound_never_falls(case: Case, prior):
    x, model, begin = begun(case, prior.name)
    result = climb(model, InMemory(x), begin, Stopping(1e-7, 80))
    assert np.diff(result.trace).min() >= -1e-11 * abs(result.log_likelihood)
    assert len(result.trace) > 3


@each_complete
@each_prior
def test_after_an_m_step_the_posterior_is_exact_given_the_labels(case: Case, prior):
    """log p(x, z, θ) expected over the labels, less log q(θ), is one number at every θ: the bound."""
    x, model, _ = begun(case, prior.name)
    r = responsibilities(5, np.arange(x.shape[1]) % K, K, 0.6)
    features = np.empty((model.family.n_features(), x.shape[1]))
    model.family.features(x, features)
    statistics = ModelStatistics(model.family.statistics(features, r[None], None), None)
    at, _ = model.at_maximum(statistics, None)
    bound = float(model.expected_log_likelihood(statistics, at)[0]) + base_measure(model.family, InMemory(x))
    document, plain = model.to_document(take(at, 0)), case.model(x, K)
    found = []
    for seed in range(6):
        theta, log_ratio = draw(document, plain, np.random.default_rng(seed))
        density = case.log_density(plain.family, theta, x) + np.log(theta["weights"])[:, None]
        found.append(float((r * density).sum()) + log_ratio)
    assert np.allclose(found, bound, rtol=0, atol=1e-8 * max(1.0, abs(bound)))


@each_complete
def test_one_component_has_the_evidence_which_is_a_product_of_predictive_densities(case: Case):
    x, _ = case.rows(7, 12, 1.0, 1)
    model = approximate(case, x, 1, DirichletWeights())
    own = conjugate_of(case.model(x, 1).family)
    assert own is not None
    law = own.predictive()
    log_evidence = 0.0
    for n in range(x.shape[1]):
        at = model.starts(_block(x[:, :n]), np.ones((1, 1, n)))
        document = model.family.to_document(take(at.components, 0))
        read = Model(law, case.model(x, 1).latent, 1)
        parameters = Parameters(mixing_weights(np.ones(1)), law.from_document(document, 1))
        log_evidence += float(component_log_density(read, parameters, x[:, n : n + 1])[0, 0])
    result = climb(model, InMemory(x), model.start(_block(x), np.ones((1, x.shape[1]))), Stopping(1e-9, 5))
    assert result.log_likelihood == pytest.approx(log_evidence, abs=1e-8 * max(1.0, abs(log_evidence)))


def summed(model: Model, x: Array, r: Array) -> ModelStatistics:
    """Of the rows, with responsibilities (K, n)."""
    features = np.empty((model.family.n_features(), x.shape[1]))
    model.family.features(x, features)
    return ModelStatistics(model.family.statistics(features, r[None], None), None)


@each_complete
@each_prior
@pytest.mark.parametrize("way", ["posterior", "mode"])
def test_with_many_rows_the_prior_is_forgotten(case: Case, prior, way):
    """The M-step is that of the likelihood."""
    x, labels = case.rows(5, 90, 2.0)
    plain, own = case.model(x, K), conjugate_of(case.model(x, K).family)
    assert own is not None
    r = 1e9 * responsibilities(5, labels, K, 0.6)
    if way == "posterior":
        model = replace(plain, family=own.approximated({}), latent=ApproximateWeights(prior))
    else:
        model = replace(plain, family=own.at_mode(SAID))
    (likeliest, _), (found, _) = (own.at_maximum(summed(own, x, r), None) for own in (plain, model))
    for one, other in zip(
        model.family.moments(take(found, 0).components),
        plain.family.moments(take(likeliest, 0).components),
        strict=True,
    ):
        assert np.allclose(one, other, rtol=1e-6, atol=1e-6)
    assert np.allclose(found.latent.weights, likeliest.latent.weights, rtol=1e-6)


def rows_of_normal(d: int, diagonal: bool) -> tuple[Array, dict[str, object]]:
    """Rows, and the prior that is as good as these."""
    x = np.random.default_rng(3).normal(2.0, 1.5, (d, 30))
    scatter = np.atleast_2d(np.cov(x, bias=True)) * 30
    fewer = 3 if diagonal else d + 2
    said = {"mean": tuple(x.mean(axis=1)), "mean_precision": 30.0, "degrees_of_freedom": 30.0 - fewer}
    return x, said | {"covariance": np.diag(scatter) if diagonal else scatter}


PSEUDO_ROWS = {
    "gaussian-full": lambda d: rows_of_normal(d, False),
    "gaussian-diag": lambda d: rows_of_normal(d, True),
    "poisson": lambda d: (np.full((d, 5), 2.0), {"rates": ("gamma", (1 + 10.0, 5.0))}),
    "exponential": lambda d: (np.full((d, 5), 2.0), {"rates": ("gamma", (1 + 5.0, 10.0))}),
    "bernoulli": lambda d: (np.repeat([[0.0, 1.0]], 3, axis=1).repeat(d, axis=0), {"levels": ("dirichlet", (4.0,))}),
}


@pytest.mark.parametrize("name", PSEUDO_ROWS)
def test_a_prior_of_so_many_rows_is_these_rows(name):
    """In every component: the mode is the maximum of the likelihood with them."""
    case = next(case for case in CASES if case.name == name)
    x, labels = case.rows(5, 90, 2.0)
    plain, r = case.model(x, K), responsibilities(5, labels, K, 0.6)
    pseudo, said = PSEUDO_ROWS[name](len(x))
    own = conjugate_of(plain.family)
    assert own is not None
    mode, _ = replace(plain, family=own.at_mode(said)).at_maximum(summed(plain, x, r), None)
    with_them = np.concatenate([x, pseudo], axis=1), np.concatenate([r, np.ones((K, pseudo.shape[1]))], axis=1)
    likeliest, _ = plain.at_maximum(summed(plain, *with_them), None)
    for one, other in zip(*(plain.family.moments(take(at, 0).components) for at in (mode, likeliest)), strict=True):
        assert np.allclose(one, other, rtol=1e-9)


def test_a_dirichlet_prior_of_weights_is_as_many_rows_in_each_component():
    counts = np.array([[3.0, 40.0, 7.0]])
    mode = Independent(concentration=1 + 5.0).maximize(counts, None, None)
    assert np.allclose(mode.weights, (counts + 5) / (50 + 15))


@each_complete
@each_prior
def test_components_in_another_order_are_worth_the_same(case: Case, prior):
    x, model, _ = begun(case, prior.name)
    r, bounds = responsibilities(5, np.arange(x.shape[1]) % K, K, 0.6), []
    for order in ([0, 1, 2], [2, 0, 1], [1, 0, 2]):
        at, _ = model.at_maximum(summed(model, x, r[order]), None)
        bounds.append(one_pass([Stack(model, at)], InMemory(x), Serial())[0].log_likelihood[0])
    assert np.allclose(bounds, bounds[0], rtol=1e-11)


@each_complete
def test_two_equal_components_are_worth_to_new_rows_what_one_with_both_their_counts_is(case: Case):
    x, model, _ = begun(case, "dirichlet")
    r = responsibilities(5, np.arange(x.shape[1]) % K, K, 0.6)
    halves = np.stack([r[0], 0.5 * (r[1] + r[2]), 0.5 * (r[1] + r[2])])
    at = take(model.at_maximum(summed(model, x, halves), None)[0], 0)
    own = conjugate_of(case.model(x, K).family)
    assert own is not None
    law = own.predictive().from_document(model.family.to_document(at.components), K)
    density = component_log_density(Model(own.predictive(), case.model(x, K).latent, K), Parameters(FLAT, law), x)
    assert np.array_equal(density[1], density[2])
    assert isinstance(model.latent, ApproximateWeights)
    counts = at.latent.counts
    merged = model.latent.prior.expected(np.stack([counts[0], counts[1] + counts[2]]))
    assert np.allclose(merged, [at.latent.weights[0], at.latent.weights[1:].sum()], rtol=1e-12)


@pytest.mark.parametrize("case", [case for case in ABLE if case not in COMPLETE], ids=lambda case: case.name)
def test_missing_cells_with_posteriors_of_their_own_bound_the_evidence_closely(case: Case):
    """The evidence of observed cells by importance sampling from the posterior of the parameters."""
    x, _ = case.rows(7, 40, 1.0, 1)
    assert np.isnan(x).sum() > 5
    plain, model = case.model(x, 1), approximate(case, x, 1, DirichletWeights())
    result = climb(model, InMemory(x), model.start(_block(x), np.ones((1, x.shape[1]))), Stopping(1e-9, 200))
    document, whole = model.to_document(result.parameters), replace(plain, family=plain.family.base)
    logs = []
    for seed in range(60):
        theta, log_ratio = draw(document, whole, np.random.default_rng(seed))
        parameters = Parameters(mixing_weights(np.ones(1)), plain.family.from_document(theta, 1))
        logs.append(float(component_log_density(plain, parameters, x).sum()) + log_ratio)
    evidence = np.log(np.mean(np.exp(logs - np.max(logs)))) + np.max(logs)
    assert result.log_likelihood < np.mean(logs) < evidence < result.log_likelihood + 1  # of 12 cells


def _block(x):
    from em_cli.engine.rows import Block

    return Block(0, x)


SAID = {"degrees_of_freedom": 7.0, "mean_precision": 2.0, "rates": ("gamma", (2.5,)), "levels": ("dirichlet", (3.0,))}
SPARSE = {"means": ("laplace", (4.0,)), "rates": ("gamma", (2.5,)), "levels": ("dirichlet", (3.0,))}
EDGES = {"precisions": ("laplace", (6.0,)), "rates": ("gamma", (2.5,)), "levels": ("dirichlet", (3.0,))}


@pytest.mark.parametrize(
    ("case", "said"),
    [(case, SAID) for case in ABLE]
    + [(case, SPARSE) for case in COMPLETE if case.name == "gaussian-diag"]
    + [(case, EDGES) for case in COMPLETE if case.name == "gaussian-full"],
    ids=lambda value: getattr(value, "name", {id(SAID): "conjugate", id(SPARSE): "sparse"}.get(id(value), "edges")),
)
def test_an_m_step_at_the_mode_beats_nearby_parameters(case: Case, said):
    """By what rows and prior are worth together, whose densities know nothing of the M-step."""
    x, _ = case.rows(5, 80, 2.0)
    own = conjugate_of(case.model(x, K).family)
    assert own is not None
    family = own.at_mode(said)
    features = np.empty((family.n_features(), x.shape[1]))
    family.features(x, features)

    def sums(softness: float, seed: int) -> Array:
        r = responsibilities(seed, np.arange(x.shape[1]) % K, K, softness)
        return family.statistics(features, r[None], None)

    here = sums(0.6, 1)
    others = [0.98 * here + 0.02 * sums(0.6, seed) for seed in range(2, 7)]
    worth = [family.expected_log_density(here, family.maximize(s, None)).sum() for s in (here, *others)]
    assert worth[0] > max(worth[1:])


@each_case
@pytest.mark.parametrize("way", ["mode", "posterior"])
def test_m_steps_under_a_prior_are_those_of_each_in_any_company(case: Case, way):
    """Of models of other numbers of components, whose M-steps are taken together."""
    x, labels = case.rows(5, 80, 2.0)
    own = conjugate_of(case.model(x, K).family)
    assert own is not None
    family = own.at_mode(SAID) if way == "mode" else own.approximated({})
    models = [replace(case.model(x, k), family=family) for k in (2, 3)]
    begun = [start(model, x, responsibilities(k, labels % k, k, 0.6)) for k, model in zip((2, 3), models, strict=True)]
    stacks = [Stack(model, stack([at])) for model, at in zip(models, begun, strict=True)]
    batches = one_pass(stacks, InMemory(x), Serial())
    asked = [(model, batch.statistics, batch.parameters) for model, batch in zip(models, batches, strict=True)]
    for (model, *found), (together, _) in zip(asked, maximize_all(asked), strict=True):
        alone, same = model.at_maximum(*found)[0], list[bool]()
        map_arrays(
            lambda a, b, same=same: same.append(a.tobytes() == b.tobytes()), together.components, alone.components
        )
        assert all(same)


def test_the_prior_of_means_and_covariances_is_that_of_scipy():
    from scipy import stats

    case = next(case for case in ABLE if case.name == "gaussian-full")
    x, _ = case.rows(5, 80, 2.0)
    own = conjugate_of(case.model(x, K).family)
    assert own is not None
    family, d = own.at_mode(SAID), len(x)
    at = take(
        replace(case.model(x, K), family=family).starts(_block(x), responsibilities(1, np.arange(80) % K, K)[None]), 0
    )
    document, scale = family.to_document(at.components), np.cov(x)
    means, covariances = np.array(document["means"]), np.array(document["covariances"])
    jacobian = (d + 2) * np.log(x.std(axis=1)).sum()  # the family has standardised columns
    for k in range(K):
        of_matrix = stats.invwishart(7.0, scale).logpdf(covariances[k])
        of_mean = stats.multivariate_normal(x.mean(axis=1), covariances[k] / 2.0).logpdf(means[k])
        told = -float(family.approximate.divergence(at.components)[k])
        assert told == pytest.approx(of_matrix + of_mean + jacobian, rel=1e-8)


def test_penalised_means_are_the_best_of_a_fine_grid():
    """Each with the best variance for it; some are held at the mean of the data, and some are not."""
    from em_cli.families.variational.laplace_means import shift

    rng = np.random.default_rng(8)
    weight, far, variance, rate = (rng.uniform(low, high, 200) for low, high in ((1, 9), (0, 2), (0.01, 2), (0.1, 6)))
    moved = shift(weight, far, variance, rate)
    grid = np.linspace(0, 1, 2001)[:, None] * far
    worth = rate * grid - 0.5 * weight * np.log(variance + grid * grid)
    best = rate * moved - 0.5 * weight * np.log(variance + moved * moved)
    assert (best >= worth.max(axis=0) - 1e-9).all()
    assert 20 < (moved == far).sum() < 180


def test_penalised_precisions_meet_the_conditions_of_a_maximum():
    """W − S is within the penalty, and at its border with the sign of the entry where that is not zero."""
    from em_cli.families.variational.graphical_lasso import graphical_lasso

    rng = np.random.default_rng(9)
    spread = rng.normal(size=(6, 40, 5)) @ rng.normal(size=(5, 5))
    s = np.stack([np.cov(own.T, bias=True) for own in spread / spread.std(axis=1, keepdims=True)])
    rho = np.broadcast_to(np.array([0.002, 0.01, 0.05, 0.1, 0.3, 1.0])[:, None, None], s.shape)
    found = graphical_lasso(s, rho, np.broadcast_to(np.eye(5), s.shape))
    off = ~np.eye(5, dtype=bool)
    left = (np.linalg.inv(found) - s)[:, off]
    assert (np.abs(left) <= rho[:, off] + 1e-4).all() and np.linalg.inv(found)[:, ~off] == pytest.approx(s[:, ~off])
    kept = found[:, off] != 0
    assert left[kept] == pytest.approx((rho[:, off] * np.sign(found[:, off]))[kept], abs=1e-4)
    assert kept[0].all() and 2 < kept.sum(axis=1)[-2] < 20 and not kept[-1].any()
    for own, alone in zip(found, range(6), strict=True):
        some = slice(alone, alone + 1)
        assert np.array_equal(own, graphical_lasso(s[some], rho[some], np.eye(5)[None])[0])
