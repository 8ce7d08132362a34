"""Distributions of counts: ends of their parameters, and columns that are given rather than modelled."""

import numpy as np
import pytest
from scipy import stats
from scipy.special import gammaln
from support import bound_model, component_log_density, start

from em_cli.engine.arrays import stack
from em_cli.engine.columns import unit_columns
from em_cli.engine.expectation import Expectation
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.scoring import score_rows
from em_cli.errors import DataError, UsageError
from em_cli.families.distributions.binomial import Binomial
from em_cli.families.distributions.count_nodes import CountNodes
from em_cli.families.distributions.multinomial import Multinomial
from em_cli.families.distributions.negative_binomial import NegativeBinomial
from em_cli.families.distributions.poisson import Poisson
from em_cli.families.distributions.zero_inflated_poisson import ZeroInflatedPoisson
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory


def alone(family, x, weights=None):
    """The fit of one component, and its log-likelihood."""
    model = bound_model(family, InMemory(x, weights), 1)
    at = start(model, x, np.ones((1, x.shape[1])), weights)
    by_row = score_rows(model, at, x).log_density
    return model.to_document(at), float(by_row.sum() if weights is None else weights @ by_row)


def test_counts_that_vary_less_than_poisson_counts_have_the_poisson_law():
    x = np.random.default_rng(1).binomial(20, 0.6, (1, 500)).astype(float)
    found, height = alone(NegativeBinomial(), x)
    expected, limit = alone(Poisson(), x)
    assert found["means"] == expected["rates"]
    assert found["sizes"][0][0] > 1e9
    assert height == pytest.approx(limit, rel=1e-9)


@pytest.mark.parametrize("largest", [20.0, 63.0, 64.0, 500.0, 1e5])
@pytest.mark.parametrize("size", [0.05, 1.7, 40.0, 3e4])
def test_sums_over_counts_are_sums_over_nodes(largest, size):
    rng = np.random.default_rng(2)
    x = np.unique(np.rint(np.exp(rng.uniform(0, np.log(largest), 400))))
    nodes = CountNodes(largest)
    shares = nodes.shares(x)
    assert np.allclose(shares.sum(axis=1), 1, rtol=1e-13)
    assert np.allclose(shares @ nodes.nodes, x, rtol=1e-11)
    assert np.allclose(shares @ gammaln(nodes.nodes + size), gammaln(x + size), rtol=1e-11, atol=1e-11)


@pytest.mark.parametrize("mean, size", [(0.2, 0.1), (3.0, 2.0), (40.0, 0.3), (900.0, 25.0), (1e5, 4.0)])
def test_no_size_is_better_than_the_one_found(mean, size):
    rng = np.random.default_rng(3)
    x, weights = rng.poisson(rng.gamma(size, mean / size, (1, 400))).astype(float), rng.uniform(0.5, 2, 400)
    document, height = alone(NegativeBinomial(), x, weights)
    (m,), (s,) = document["means"][0], document["sizes"][0]
    for factor in (0.9, 0.999, 1.001, 1.1):
        assert height > weights @ stats.nbinom(s * factor, s * factor / (s * factor + m)).logpmf(x[0])
    assert height == pytest.approx(weights @ stats.nbinom(s, s / (s + m)).logpmf(x[0]), rel=1e-10)


def test_no_more_zeros_than_poisson_counts_have_need_no_inflation():
    x = np.array([[1.0, 2.0, 1.0, 3.0, 1.0, 2.0, 0.0]])
    found, height = alone(ZeroInflatedPoisson(), x)
    expected, limit = alone(Poisson(), x)
    assert found["zero_probabilities"] == [[0.0]]
    assert found["rates"] == expected["rates"]
    assert height == pytest.approx(limit, rel=1e-13)


@pytest.mark.parametrize("x", [[0.0] * 9, [0.0] * 8 + [1.0], [5.0] * 9, [0.0] * 5 + [7.0] * 4])
@pytest.mark.parametrize("family", [ZeroInflatedPoisson, NegativeBinomial], ids=lambda family: family.__name__)
def test_counts_that_hardly_differ_have_a_fit(family, x):
    document, height = alone(family(), np.array([x]))
    assert all(np.isfinite(numbers).all() for numbers in document.values())
    assert height >= alone(Poisson(), np.array([x]))[1] - 1e-9


@pytest.mark.parametrize(
    "family, end",
    [(ZeroInflatedPoisson(), {"rates": [[2.0], [9.0]], "zero_probabilities": [[0.0], [0.0]]}),
     (NegativeBinomial(), {"means": [[2.0], [9.0]], "sizes": [[1e12], [1e12]]})],
    ids=["zeros", "sizes"],
)  # fmt: skip
def test_a_parameter_can_leave_its_end(family, end):
    """Where it should, the gradient says so, and is that of the log-likelihood on that side."""
    rng = np.random.default_rng(4)
    x = rng.poisson(rng.gamma(1.5, rng.choice([2.0, 9.0], (1, 600)) / 1.5)).astype(float)
    source, model = InMemory(x), bound_model(family, InMemory(x), 2)
    base = model.from_document({"weights": [0.5, 0.5]} | end)

    def at(parameters):
        return Expectation(one_pass([Stack(model, stack([parameters]))], source, Serial())[0], 0)

    found = at(base)
    chart = model.chart(base, found.weight)
    gradient = chart.gradient(found)
    assert (gradient[-2:] > 0.1).all()
    step = np.zeros_like(gradient)
    step[-2:] = 1e-4 * gradient[-2:] / np.linalg.norm(gradient[-2:])
    gain = at(chart.parameters(step)).log_likelihood - found.log_likelihood
    assert gain == pytest.approx(gradient @ step, rel=0.02)
    outward = np.diff([at(chart.parameters(-scale * step)).log_likelihood for scale in (0, 1)])
    assert abs(outward) < 1e-7, "there is nothing beyond the end"


def pairs(seed, n=300):
    """Successes and trials in two pairs of columns, and the group (n,) of each row."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    trials = rng.integers(0, 20, (2, n))
    successes = rng.binomial(trials, np.array([[0.2, 0.7], [0.6, 0.3]])[:, labels])
    return np.stack([successes[0], trials[0], successes[1], trials[1]]).astype(float), labels


def test_trials_that_have_columns_are_given():
    x, labels = pairs(5)
    model = bound_model(Binomial(trials_columns=True), InMemory(x), 2)
    at = start(model, x, np.eye(2)[:, labels])
    document = model.to_document(at)
    actual = component_log_density(model.family, at.components, x)
    for k in range(2):
        own = x[:, labels == k].sum(axis=1)
        assert np.allclose(document["probabilities"][k], own[::2] / own[1::2], rtol=1e-13)
        law = stats.binom(x[1::2], np.array(document["probabilities"][k])[:, None])
        assert np.allclose(actual[k], law.logpmf(x[::2]).sum(axis=0), rtol=1e-10, atol=1e-12)


def test_a_pair_is_missing_if_one_of_it_is():
    x, labels = pairs(6)
    some = x.copy()
    some[0, :40], some[1, 30:90], some[3, 200:] = np.nan, np.nan, np.nan
    model = bound_model(Binomial(trials_columns=True), InMemory(some), 2)
    r = np.eye(2)[:, labels]
    at = start(model, some, r)
    kept = np.isfinite(some[::2] + some[1::2])
    for k in range(2):
        own = kept & (labels == k)
        expected = np.where(own, x[::2], 0).sum(axis=1) / np.where(own, x[1::2], 0).sum(axis=1)
        assert np.allclose(model.to_document(at)["probabilities"][k], expected, rtol=1e-13)
    without = some.copy()
    without[:2, :90] = np.nan
    one, other = (component_log_density(model.family, at.components, rows) for rows in (some, without))
    assert np.allclose(one[:, :90], other[:, :90], rtol=1e-13, atol=1e-13)
    assert np.isfinite(model.family.embedding(some)).all()
    filled = [model.family.completing.complete(some, at.components, r)]
    filled += [
        model.family.completing.draw(some, at.components, labels, np.random.default_rng(seed)) for seed in range(3)
    ]
    for whole in filled:
        assert Binomial(trials_columns=True).support.allows(whole).all()
        assert (whole[~np.isnan(some)] == some[~np.isnan(some)]).all()
    assert np.allclose(filled[0][0, :30], np.rint(expected_successes(model, at, labels, x))[:30])


def expected_successes(model, at, labels, x):
    return np.array(model.to_document(at)["probabilities"])[labels, 0] * x[1]


def test_more_successes_than_trials_are_not_allowed():
    x = np.array([[3.0, 3.0, 3.0, np.nan, 1.5], [5.0, 2.0, np.nan, 2.0, 2.0]])
    pair = Binomial(trials_columns=True).support
    assert pair.allows(x).tolist() == [[True, False, True, True, False], [True] * 5]
    fixed = Binomial(12).support
    assert fixed.allows(np.array([[0.0, 12.0, 13.0, -1.0, 0.5, np.nan]])).tolist() == [
        [True, True] + [False] * 3 + [True]
    ]


@pytest.mark.parametrize("options", [{}, {"trials": -1}, {"trials": 2.5}, {"trials": 3, "trials_columns": True}])
def test_the_trials_must_be_known(options):
    with pytest.raises(UsageError, match="trials"):
        Binomial(**options)


def test_columns_must_be_enough():
    with pytest.raises(UsageError, match="pairs"):
        bound_model(Binomial(trials_columns=True), InMemory(np.ones((3, 9))), 1)
    with pytest.raises(UsageError, match="two columns"):
        bound_model(Multinomial(), InMemory(np.ones((1, 9))), 1)


def shares(seed, n=300):
    """Counts in four columns, whose totals differ, and the group (n,) of each row."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=n)
    p = np.array([[0.1, 0.2, 0.3, 0.4], [0.4, 0.4, 0.1, 0.1]])
    return rng.multinomial(rng.integers(0, 60, n), p[labels]).T.astype(float), labels


def test_a_row_whose_total_is_not_known_says_nothing():
    x, labels = shares(7)
    some = x.copy()
    some[2, :50] = np.nan
    r = np.eye(2)[:, labels]
    model, rest = (bound_model(Multinomial(), InMemory(rows), 2) for rows in (some, x[:, 50:]))
    at = start(model, some, r)
    assert np.allclose(
        model.to_document(at)["probabilities"], rest.to_document(start(rest, x[:, 50:], r[:, 50:]))["probabilities"]
    )
    assert (component_log_density(model.family, at.components, some)[:, :50] == 0).all()
    filled = model.family.completing.complete(some, at.components, r)
    p = np.array(model.to_document(at)["probabilities"])[labels].T
    others = np.nan_to_num(some).sum(axis=0)
    assert np.allclose(filled[2, :50], np.rint(others * p[2] / (1 - p[2]))[:50])
    drawn = [
        model.family.completing.draw(some, at.components, labels, np.random.default_rng(seed))[2] for seed in range(300)
    ]
    assert np.allclose(np.mean(drawn, axis=0)[:50], (others * p[2] / (1 - p[2]))[:50], atol=1.5)


@pytest.mark.parametrize(
    "family, document, field",
    [
        (Multinomial, {"probabilities": [[0.5, 0.6]], "typical_total": 9}, "probabilities"),
        (Multinomial, {"probabilities": [[0.5, 0.5]], "typical_total": "many"}, "typical_total"),
        (Multinomial, {"probabilities": [[0.5, 0.5]], "typical_total": 0}, "typical_total"),
        (NegativeBinomial, {"means": [[1, 2]], "sizes": [[0, 1]]}, "sizes"),
        (NegativeBinomial, {"means": [[1, -2]], "sizes": [[1, 1]]}, "means"),
        (ZeroInflatedPoisson, {"rates": [[1, 2]], "zero_probabilities": [[1, 0.5]]}, "zero_probabilities"),
        (lambda: Binomial(9), {"probabilities": [[0.5, 1.5]]}, "probabilities"),
        (lambda: Binomial(trials_columns=True), {"probabilities": [[0.5]], "typical_trials": [-3]}, "typical_trials"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused_by_the_name_of_its_field(family, document, field):
    with pytest.raises(DataError, match=field):
        family().bind(unit_columns(2)).from_document(document, 1)
