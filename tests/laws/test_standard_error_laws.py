"""Standard errors: curvature, closed forms, weights, known labels, whatever the family."""

from functools import cache

import numpy as np
import pytest
from cases import CASES
from support import Case, bound_model, climb

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.arrays import stack
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.stopping import Stopping
from em_cli.families.distributions.poisson import Poisson
from em_cli.families.gaussian.options import Gaussian
from em_cli.inference import louis
from em_cli.inference.feature_products import squares_of
from em_cli.inference.information import STEP, information, points, slopes_at
from em_cli.inference.standard_errors import StandardErrors, numbers_of, standard_errors
from em_cli.runners.serial import Serial
from em_cli.runners.threads import Threads
from em_cli.sources.in_memory import InMemory
from em_cli.testing.case import responsibilities, start

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@cache
def climbed(case: Case, k=2, n=240, seed=3):
    """Rows of components that are apart, and the end of a climb on them."""
    x, labels = case.rows(seed, n, 4.0)
    model = case.model(x, k)
    begin = start(model, x, responsibilities(seed, labels % k, k, 0.1))
    return x, model, climb(model, InMemory(x), begin, Stopping(1e-8, 400), ALGORITHMS.load("lbfgs")())


@each_case
def test_the_information_is_the_curvature_of_the_log_likelihood(case: Case):
    x, model, end = climbed(case)
    chart = model.chart(end.parameters, end.weight)
    around = points(chart, end.parameters)
    found = information(model, chart, end.parameters, InMemory(x), Serial(), True)
    stacks = [Stack(model, around), Stack(model, stack([end.parameters]))]
    moved, here = (batch.log_likelihood for batch in one_pass(stacks, InMemory(x), Serial()))
    up, down = np.split(moved, 2)
    lost = np.abs(here - np.stack([up, down]))
    inside = lost.min(axis=0) > 0.3 * lost.max(axis=0)  # at a bound a step one way leads nowhere
    bent = (2 * here - up - down) / STEP**2
    assert inside.sum() > 0.7 * len(inside)
    assert np.allclose(np.diag(found.observed)[inside], bent[inside], rtol=2e-3, atol=2e-3)
    assert np.linalg.eigvalsh(found.scores).min() >= -1e-9


@each_case
def test_one_pass_tells_what_differences_tell(case: Case, monkeypatch):
    x, model, end = climbed(case)
    if not louis.is_linear(model):
        pytest.skip("its log-densities are no products")
    source = InMemory(x, weights=np.random.default_rng(1).uniform(0.5, 2, x.shape[1]))
    chart = model.chart(end.parameters, end.weight)
    at = model, chart, end.parameters, source, Serial()
    passed = [information(*at, frequencies) for frequencies in (True, False)]
    monkeypatch.setattr("em_cli.inference.information.slopes_at", lambda *_: None)
    for found, frequencies in zip(passed, (True, False), strict=True):
        stepped = information(*at, frequencies)
        assert found.n_units == stepped.n_units
        told = np.flatnonzero(np.diag(found.observed) < 4)  # at a bound differences tell anything
        assert len(told) >= 0.7 * len(found.observed)
        for mine, its in ((found.observed, stepped.observed), (found.scores, stepped.scores)):
            assert np.allclose(mine[np.ix_(told, told)], its[np.ix_(told, told)], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("apart", [2.5, 5.0])
def test_rows_that_bear_on_few_of_many_components_tell_what_all_pairs_do(weighted, apart, monkeypatch):
    rng = np.random.default_rng(4)
    k, d, n = 8, 5, 6_000
    labels = rng.integers(k, size=n)
    x = rng.normal(size=(d, n)) + apart * rng.normal(size=(d, k))[:, labels]
    source = InMemory(x, weights=rng.uniform(0.5, 2, n) if weighted else None)
    model = bound_model(Gaussian("full"), source, k)
    end = climb(model, source, start(model, x, responsibilities(1, labels, k, 0.2)), Stopping(1e-4, 100))
    chart = model.chart(end.parameters, end.weight)
    at = model, chart, end.parameters, source, Serial()
    taken = []
    monkeypatch.setattr(louis, "VERY_FEW", 1.0)
    monkeypatch.setattr(louis, "_of_few", lambda *args, of_few=louis._of_few: taken.append(1) or of_few(*args))
    few = [information(*at, frequencies) for frequencies in (True, False)]
    assert taken
    monkeypatch.setattr(louis, "MANY", np.inf)
    monkeypatch.setattr(louis, "squares_of", lambda *_: None)
    for found, frequencies in zip(few, (True, False), strict=True):
        every = information(*at, frequencies)
        for mine, its in ((found.observed, every.observed), (found.scores, every.scores)):
            unit = np.sqrt(np.outer(np.diag(its), np.diag(its)))
            assert np.abs((mine - its) / unit).max() < 1e-7


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize(("narrow", "enough"), [(1.0, True), (0.01, False)])
def test_products_of_features_tell_what_rows_do_and_are_left_where_they_lose_digits(
    narrow, enough, weighted, monkeypatch
):
    rng = np.random.default_rng(5)
    k, d, n = 3, 3, 5_000
    labels = rng.integers(k, size=n)
    x = narrow * rng.normal(size=(d, n)) + 3 * rng.normal(size=(d, k))[:, labels]
    x[0] += 3 * narrow * (labels == 1)
    source = InMemory(x, weights=rng.uniform(0.5, 2, n) if weighted else None)
    model = bound_model(Gaussian("full"), source, k)
    end = climb(model, source, start(model, x, responsibilities(1, labels, k, 0.0)), Stopping(1e-4, 100))
    chart = model.chart(end.parameters, end.weight)
    at = model, chart, end.parameters, source, Serial()
    found = []
    monkeypatch.setattr(louis, "squares_of", lambda *args: found.append(squares_of(*args)) or found[-1])
    products = [information(*at, frequencies) for frequencies in (True, False)]
    assert [one is not None for one in found] == [enough, enough]
    monkeypatch.setattr(louis, "squares_of", lambda *_: None)
    for mine, frequencies in zip(products, (True, False), strict=True):
        its = information(*at, frequencies)
        assert np.allclose(mine.observed, its.observed, atol=1e-8)
        assert np.allclose(mine.scores, its.scores, atol=1e-8)


@pytest.mark.parametrize(("far", "told"), [(0.0, True), (1e7, False)])
def test_components_that_products_cannot_tell_apart_are_passed_over_many_times(far, told):
    """So it is known before whether one pass will do."""
    labels = np.arange(200) % 2
    x = np.random.default_rng(1).normal(size=(2, 200)) + far * labels
    model = bound_model(Gaussian("full"), InMemory(x), 2)
    at = start(model, x, responsibilities(1, labels, 2, 0.0))
    assert louis.keeps_digits(model, at) == told
    found = slopes_at(model, model.chart(at, np.full(2, 100.0)), at)
    assert (found is not None) == told


def test_numbers_that_a_step_takes_away_have_no_error():
    """As the mean duration of a state that is never left."""
    here = {"weights": [0.5, 0.5], "duration": [2.0, None], "stationary": [0.3, 0.7]}
    moved = {"weights": [0.4, 0.6], "duration": [None, 9.0], "stationary": None}
    assert numbers_of(here, here).tolist() == [0.5, 0.5, 2.0, 0.3, 0.7]
    assert np.array_equal(numbers_of(moved, here), [0.4, 0.6, *3 * [np.nan]], equal_nan=True)


@pytest.mark.parametrize("case", [case for case in CASES if not case.expanded], ids=lambda case: case.name)
def test_a_weight_of_two_is_the_row_twice(case: Case):
    """And as much information as two rows: both kinds of errors shrink by the root of two."""
    x, model, end = climbed(case)
    twice = standard_errors(model, end.parameters, end.weight, InMemory(np.repeat(x, 2, axis=1)), Serial())
    heavy = InMemory(x, weights=np.full(x.shape[1], 2.0))
    weighted = standard_errors(model, end.parameters, end.weight, heavy, Serial())
    once = standard_errors(model, end.parameters, end.weight, InMemory(x), Serial())
    assert type(twice) is type(weighted) is type(once)
    if isinstance(once, StandardErrors) and isinstance(weighted, StandardErrors) and isinstance(twice, StandardErrors):
        for kind in ("observed", "robust"):
            a, b, c = (getattr(errors, kind) for errors in (weighted, twice, once))
            assert np.allclose(a, b, rtol=1e-4, equal_nan=True)
            assert np.allclose(a * np.sqrt(2), c, rtol=1e-4, equal_nan=True)


def mean_is_of_rows(case: Case) -> bool:
    """Whether the mean of one component is that of the rows, which its other parameters do not change."""
    together = ["full", "tied", "VEE", "EVE", "VVE", "VEV", "ppca", "factor_analyzers"]
    others = ("beta", "von_mises", "lognormal", "zero_inflated_lognormal", "weibull", "student_t", "regression")
    joint = any(word in case.name for word in together)
    return not (case.name.startswith(others) or "pairs" in case.name or (joint and "gaps" in case.name))


@pytest.mark.parametrize("case", [case for case in CASES if mean_is_of_rows(case)], ids=lambda case: case.name)
def test_one_component_is_the_closed_form(case: Case):
    """s / √n of a mean, over the cells that there are; s / √2n of a normal standard deviation."""
    x, model, end = climbed(case, k=1)
    found = standard_errors(model, end.parameters, end.weight, InMemory(x), Serial())
    assert isinstance(found, StandardErrors)
    sds, seen = model.family.moments(end.parameters.components)[1][0], np.sqrt((~np.isnan(x)).sum(axis=1))
    by_name = dict(zip(found.names, found.observed, strict=True))
    assert [by_name[f"mean[1][{d + 1}]"] for d in range(len(x))] == pytest.approx(sds / seen, rel=1e-4)
    if case.name in ("gaussian-full", "gaussian-diag", "gaussian-diag-gaps"):
        own = [by_name[f"sd[1][{d + 1}]"] for d in range(len(x))]
        assert own == pytest.approx(sds / seen / np.sqrt(2), rel=1e-4)
    assert np.isnan(by_name["weights[1]"])


def test_where_all_labels_are_known_weights_are_shares_of_rows():
    case = next(case for case in CASES if case.name == "gaussian-full")
    x, labels = case.rows(5, 300, 1.0)
    labels = (labels % 2).astype(np.intp)
    model = case.model(x, 2)
    source = InMemory(x, labels=labels)
    begin = start(model, x, responsibilities(5, labels, 2, 0.0))
    end = climb(model, source, begin, Stopping(1e-9, 50))
    found = standard_errors(model, end.parameters, end.weight, source, Serial())
    assert isinstance(found, StandardErrors) and found.information_left == pytest.approx(1, abs=0.02)
    share = (labels == 0).mean()
    assert found.observed[0] == pytest.approx(np.sqrt(share * (1 - share) / 300), rel=1e-4)


def test_neither_blocks_nor_threads_change_a_bit():
    case = next(case for case in CASES if case.name == "gaussian-full")
    x, model, end = climbed(case, n=40_000)
    chart = model.chart(end.parameters, end.weight)
    found = [
        information(model, chart, end.parameters, source, runner, True)
        for source, runner in ((InMemory(x), Serial()), (InMemory(x, block_rows=16_384), Threads(2)))
    ]
    assert found[0].observed.tobytes() == found[1].observed.tobytes()
    assert found[0].scores.tobytes() == found[1].scores.tobytes()


def test_each_direction_of_which_rows_tell_little_is_named(monkeypatch):
    """Two pairs of components, each of which overlaps, and the pairs are far apart."""
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(4), 400)
    x = rng.poisson(np.array([2.0, 5.0, 60.0, 75.0])[labels])[None].astype(float)
    model = bound_model(Poisson(), InMemory(x), 4)
    end = climb(model, InMemory(x), start(model, x, responsibilities(1, labels, 4, 0.0)), Stopping(1e-7, 5000))
    monkeypatch.setattr("em_cli.inference.standard_errors.HARDLY_TOLD", 0.2)
    found = standard_errors(model, end.parameters, end.weight, InMemory(x), Serial())
    assert isinstance(found, StandardErrors)
    assert {int(name.partition("[")[2][0]) for name in found.hardly_told} == {1, 2, 3, 4}
