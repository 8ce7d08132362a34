"""Laws of the weak prior, over every family that has one."""

from dataclasses import replace

import numpy as np
import pytest
from cases import CASES
from support import Case, climb, responsibilities, start

from em_cli.algorithms import ALGORITHMS
from em_cli.algorithms.lbfgs import LBFGS
from em_cli.engine.arrays import stack
from em_cli.engine.climb import FitResult
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.stopping import Stopping
from em_cli.sources.in_memory import InMemory
from em_cli.testing import climb_laws

K = 2
CONTINUOUS = {"real", "positive", "skewed", "proportion", "angle"}


each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


def climbed(case: Case, algorithm: str, prior: float, k: int = K) -> tuple[Model, InMemory, FitResult]:
    x, labels = case.rows(2, 90, 2.0, k)
    model = replace(case.model(x, k), prior=prior)
    source = InMemory(x)
    begin = start(model, x, responsibilities(2, labels, k, 0.3))
    return model, source, climb(model, source, begin, Stopping(1e-7, 4000), ALGORITHMS.load(algorithm)())


def log_prior(model: Model, parameters: Parameters) -> float:
    return float(np.sum(model.log_prior(stack([parameters]))))


@each_case
def test_a_climb_raises_the_penalised_likelihood(case: Case):
    climb_laws.a_climb_raises_the_penalised_likelihood(case, ("em", "lbfgs"))


@each_case
def test_by_its_own_measure_it_goes_on_from_the_end_of_a_climb_without(case: Case):
    _, source, plain = climbed(case, "lbfgs", 0.0)
    model = replace(plain.candidate.model, prior=1.0)
    penalised = climb(model, source, plain.parameters, Stopping(1e-7, 4000), LBFGS())
    assert penalised.log_likelihood >= plain.log_likelihood + log_prior(model, plain.parameters) - 1e-6


@each_case
def test_a_prior_of_no_weight_is_none(case: Case):
    ends = [climbed(case, "lbfgs", prior)[2].log_likelihood for prior in (0.0, 1e-11)]
    assert ends[0] == pytest.approx(ends[1], abs=1e-5)


def of_covariances(covariances, x) -> float:
    """Log-density, up to a constant, of one pseudo-observation for each, spread as the rows are but less widely."""
    k, d, _ = covariances.shape
    spread = np.cov(x, bias=True) / k ** (2 / d)
    return -0.5 * sum(np.linalg.slogdet(c)[1] + np.trace(np.linalg.solve(c, spread)) for c in covariances)


def of_shapes(shapes, x) -> float:
    spread = np.sqrt(np.log1p((x.std(axis=1) / x.mean(axis=1)) ** 2))
    relative = np.array(shapes) * spread / (np.pi / np.sqrt(6))
    return float((np.log(shapes) - 0.5 * relative**2).sum())


def factored(document):
    loadings, noise = np.array(document["loadings"]), np.array(document["noise_variances"])
    d = loadings.shape[1]
    return loadings @ np.swapaxes(loadings, 1, 2) + noise.reshape(len(noise), -1)[:, :, None] * np.eye(d)


PENALTIES = {
    "gaussian-full": lambda document, x: of_covariances(np.array(document["covariances"]), x),
    "student_t-full-free": lambda document, x: of_covariances(np.array(document["scales"]), x),
    "factor_analyzers": lambda document, x: of_covariances(factored(document), x),
    "ppca": lambda document, x: of_covariances(factored(document), x),
    "weibull": lambda document, x: of_shapes(document["shapes"], x),
}


@pytest.mark.parametrize("name", PENALTIES)
def test_the_penalty_is_what_it_is_said_to_be(name):
    case = next(case for case in CASES if case.name == name)
    x, labels = case.rows(4, 90, 2.0, K)
    model, found = replace(case.model(x, K), prior=1.0), []
    for softness in (0.1, 0.9):
        at = start(model, x, responsibilities(4, labels, K, softness))
        found.append(log_prior(model, at) - PENALTIES[name](model.to_document(at), x))
    assert found[0] == pytest.approx(found[1], rel=1e-9)


def test_one_component_against_the_closed_form():
    case = next(case for case in CASES if case.name == "gaussian-full")
    model, source, result = climbed(case, "lbfgs", 1.0, k=1)
    document = model.to_document(result.parameters)
    n = source.n_rows
    scatter = np.cov(source.x, bias=True)
    assert np.allclose(document["means"][0], source.x.mean(axis=1), rtol=1e-9)
    assert np.allclose(document["covariances"][0], (n * scatter + scatter) / (n + 1), rtol=1e-9)


@pytest.mark.parametrize("case", [c for c in CASES if CONTINUOUS.issuperset(c.kinds)], ids=lambda case: case.name)
@pytest.mark.parametrize("algorithm", ["em", "lbfgs"])
def test_a_component_of_equal_rows_does_not_collapse(case: Case, algorithm):
    """It begins at the resolution of the data, unless the structure or the family holds it."""
    x, labels = replace(case, gaps=0.0).rows(3, 100, 2.0, K)
    x[:, labels == 1] = x[:, labels == 1][:, [0]]
    model = replace(case.model(x, K), prior=1.0)
    begin = start(model, x, responsibilities(3, labels, K, 0.0))
    result = climb(model, InMemory(x), begin, Stopping(1e-7, 2000), ALGORITHMS.load(algorithm)())
    assert np.diff(result.trace).min(initial=0) >= -1e-11 * abs(result.log_likelihood)
    assert not any(model.family.degenerate(result.parameters.components, result.weight))
    assert not (model.family.moments(result.parameters.components)[1] < 0.02 * x.std(axis=1)).any()


def test_equal_rows_have_the_spread_of_the_pseudo_observation():
    case = next(case for case in CASES if case.name == "gaussian-diag")
    x = np.concatenate([np.random.default_rng(0).standard_normal((3, 60)), np.full((3, 20), 5.0)], axis=1)
    model = replace(case.model(x, K), prior=1.0)
    r = np.zeros((K, 80))
    r[0, :60] = r[1, 60:] = 1.0
    result = climb(model, InMemory(x), start(model, x, r), Stopping(1e-7, 500))
    variances = np.array(model.to_document(result.parameters)["covariances"])
    expected = x.var(axis=1) / K ** (2 / 3) / 21
    assert np.allclose(variances[np.argmin(variances[:, 0])], expected, rtol=1e-6)
