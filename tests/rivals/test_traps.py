"""Data on which well-known programs give wrong answers, or none; each with the right one."""

from functools import cache

import numpy as np
import pytest
from cases import CLIMBED
from scipy.optimize import linear_sum_assignment
from support import bound_model, climb, default_plan, find, find_one, responsibilities, start

from em_cli.criteria import Figures, bic
from em_cli.engine.scoring import score_rows, score_source
from em_cli.engine.stopping import Stopping
from em_cli.families.covariances import COVARIANCES
from em_cli.families.gaussian.options import Gaussian
from em_cli.runners.serial import Serial
from em_cli.search.ledger import Verdict
from em_cli.search.search import Task, search
from em_cli.search.survey import survey
from em_cli.sources.in_memory import InMemory

SEED = 1_905
each_covariance = pytest.mark.parametrize("covariance", CLIMBED)


def labels_of(fit, x):
    return score_rows(fit.candidate.model, fit.parameters, x).responsibilities.argmax(axis=0)


def agreement(labels, truth):
    """The share of rows that are in the same group, whatever the groups are called."""
    table = np.zeros((labels.max() + 1, truth.max() + 1))
    np.add.at(table, (labels, truth), 1)
    return table[linear_sum_assignment(table, maximize=True)].sum() / len(truth)


def by_bic(fits, x):
    """The fit that the BIC chooses."""

    def value(fit):
        model = fit.candidate.model
        sums = score_source(model, fit.parameters, InMemory(x), Serial())
        figures = Figures(
            fit.log_likelihood, model.n_parameters, x.shape[1], float(sums.entropy), float(sums.log_largest)
        )
        return bic(figures)

    return min((fitted.chosen for fitted in fits), key=value)


def stretched(seed):
    """Three long clusters side by side, 20 times as long as they are wide, in a direction that is no column's."""
    rng = np.random.default_rng((SEED, seed))
    truth = np.repeat(np.arange(3), 200)
    x = rng.standard_normal((2, 600)) * [[20.0], [1.0]]
    x[1] += 7.0 * truth
    angle = rng.uniform(0.3, 1.2)
    return np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]) @ x, truth


@pytest.mark.parametrize("seed", [1, 2])
def test_stretched_clusters_are_counted_and_found(seed):
    """scikit-learn's defaults choose one component, with any number of restarts."""
    x, truth = stretched(seed)
    fits = find(Gaussian("full"), x, range(1, 6))
    assert all(fitted.chosen is not None for fitted in fits)
    best = by_bic(fits, x)
    assert best.candidate.model.n_components == 3
    assert agreement(labels_of(best, x), truth) >= 0.99


def with_ties(seed):
    """200 rows in two groups, and between them one row forty times."""
    rng = np.random.default_rng((SEED, seed))
    groups = rng.standard_normal((2, 200))
    groups[0, 100:] += 6.0
    return np.concatenate([groups, np.repeat(rng.normal(3.0, 1.0, (2, 1)), 40, axis=1)], axis=1)


@each_covariance
@pytest.mark.parametrize("k", [2, 3])
def test_tied_rows_are_no_component(covariance, k):
    """scikit-learn fails in most single starts, and always where it makes ten."""
    x = with_ties(3)
    fitted = find(Gaussian(covariance), x, [k])[0]
    assert fitted.chosen is not None, fitted.failure
    assert not any(fitted.degeneracies)
    labels = labels_of(fitted.chosen, x)
    assert (labels[:200] == labels[200]).sum() >= 20, "the tied rows are alone"
    for entry in fitted.ledger:
        if entry.result.log_likelihood > fitted.chosen.log_likelihood + 0.05:
            given_up = entry.verdict is Verdict.STOPPED and len(entry.result.trace) < 10  # on its way into the ties
            assert given_up or (entry.verdict is Verdict.DEGENERATE and entry.reason)


@pytest.mark.parametrize("seed", range(8))
def test_ties_spoil_no_seed(seed):
    """mixtools fails with most of them."""
    rng = np.random.default_rng((SEED, 4))
    x = np.round(np.concatenate([rng.normal(0, 1.2, (2, 90)), rng.normal(5, 1.2, (2, 90))], axis=1))
    fits = find(Gaussian("full"), x, [2, 3], default_plan(seed=seed))
    for fitted in fits:
        assert fitted.chosen is not None, fitted.failure
        assert not any(fitted.degeneracies)
    assert agreement(labels_of(fits[0].chosen, x), np.repeat([0, 1], 90)) >= 0.97
    assert fits[0].chosen.log_likelihood == pytest.approx(chosen_with_seed_0(x.tobytes()), abs=0.02)


@cache
def chosen_with_seed_0(data):
    return find_one(Gaussian("full"), np.frombuffer(data).reshape(2, -1), 2).log_likelihood


def apart(seed, n=300):
    """Three groups of different shapes; few binary digits, which an offset leaves as they are."""
    rng = np.random.default_rng((SEED, seed))
    truth = np.repeat(np.arange(3), n // 3)
    centres = np.array([[0.0, 7.0, 3.0], [0.0, 1.0, 8.0]])
    x = rng.standard_normal((2, n)) * np.array([[1.0, 0.8, 1.2], [0.9, 1.3, 0.7]])[:, truth] + centres[:, truth]
    return np.round(x * 1024) / 1024, truth


@cache
def labels_unchanged(covariance):
    x, _ = apart(5)
    return labels_of(find_one(Gaussian(covariance), x, 3), x)


@each_covariance
@pytest.mark.parametrize("factor", [1e-4, 1e4])
def test_the_unit_does_not_matter(covariance, factor):
    """A constant added to variances does: at 1e-4, half of scikit-learn's labels are wrong."""
    x, truth = apart(5)
    labels = labels_of(find_one(Gaussian(covariance), x * factor, 3), x * factor)
    assert agreement(labels, labels_unchanged(covariance)) == 1
    assert agreement(labels, truth) == agreement(labels_unchanged(covariance), truth) >= 0.98


@each_covariance
def test_a_small_unit_in_one_column_does_not_matter(covariance):
    if COVARIANCES.load(covariance).letters.common_scale:
        pytest.skip("one unit for all columns is what the structure means")
    x, truth = apart(5)
    x = x * [[1.0], [1e-6]]
    assert agreement(labels_of(find_one(Gaussian(covariance), x, 3), x), labels_unchanged(covariance)) == 1
    assert agreement(labels_unchanged(covariance), truth) >= 0.98


@each_covariance
def test_a_large_offset_does_not_matter(covariance):
    """scikit-learn ends with an error for all but full covariances."""
    x, truth = apart(5)
    labels = labels_of(find_one(Gaussian(covariance), x + 1e8, 3), x + 1e8)
    assert agreement(labels, labels_unchanged(covariance)) == 1
    assert agreement(labels, truth) >= 0.98


@each_covariance
@pytest.mark.parametrize("seed", [6, 7])
def test_a_small_cluster_far_off_is_kept(covariance, seed):
    """flexmix deletes components this small."""
    rng = np.random.default_rng((SEED, seed))
    truth = (np.arange(600) >= 582).astype(np.intp)
    x = rng.standard_normal((2, 600))
    x[0] += 8.0 * truth
    fitted = find(Gaussian(covariance), x, [2])[0]
    assert fitted.chosen is not None, fitted.failure
    assert not any(fitted.degeneracies)
    assert agreement(labels_of(fitted.chosen, x), truth) == 1
    assert min(fitted.chosen.parameters.latent.weights) == pytest.approx(0.03, abs=1e-4)


def climbed(x, covariance, weights, tolerance, passes=500):
    """A plain climb from a start that has far to go."""
    model = bound_model(Gaussian(covariance), InMemory(x, weights), 3)
    r = responsibilities(8, np.arange(x.shape[1]) % 3, 3, 0.5)
    result = climb(model, InMemory(x, weights), start(model, x, r, weights), Stopping(tolerance, passes))
    return model.to_document(result.parameters), result


@each_covariance
def test_weights_count_in_the_likelihood_and_in_the_stopping_rule(covariance):
    """Of 2 on all rows: twice the nats. pomegranate stops as if there were no weights."""
    x, _ = apart(9)
    once, before = climbed(x, covariance, None, 0.01)
    twice, after = climbed(x, covariance, np.full(300, 2.0), 0.02)
    assert np.allclose(after.trace, 2 * np.array(before.trace), rtol=1e-12)
    assert after.remaining == pytest.approx(2 * before.remaining, rel=1e-3, abs=1e-9)
    assert all(np.allclose(twice[name], once[name], rtol=1e-9, atol=1e-12) for name in once)
    _, strict = climbed(x, covariance, np.full(300, 2e6), 0.02)
    assert len(strict.trace) > len(after.trace), "a nat is a nat, whatever the weights"


@each_covariance
def test_a_weight_is_that_many_rows(covariance):
    x, _ = apart(10)
    copies = np.random.default_rng(SEED).integers(1, 4, x.shape[1])
    r = responsibilities(8, np.arange(x.shape[1]) % 3, 3, 0.5)
    ends = []
    for rows, weights, of in (
        (x, copies.astype(float), r),
        (np.repeat(x, copies, axis=1), None, np.repeat(r, copies, axis=1)),
    ):
        model = bound_model(Gaussian(covariance), InMemory(rows, weights), 3)
        ends.append(climb(model, InMemory(rows, weights), start(model, rows, of, weights), Stopping(0.01, 500)))
    assert ends[0].status is ends[1].status
    assert np.allclose(ends[0].trace, ends[1].trace, rtol=1e-10)


def test_the_whole_search_counts_weights():
    x, _ = apart(11)
    heights = {}
    for weight in (1.0, 2.0):
        source = InMemory(x, np.full(300, weight))
        model, plan = bound_model(Gaussian("full"), source, 3), default_plan(Stopping(1e-6, 2000))
        (fitted,) = search([Task("k3", model)], survey(source), Serial(), plan)
        assert fitted.chosen is not None, fitted.failure
        heights[weight] = fitted.chosen.log_likelihood
    assert heights[2.0] == pytest.approx(2 * heights[1.0], abs=1e-5)
    assert heights[1.0] == pytest.approx(find_one(Gaussian("full"), x, 3).log_likelihood, abs=0.02)
