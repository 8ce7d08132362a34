"""Distributions of positive quantities, proportions and angles: tied values, units, functions without lost digits."""

import numpy as np
import pytest
from cases import CASES
from scipy import special, stats
from support import bound_model, climb, component_log_density, default_plan, find, find_one, rows, start

from em_cli.engine.column_summary import summarize
from em_cli.engine.stopping import Stopping
from em_cli.errors import UsageError
from em_cli.families.distributions import roots
from em_cli.families.distributions.bessel_ratio import concentration, resultant_gap, resultant_share, resultant_slope
from em_cli.families.distributions.gamma_function import log_minus_digamma, stirling_rest, trigamma_rest
from em_cli.families.distributions.von_mises import VonMises
from em_cli.search.ledger import Verdict
from em_cli.sources.in_memory import InMemory

CONTINUOUS = [case for case in CASES if case.name in ("gamma", "lognormal", "weibull", "beta", "von_mises")]
each_case = pytest.mark.parametrize("case", CONTINUOUS, ids=lambda case: case.name)


def tied(case) -> np.ndarray:
    """Two groups, and one value many times."""
    x, _ = rows(case.narrow, 31, 240, 4.0, 2)
    x[0, :40] = np.median(x)
    return x


def rounded(case) -> np.ndarray:
    sixteenths = np.maximum(np.round(tied(case) * 16), 1)
    return np.minimum(sixteenths, 15 if case.name == "beta" else np.inf) / 16


@pytest.mark.parametrize("name", ["gamma", "lognormal", "beta"])
def test_a_narrow_component_costs_few_steps_whatever_the_others(name, monkeypatch):
    """Where a component is as narrow as the data can show, only that one is sought there: the others never settle."""
    case = next(case for case in CONTINUOUS if case.name == name)
    x, _ = rows(case.narrow, 31, 240, 4.0, 2)
    x[:, :40] = x[:, [0]]
    model, steps = case.model(np.round(x, 2 if name == "beta" else 1), 2), []
    responsibilities = np.zeros((2, 240))
    responsibilities[0, :40] = responsibilities[1, 40:] = 1.0

    def settled(step, begin):
        return roots.settled(lambda at: steps.append(1) or step(at), begin)

    monkeypatch.setattr(f"em_cli.families.distributions.{name}.settled", settled)
    parameters = start(model, np.round(x, 2 if name == "beta" else 1), responsibilities).components
    assert any(model.family.degenerate(parameters, np.array([40.0, 200.0])))
    assert 0 < len(steps) < 25


@each_case
def test_ties_do_not_win(case):
    for fitted in find(case.build(case.narrow), tied(case), [1, 2, 3]):
        assert fitted.chosen is not None, fitted.failure
        assert not any(collapse and collapse.at_resolution for collapse in fitted.degeneracies)
        for entry in fitted.ledger:
            if entry.result.log_likelihood > fitted.chosen.log_likelihood + 0.05:
                assert entry.verdict in (Verdict.DEGENERATE, Verdict.STOPPED)  # on its way there


@each_case
@pytest.mark.parametrize("others", [1e-100, 1e-5])
def test_a_component_of_tied_values_is_the_best_that_the_resolution_allows(case, others):
    x = rounded(case)
    weights = np.where(x[0] == np.median(x), 1.0, others)
    source = InMemory(x, weights)
    model = bound_model(case.build(case.narrow), source, 1)
    best = climb(model, source, start(model, x, np.ones((1, 240)), weights), Stopping(1e-10, 300))
    components = best.parameters.components
    (collapse,) = model.family.degenerate(components, np.array([240.0]))
    if others < 1e-99:  # fewer make a Weibull component as wide as they need
        assert collapse is not None and collapse.at_resolution
        assert np.allclose(model.family.moments(components)[1], summarize(source).resolution / np.sqrt(12), rtol=0.02)
    chart = model.family.chart(components, np.array([weights.sum()]))
    rng = np.random.default_rng(1)
    for length in (1e-3, 0.1, 1.0):
        for _ in range(20):
            near = chart.parameters(length * rng.standard_normal(2))
            height = weights @ component_log_density(model.family, near, x)[0]
            assert height <= best.log_likelihood + 1e-8 * abs(best.log_likelihood)


FITS = {
    "gamma": lambda x: dict(zip(("shapes", "scales"), np.delete(stats.gamma.fit(x, floc=0), 1), strict=True)),
    "weibull": lambda x: dict(zip(("shapes", "scales"), np.delete(stats.weibull_min.fit(x, floc=0), 1), strict=True)),
    "lognormal": lambda x: {"log_means": np.log(x).mean(), "log_sds": np.log(x).std()},
    "beta": lambda x: dict(zip(("alphas", "betas"), stats.beta.fit(x, floc=0, fscale=1)[:2], strict=True)),
    "von_mises": lambda x: dict(zip(("concentrations", "means"), stats.vonmises.fit(x, fscale=1)[:2], strict=True)),
}


@each_case
def test_one_component_is_the_fit_of_scipy(case):
    x, _ = rows(case.narrow, 32, 500, 2.0, 1)
    fitted = find_one(case.build(case.narrow), x, 1, default_plan(Stopping(1e-9, 500)))
    document = fitted.candidate.model.to_document(fitted.parameters)
    for name, number in FITS[case.name](x[0]).items():
        assert np.remainder(document[name][0][0], 2 * np.pi) == pytest.approx(np.remainder(number, 2 * np.pi), rel=1e-4)


@pytest.mark.parametrize("period", [360.0, 24.0])
def test_angles_may_be_in_any_unit(period):
    x, _ = rows(("angle", "angle"), 33, 300, 4.0)
    turned = period / (2 * np.pi)
    before, after = find_one(VonMises(), x, 3), find_one(VonMises(period), x * turned + 7 * period, 3)
    assert after.log_likelihood + x.size * np.log(turned) == pytest.approx(before.log_likelihood, abs=1e-5)
    for mine, its in zip(moments(before), moments(after), strict=True):
        assert np.allclose(its, mine * turned, rtol=1e-4)


def moments(fitted):
    mean, sd = fitted.candidate.model.family.moments(fitted.parameters.components)
    order = np.argsort(mean[:, 0])
    return mean[order], sd[order]


def test_a_period_is_a_positive_number():
    with pytest.raises(UsageError, match="period"):
        VonMises(-1)


def test_what_stirling_leaves_is_that_of_scipy_and_obeys_the_recurrence():
    a = np.geomspace(1e-6, 300, 200)
    assert np.allclose(stirling_rest(a), special.xlogy(a, a) - a - special.gammaln(a), rtol=1e-12, atol=1e-12)
    assert np.allclose(log_minus_digamma(a), np.log(a) - special.digamma(a), rtol=1e-11)
    assert np.allclose(trigamma_rest(a), a * (a * special.polygamma(1, a) - 1), rtol=1e-10)
    a = np.geomspace(1e-3, 1e13, 200)
    step = np.log1p(1 / a)
    assert np.allclose(stirling_rest(a + 1) - stirling_rest(a), a * (step - 1 / a) + step, rtol=1e-6, atol=1e-14)
    assert np.allclose(log_minus_digamma(a) - log_minus_digamma(a + 1), 1 / a - step, rtol=1e-6, atol=1e-15 / a)


def test_concentrations_come_back_from_resultants():
    kappa = np.geomspace(1e-4, 1e14, 300)
    assert np.allclose(concentration(resultant_gap(kappa)), kappa, rtol=1e-9)
    assert np.allclose(1 - resultant_gap(kappa), special.i1e(kappa) / special.i0e(kappa), rtol=1e-12)
    nearby = resultant_gap(kappa * (1 - 1e-4)) - resultant_gap(kappa * (1 + 1e-4))
    assert np.allclose(nearby / (2e-4 * kappa), resultant_slope(kappa), rtol=1e-6)
    assert np.allclose(resultant_share(kappa) * kappa + resultant_gap(kappa), 1)
    assert concentration(np.array([0.0, 1.0, 1.5])).tolist() == pytest.approx([1e15, 0, 0])
