"""E-steps that look at a few components of each row, and the climb that they make."""

from dataclasses import replace

import numpy as np
import pytest
from cases import CLIMBING_CASES
from scipy.special import logsumexp
from support import bound_model, climb, component_log_density, responsibilities, start

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.arrays import stack, take
from em_cli.engine.assignment import HARD, SOFT, Tempered
from em_cli.engine.base_measure import base_measures
from em_cli.engine.expectation import Expectation
from em_cli.engine.few_components import Few
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.rows import Block
from em_cli.engine.stopping import Status, Stopping
from em_cli.errors import UsageError
from em_cli.families.gaussian.options import Gaussian
from em_cli.latents import LATENTS
from em_cli.runners.serial import Serial
from em_cli.runners.threads import Threads
from em_cli.sources.in_memory import InMemory

K = 8
NAMES = ("gaussian-full", "gaussian-tied", "gaussian-diag", "poisson", "categorical")
CASES = [case for case in CLIMBING_CASES if case.name in NAMES]
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
GAUSSIAN = next(case for case in CASES if case.name == "gaussian-full")
sparse = ALGORITHMS.load("sparse")


def begun(case, n=300, separation=2.0, weights=False, softness=0.2):
    x, labels = case.rows(4, n, separation, K)
    model = case.model(x, K)
    rng = np.random.default_rng(1)
    return (
        InMemory(x, rng.uniform(0, 2, n) if weights else None),
        model,
        start(model, x, responsibilities(4, labels, K, softness)),
    )


def passed(model, at, assignment, source, runner=None):
    """An E-step."""
    return Expectation(one_pass([Stack(model, stack([at]), assignment, plain=True)], source, runner or Serial())[0], 0)


@each_case
@pytest.mark.parametrize("weights", [False, True], ids=["rows", "weights"])
def test_it_finds_the_truncated_responsibilities(case, weights):
    source, model, at = begun(case, weights=weights)
    full = passed(model, at, SOFT, source)
    few = Few.near(model, full, 3)
    found = passed(model, at, few, source)
    x, w = source.x, np.ones(source.n_rows) if source.weights is None else source.weights
    joint = component_log_density(model.family, at.components, x) + at.latent.log_weights[:, None]
    kept = np.zeros(joint.shape, bool)
    for row, k in enumerate(joint.argmax(axis=0)):
        kept[few.sets[k], row] = True
    height = logsumexp(np.where(kept, joint, -np.inf), axis=0)
    assert found.objective == pytest.approx((w * height).sum(), rel=1e-10)
    shares = np.where(kept, np.exp(joint - height), 0.0) * w
    assert np.allclose(found.weight, shares.sum(axis=1), rtol=1e-9, atol=1e-12)
    features = np.empty((model.family.n_features(), source.n_rows))
    model.family.features(x, features)
    sums = model.family.statistics(features, shares[None], None)[0]
    assert np.allclose(found.statistics.components, sums, rtol=1e-9, atol=1e-8)
    assert found.objective <= full.log_likelihood and all(k in own for k, own in enumerate(few.sets))
    every = passed(model, at, Few.near(model, full, K), source)
    assert every.objective == pytest.approx(full.log_likelihood, rel=1e-12)


def test_densities_of_narrow_components_lose_no_digits():
    source, model, at = begun(GAUSSIAN, separation=1e4, softness=0.0)
    assert model.family.exponential.natural(stack([at]).components)[1].all()
    full = passed(model, at, SOFT, source)
    found = passed(model, at, Few.near(model, full, K), source)
    assert found.objective == pytest.approx(full.log_likelihood, rel=1e-9)
    assert np.allclose(found.weight, full.weight)


@each_case
def test_the_bound_never_falls_while_the_sets_stay(case):
    source, model, at = begun(case, separation=1.0)
    few = Few.near(model, passed(model, at, SOFT, source), 3)
    found = passed(model, at, few, source)
    for _ in range(6):
        after, empty = model.at_maximum(stack([found.statistics]), None)
        if empty.any():
            break
        before, found = found, passed(model, take(after, 0), few, source)
        assert found.objective >= before.objective - 1e-9


@each_case
@pytest.mark.parametrize("weights", [False, True], ids=["rows", "weights"])
def test_what_the_others_keep_leaves_the_log_likelihood_and_its_slope(case, weights):
    source, model, at = begun(case, weights=weights, separation=1.0)
    full = passed(model, at, SOFT, source)
    few = Few.near(model, full, 3, keeps=True)
    found = passed(model, at, few, source)
    assert found.objective == pytest.approx(full.log_likelihood, rel=1e-12)
    assert np.allclose(found.weight, full.weight)
    heights = [
        passed(model, take(model.at_maximum(stack([own.statistics]), None)[0], 0), SOFT, source).log_likelihood
        for own in (found, full)
    ]
    assert heights[0] == pytest.approx(heights[1], rel=1e-11)
    for _ in range(6):
        after, empty = model.at_maximum(stack([found.statistics]), None)
        if empty.any():
            break
        at = take(after, 0)
        before, found = found, passed(model, at, few, source)
        assert before.objective - 1e-9 <= found.objective <= passed(model, at, SOFT, source).log_likelihood + 1e-9
        assert found.weight.sum() == pytest.approx(full.weight.sum(), rel=1e-12)


def test_what_the_others_keep_has_the_weights_of_a_candidate():
    source, model, at = begun(next(case for case in CASES if case.name == "poisson"))
    weights = np.random.default_rng(2).uniform(0, 2, source.n_rows)
    weighted = InMemory(source.x, weights)
    few = Few.near(model, passed(model, at, SOFT, weighted), 3, keeps=True)
    ends = []
    for rows, own in ((weighted, None), (source, [weights])):
        constants = None if own is None else base_measures(model.family, source, own)
        asked = Stack(model, stack([at]), replace(few, known={}), own, constants, plain=True)
        ends.append(Expectation(one_pass([asked], rows, Serial())[0], 0))
    assert ends[0].objective == pytest.approx(ends[1].objective, rel=1e-12)
    assert np.allclose(ends[0].statistics.components, ends[1].statistics.components, rtol=1e-12, atol=1e-12)


@each_case
def test_with_all_components_it_is_em_to_the_bit(case):
    source, model, at = begun(case)
    own = climb(model, source, at, Stopping(0.0, 9), sparse(components=K))
    assert own.trace == climb(model, source, at, Stopping(0.0, 9), ALGORITHMS.load("em")()).trace


def test_blocks_and_threads_change_no_bit():
    source, model, at = begun(GAUSSIAN)
    few = Few.near(model, passed(model, at, SOFT, source), 3, keeps=True)
    ends = [
        passed(model, at, replace(few, known={}), InMemory(source.x, block_rows=rows), runner)
        for rows, runner in ((300, Serial()), (64, Threads(2)))
    ]
    assert ends[0].objective == ends[1].objective
    assert np.array_equal(ends[0].statistics.components, ends[1].statistics.components)


def test_it_ends_within_a_nat_for_a_hundred_thousand_rows():
    source, model, at = begun(GAUSSIAN, n=2000, separation=4.0)
    end = climb(model, source, at, Stopping(1e-3, 2000), sparse(components=4, enough=1e-4, finish="none"))
    further = climb(model, source, end.parameters, Stopping(1e-4, 2000), ALGORITHMS.load("lbfgs")())
    assert 0 <= further.log_likelihood - end.log_likelihood < 0.02


@pytest.mark.parametrize(("seed", "d", "spread"), [(0, 3, 2.0), (1, 2, 6.0), (1, 3, 2.0)])
def test_components_that_share_their_rows_with_more_than_a_few_do_not_dwindle(seed, d, spread):
    rng = np.random.default_rng(seed)
    n, k = 3_000, 40
    x = (rng.normal(size=(d, k)) * spread)[:, rng.integers(k, size=n)] + rng.normal(size=(d, n))
    model = bound_model(Gaussian("full"), InMemory(x), k)
    means = x[:, rng.choice(n, k, replace=False)]
    nearest = np.argmin((means**2).sum(axis=0)[:, None] - 2 * means.T @ x, axis=0)
    r = np.full((k, n), 0.1 / k)
    r[nearest, np.arange(n)] += 0.9
    end = climb(model, InMemory(x), model.start(Block(0, x), r), Stopping(1.0, 400), sparse())
    assert end.status is Status.CONVERGED


def test_what_it_does_not_know_is_refused_by_name():
    source, model, at = begun(GAUSSIAN)
    noisy = replace(model, latent=LATENTS.load("noise")())
    assert "--noise" in str(sparse().refuses(noisy)) and sparse().refuses(model) is None
    labelled = InMemory(source.x, labels=np.zeros(source.n_rows, np.intp))
    with pytest.raises(UsageError, match="--labels"):
        passed(model, at, Few.near(model, passed(model, at, SOFT, source), 3), labelled)


@each_case
@pytest.mark.parametrize("weights", [False, True], ids=["rows", "weights"])
def test_one_component_for_each_row_is_classification_em(case, weights):
    source, model, at = begun(case, weights=weights)
    hard = passed(model, at, HARD, source)
    for assignment in (Few.near(model, passed(model, at, SOFT, source), 1), Tempered(1e9)):
        found = passed(model, at, assignment, source)
        assert np.allclose(found.weight, hard.weight)
        steps = [passed(model, take(model.maximize([one])[0], 0), SOFT, source).log_likelihood for one in (found, hard)]
        assert steps[0] == pytest.approx(steps[1], rel=1e-9)
