"""Mixtures of t distributions: known answers, and what they are for."""

import json
from math import log

import numpy as np
import pytest
from cases.student_t import scipy_student_t
from scipy import stats
from support import (
    REFERENCE,
    bound_model,
    climb,
    component_log_density,
    find,
    find_one,
    reference_rows,
    responsibilities,
    rows,
    start,
    with_gaps,
)

from em_cli.engine.columns import unit_columns
from em_cli.engine.model import Model
from em_cli.engine.scoring import score_rows, totals
from em_cli.engine.stopping import Stopping
from em_cli.errors import DataError, UsageError
from em_cli.families.gaussian.options import Gaussian
from em_cli.families.student_t.options import STRUCTURES, StudentT
from em_cli.latents import LATENTS
from em_cli.sources.in_memory import InMemory

CASES = json.loads((REFERENCE / "student_t.json").read_text())["cases"]
SEARCHED = [case for case in CASES if case["file"] in ("galaxies.csv", "diabetes.csv") or case["k"] == 2]

by_id = {"ids": lambda case: case["id"]}
each_covariance = pytest.mark.parametrize("covariance", STRUCTURES)


def rows_of(case):
    return reference_rows(case["file"], tuple(case["columns"]))


@pytest.mark.parametrize("case", CASES, **by_id)
def test_the_stored_parameters_have_the_stored_likelihood(case):
    x = rows_of(case)
    model = bound_model(StudentT("full", case["dof"]), InMemory(x), case["k"])
    weights = np.array(case["params"]["weights"])
    parameters = model.from_document(case["params"] | {"weights": weights / weights.sum()})
    sums = totals(score_rows(model, parameters, x))
    height, p, n = float(sums.log_likelihood), model.n_parameters, x.shape[1]
    bic = p * log(n) - 2 * height
    assert height == pytest.approx(case["loglik"], abs=1e-5)
    assert p == case["n_params"]
    assert bic == pytest.approx(case["bic"], abs=1e-3)
    assert 2 * p - 2 * height == pytest.approx(case["aic"], abs=1e-3)
    assert bic - 2 * float(sums.log_largest) == pytest.approx(case["icl_map"], abs=1e-3)


@pytest.mark.parametrize("case", SEARCHED, **by_id)
def test_the_default_search_reaches_the_reference(case):
    fitted = find(StudentT("full", case["dof"]), rows_of(case), [case["k"]])[0]
    assert fitted.chosen is not None, fitted.failure
    gap, tolerance = case["loglik"] - fitted.chosen.log_likelihood, case["tolerance"]["loglik_abs"]
    assert gap <= tolerance, "a worse optimum, or stopped too early"
    assert gap >= -tolerance, "the reference is beaten: is a component degenerate?"
    assert not any(fitted.degeneracies)


@pytest.mark.parametrize("dof", [0.3, 1.0, 2.5, 8.0])
def test_heavy_tails_are_those_of_scipy(dof):
    x, labels = rows(("real", "real", "real"), 71, 200, 3.0)
    x[:, :20] *= 1e3
    model = bound_model(StudentT("full", dof), InMemory(x), 3)
    parameters = start(model, x, responsibilities(71, labels, 3, 0.0))
    expected = scipy_student_t(model.family, model.to_document(parameters), x)
    assert np.allclose(component_log_density(model.family, parameters.components, x), expected, rtol=1e-9, atol=1e-9)


@each_covariance
@pytest.mark.parametrize("gaps", [0.0, 0.15])
def test_with_many_degrees_of_freedom_it_is_a_gaussian(covariance, gaps):
    x, labels = rows(("real", "real"), 72, 300, 3.0)
    x = with_gaps(x, gaps, 72) if gaps else x
    families = (Gaussian(covariance), StudentT(covariance, 1e6))
    models = [bound_model(family, InMemory(x), 3) for family in families]
    r = responsibilities(72, labels, 3, 0.5)
    one, other = (climb(m, InMemory(x), start(m, x, r), Stopping(1e-9, 2000)) for m in models)
    assert other.log_likelihood == pytest.approx(one.log_likelihood, rel=1e-5)
    assert models[1].n_parameters == models[0].n_parameters
    for mine, its in zip(
        models[0].family.moments(one.parameters.components),
        models[1].family.moments(other.parameters.components),
        strict=True,
    ):
        assert np.allclose(its, mine, rtol=1e-3, atol=1e-3)


def test_missing_cells_are_drawn_from_the_conditional_t_distribution():
    """With the degrees of freedom of what is observed besides, and farther away as that is (Ding 2016)."""
    model = Model(StudentT().bind(unit_columns(2, np.ones(2, np.bool_))), LATENTS.load("independent")(), 1)
    document = {"weights": [1.0], "means": [[1.0, 2.0]], "scales": [[[2.0, 0.6], [0.6, 1.0]]], "dof": [2.5]}
    at = model.from_document(document).components
    x = np.repeat([[4.0], [np.nan]], 5000, axis=1)
    drawn = model.family.completing.draw(x, at, np.zeros(5000, np.intp), np.random.default_rng(1))[1]
    scale = np.sqrt((2.5 + 4.5) / 3.5 * 0.82)
    assert stats.kstest(drawn, stats.t(3.5, 2.9, scale).cdf).pvalue > 0.01


@pytest.mark.parametrize("covariance", ["full", "diag"])
@pytest.mark.parametrize("dof", ["free", "common", 4])
def test_outliers_take_no_component(covariance, dof):
    """Three groups, and one row in twenty anywhere: as for Peel & McLachlan, who add noise to crabs."""
    rng = np.random.default_rng(73)
    x, labels = rows(("real", "real"), 73, 400, 10.0)
    outliers = rng.uniform(-60, 80, (2, 20))
    centres = np.stack([x[:, labels == k].mean(axis=1) for k in range(3)])
    found = find_one(StudentT(covariance, dof), np.concatenate([x, outliers], axis=1), 3)
    means, _ = found.candidate.model.family.moments(found.parameters.components)
    distances = np.linalg.norm(means[:, None] - centres[None], axis=2)
    assert sorted(distances.argmin(axis=1)) == [0, 1, 2]
    assert distances.min(axis=1).max() < 0.5


@pytest.mark.parametrize("dof", ["any", 0, -1.0, 2e6, float("nan")])
def test_an_impossible_number_of_degrees_of_freedom_is_refused(dof):
    with pytest.raises(UsageError, match="dof must be"):
        StudentT("full", dof)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dof": [3.0]}, "'dof' must hold 2 numbers"),
        ({"dof": [3.0, 0.0]}, "'dof' holds a number"),
        ({"scales": [[[1.0]], [[-1.0]]]}, "'scales' holds a matrix that is not positive"),
        ({"scales": [[[1.0]]]}, "'scales' does not fit 'full'"),
        ({"means": [[1.0]]}, "'means' must hold 2 lists"),
    ],
)
def test_a_bad_document_is_refused(changed, message):
    model = bound_model(StudentT(), InMemory(rows(("real",), 74, 50)[0]), 2)
    document = {"weights": [0.5, 0.5], "means": [[0.0], [1.0]], "scales": [[[1.0]], [[1.0]]], "dof": [3.0, 4.0]}
    model.from_document(document)
    with pytest.raises(DataError, match=message):
        model.from_document(document | changed)


def test_there_is_no_standard_deviation_at_two_degrees_of_freedom_or_less():
    model = bound_model(StudentT(), InMemory(rows(("real",), 75, 50)[0]), 2)
    document = {"weights": [0.5, 0.5], "means": [[0.0], [1.0]], "scales": [[[1.0]], [[4.0]]], "dof": [2.0, 4.0]}
    mean, sd = model.family.moments(model.from_document(document).components)
    assert np.allclose(mean, [[0.0], [1.0]])
    assert np.isnan(sd[0, 0])
    assert sd[1, 0] == pytest.approx(np.sqrt(8.0))
