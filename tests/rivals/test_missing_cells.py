"""Known answers where cells are missing: maximum likelihood of what is observed, and rows missing at random."""

import json
from math import log

import numpy as np
import pytest
from cases.gaussian import normal_of_all
from support import REFERENCE, bound_model, climb, find, find_one, reference_rows, responsibilities, start

from em_cli.engine.scoring import score_rows, totals
from em_cli.engine.stopping import Stopping
from em_cli.families.covariances.shapes import from_shape
from em_cli.families.gaussian.options import Gaussian
from em_cli.sources.in_memory import InMemory

CASES = json.loads((REFERENCE / "missing_cells.json").read_text())["cases"]
SURE = [case for case in CASES if case["confidence"] in ("high", "exact")]
by_id = {"ids": lambda case: case["id"]}


def rows_of(case):
    """Those with an observed cell at least."""
    x = reference_rows(case["file"], tuple(case["columns"]))
    return x[:, ~np.isnan(x).all(axis=0)]


@pytest.mark.parametrize("case", CASES, **by_id)
def test_the_stored_parameters_have_the_stored_likelihood(case):
    x = rows_of(case)
    model = bound_model(Gaussian(case["covariance"]), InMemory(x), case["k"])
    stored = np.array(case["params"]["covariances"])
    shapes = {"full": stored, "tied": stored[0], "diag": np.diagonal(stored, axis1=1, axis2=2)}
    weights = np.array(case["params"]["weights"])
    document = {
        "weights": weights / weights.sum(),
        "means": case["params"]["means"],
        "covariances": shapes[case["covariance"]],
    }
    height = float(totals(score_rows(model, model.from_document(document), x)).log_likelihood)
    assert x.shape[1] == case["n"]
    assert height == pytest.approx(case["loglik"], abs=1e-4)
    assert model.n_parameters == case["n_params"]
    assert model.n_parameters * log(case["n"]) - 2 * height == pytest.approx(case["bic"], abs=1e-3)


@pytest.mark.parametrize("case", SURE, **by_id)
def test_the_default_search_reaches_the_reference(case):
    (fitted,) = find(Gaussian(case["covariance"]), rows_of(case), [case["k"]])
    assert fitted.chosen is not None, fitted.failure
    assert not any(fitted.degeneracies)
    assert fitted.chosen.log_likelihood == pytest.approx(case["loglik"], abs=case["tolerance"]["loglik_abs"])


def at_random(seed: int, n: int, share: float):
    """Two groups in three columns; the second and the third lack a cell the likelier, the larger the first is."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    root = np.array([[1.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.5, 0.5, 0.7]])
    whole = root @ rng.standard_normal((3, n)) + np.array([[0.0, 3.0], [0.0, 0.0], [0.0, -3.0]])[:, labels]
    x = whole.copy()
    likely = 1 / (1 + np.exp(-1.5 * (x[0] - 1.5))) * 2 * share
    for j in (1, 2):
        x[j, rng.random(n) < likely] = np.nan
    return whole, x, labels


def fitted_moments(x):
    found = find_one(Gaussian("full"), x, 2)
    mean, sd = found.candidate.model.family.moments(found.parameters.components)
    order = np.argsort(mean[:, 0])
    return found, np.concatenate([mean[order], sd[order]])


def test_rows_missing_at_random_bias_the_complete_ones_but_not_the_fit():
    whole, x, labels = at_random(1, 4000, 0.4)
    truth = np.concatenate(
        [[whole[:, labels == g].mean(axis=1) for g in (0, 1)], [whole[:, labels == g].std(axis=1) for g in (0, 1)]]
    )
    _, by_likelihood = fitted_moments(x)
    _, by_complete_rows = fitted_moments(np.ascontiguousarray(x[:, ~np.isnan(x).any(axis=0)]))
    away, further = (np.abs(found - truth).max() for found in (by_likelihood, by_complete_rows))
    assert away < 0.1
    assert further > 2 * away


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_the_fit_tends_to_that_of_complete_rows(covariance):
    whole, _, _ = at_random(2, 600, 0.0)
    complete = find_one(Gaussian(covariance), whole, 2)
    order, away = np.random.default_rng(3).permutation(whole.size), []
    for cells in (300, 30, 3, 0):
        x = whole.copy()
        x.flat[order[:cells]] = np.nan
        found = find_one(Gaussian(covariance), x, 2)
        away.append(abs(found.log_likelihood - complete.log_likelihood))
    assert away[0] > away[1] > away[2] > away[3]
    assert away[2] < 15
    assert away[3] == 0


def test_one_component_is_the_normal_distribution_of_an_independent_em():
    x = reference_rows("airquality.csv", ("ozone", "solar_r", "wind", "temp"))
    model = bound_model(Gaussian("full"), InMemory(x), 1)
    found = climb(model, InMemory(x), start(model, x, np.ones((1, x.shape[1]))), Stopping(1e-10, 500))
    mean, covariance = normal_of_all(x, np.ones(x.shape[1]))
    document = model.to_document(found.parameters)
    assert np.allclose(document["means"][0], mean, rtol=1e-6)
    assert np.allclose(document["covariances"][0], covariance, rtol=1e-5)


@pytest.mark.parametrize("covariance", ["full", "tied", "diag", "spherical"])
def test_missing_cells_are_filled_by_regression_on_the_others(covariance):
    _, x, labels = at_random(4, 300, 0.4)
    model = bound_model(Gaussian(covariance), InMemory(x), 2)
    at = start(model, x, responsibilities(4, labels, 2, 0.2))
    scores, document = score_rows(model, at, x), model.to_document(at)
    means = np.array(document["means"])
    covariances = from_shape(np.array(document["covariances"]), covariance, 2, 3)
    filled = model.family.completing.complete(x, at.components, scores.responsibilities)
    drawn = np.stack(
        [model.family.completing.draw(x, at.components, labels, np.random.default_rng(s)) for s in range(300)]
    )
    for row in np.flatnonzero(np.isnan(x).any(axis=0))[:40]:
        seen = ~np.isnan(x[:, row])
        slopes = [np.linalg.solve(c[np.ix_(seen, seen)], c[np.ix_(seen, ~seen)]).T for c in covariances]
        expected = [m[~seen] + s @ (x[seen, row] - m[seen]) for m, s in zip(means, slopes, strict=True)]
        assert np.allclose(filled[~seen, row], scores.responsibilities[:, row] @ expected, rtol=1e-9, atol=1e-9)
        k = labels[row]
        spread = covariances[k][np.ix_(~seen, ~seen)] - slopes[k] @ covariances[k][np.ix_(seen, ~seen)]
        some = drawn[:, ~seen, row]
        assert np.abs(some.mean(axis=0) - expected[k]).max() < 6 * np.sqrt(spread.max() / 300)
        assert np.allclose(np.cov(some.T, bias=True), spread, atol=0.5 * spread.max())
