"""What algorithms obey that take a way of their own from the start, each by its paper."""

from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
from cases import CLIMBING_CASES
from sklearn.cluster import KMeans
from support import OF_SEARCHES, bound_model, climb, responsibilities, start
from test_climb_laws import begun

from em_cli.algorithms import ALGORITHMS
from em_cli.algorithms.minibatch import approached
from em_cli.algorithms.usual import needs_plain_sums
from em_cli.engine.arrays import add, stack, take
from em_cli.engine.assignment import HARD
from em_cli.engine.cache import SUM_ROWS
from em_cli.engine.expectation import Expectation, ModelStatistics, Parameters
from em_cli.engine.parts_of_rows import Part, Parts
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.protocols import Query
from em_cli.engine.scoring import score_rows
from em_cli.engine.stopping import Status, Stopping
from em_cli.families.gaussian.options import Gaussian
from em_cli.latents.independent import Independent
from em_cli.runners.serial import Serial
from em_cli.runners.threads import Threads
from em_cli.sources.in_memory import InMemory

OTHERS = [name for name in ALGORITHMS if name not in OF_SEARCHES]
K = 3
each_case = pytest.mark.parametrize("case", CLIMBING_CASES, ids=lambda case: case.name)
each_other = pytest.mark.parametrize("name", OTHERS)
ADDITIVE = [case for case in CLIMBING_CASES if not needs_plain_sums("", case.model(case.rows(5, 100, 1.5)[0], K))]
each_additive = pytest.mark.parametrize("case", ADDITIVE, ids=lambda case: case.name)  # their statistics add over steps
WHOLE = ("gaussian-VEE", "gaussian-EVE", "regression-common")  # M-steps that go on to their end without a frame
GAUSSIAN = next(case for case in CLIMBING_CASES if case.name == "gaussian-full")
TIED = next(case for case in CLIMBING_CASES if case.name == "gaussian-tied")
POISSON = next(case for case in CLIMBING_CASES if case.name == "poisson")
GAMMA = next(case for case in CLIMBING_CASES if case.name == "gamma")


BRIEFLY = {"sem": {"burn_in": 4, "steps": 6}, "saem": {"burn_in": 4, "steps": 6}}


def made(name, **options):
    return ALGORITHMS.load(name)(**options)


def brief(name):
    """With few steps of its own, so that its end comes soon."""
    return made(name, **BRIEFLY.get(name, {}))


def hard(model, parameters, x):
    return one_pass([Stack(model, stack([parameters]), HARD)], InMemory(x), Serial())[0]


@each_other
@pytest.mark.parametrize(("case", "latent"), [(GAUSSIAN, "noise"), (GAMMA, "independent")], ids=["noise", "gamma"])
def test_an_end_is_told_as_it_is(name, case, latent):
    """The log-likelihood is that of the parameters, the objective what ends are compared by."""
    x, model, begin = begun(case, 3, 200, latent=latent)
    for stopping in (Stopping(1e-4, 500), Stopping(0, 7)):
        result = climb(model, InMemory(x, block_rows=64), begin, stopping, brief(name))
        assert result.log_likelihood == pytest.approx(score_rows(model, result.parameters, x).log_density.sum())
        assert len(result.trace) == len(result.log_likelihoods or result.trace)
        if brief(name).objective == HARD.objective:
            assert result.objective == pytest.approx(hard(model, result.parameters, x).objective[0])
        else:
            assert result.objective == result.log_likelihood


@each_other
def test_blocks_threads_and_company_change_no_bit(name):
    case = GAUSSIAN
    x, model, begin = begun(case, 5, 300)
    ends = [
        climb(model, InMemory(x, block_rows=rows), begin, Stopping(1e-3, 60), brief(name), runner)
        for rows, runner in ((300, Serial()), (64, Threads(2)))
    ]
    alone, cut = (end.log_likelihoods or end.trace for end in ends)
    assert np.allclose(alone, cut, rtol=1e-10)
    again = climb(model, InMemory(x, block_rows=64), begin, Stopping(1e-3, 60), brief(name), Serial())
    assert again.trace == ends[1].trace


@each_case
def test_cem_ends_where_no_row_moves(case):
    x, model, begin = begun(case, 8, 120, 2.0, softness=0.3)
    result = climb(model, InMemory(x), begin, Stopping(0.01, 500), made("cem"))
    if result.status is Status.DEGENERATE:
        return
    assert result.status is Status.CONVERGED and result.remaining == 0
    assert result.stages == ((0, "classification"),)
    assert np.diff(result.trace).min(initial=0) >= 0
    found = hard(model, result.parameters, x)
    after, _ = model.at_maximum(found.statistics, found.parameters)
    again = one_pass([Stack(model, after, HARD)], InMemory(x), Serial())[0]
    assert np.array_equal(again.statistics.weight, found.statistics.weight)
    assert again.objective[0] == pytest.approx(result.trace[-1], rel=1e-10)


def inertia(model, at, x):
    """What k-means lowers, from the classification log-likelihood of equal spheres of equal weight."""
    (d, n), variance = x.shape, np.array(model.to_document(at)["covariances"])[0, 0, 0]
    classified = hard(model, at, x).objective[0]
    return -2 * variance * (classified + n * np.log(4) + n * d / 2 * np.log(2 * np.pi * variance))


@pytest.mark.parametrize("seed", range(3))
def test_cem_with_equal_spheres_takes_the_steps_of_lloyd(seed):
    x, labels = GAUSSIAN.rows(seed, 150, 1.2)
    model = replace(bound_model(Gaussian(covariance="EII"), InMemory(x), 4), latent=Independent("equal"))
    begin = start(model, x, responsibilities(seed, labels % 4, 4, 0.8))
    centres = np.array(model.to_document(begin)["means"])
    for steps in range(1, 12):
        end = climb(model, InMemory(x), begin, Stopping(0.0, steps), made("cem"))
        found = hard(model, end.parameters, x)
        after, _ = model.at_maximum(found.statistics, found.parameters)
        lloyd = KMeans(4, init=centres, n_init=1, max_iter=steps, tol=0, algorithm="lloyd").fit(x.T)
        at = take(after, 0)
        assert np.allclose(model.to_document(at)["means"], lloyd.cluster_centers_, rtol=1e-9)
        assert np.array_equal(score_rows(model, at, x).responsibilities.argmax(axis=0), lloyd.labels_)
        assert inertia(model, at, x) == pytest.approx(lloyd.inertia_, rel=1e-9)
        if end.status is Status.CONVERGED:
            break
    assert 2 < steps < 12 and lloyd.n_iter_ <= steps


def told(algorithm, model, begin, source):
    """The queries of a climb and what it was told, answered one by one."""
    answers, asking, parts = [], algorithm.iterate(model, begin), Parts(source)
    query = next(asking)
    while query is not None:
        at = query.at
        if not isinstance(at, Parameters):
            sums, frame = (at, None) if isinstance(at, ModelStatistics) else (at.statistics, stack([at.parameters]))
            at = take(model.at_maximum(stack([sums]), frame)[0], 0)
        stacked = Stack(model, stack([at]), query.assignment, plain=query.plain)
        found = Expectation(one_pass([stacked], parts(query.rows), Serial())[0], 0)
        answers.append((query, found))
        query = sent(asking, found)
    return answers


def sent(asking, found):
    try:
        return asking.send(found)
    except StopIteration:
        return None


@each_additive
def test_an_incremental_step_lowers_no_free_energy(case):
    """F (Neal & Hinton 1998): the expected log-likelihood under what each block was last told, and its entropy."""
    x, model, begin = begun(case, 5, 160, 1.5)
    answers = told(made("incremental", blocks=4, sweeps=3, finish="none"), model, begin, InMemory(x))
    steps = [(query.rows.number, found) for query, found in answers if query.rows is not None]
    assert len(steps) == 4 + 3 * 4
    blocks, heights = dict(steps[:4]), []
    for number, found in steps[3:]:
        blocks[number] = found
        sums = reduce(add, [block.statistics for block in blocks.values()])
        entropies = sum(block.log_likelihood - bound(model, block.statistics, block) for block in blocks.values())
        heights.append(entropies + bound(model, sums, found))
    assert np.diff(heights).min() >= -1e-9 * abs(heights[-1])
    assert answers[-1][1].log_likelihood >= heights[-1] - 1e-6


def bound(model, statistics, found):
    return float(model.expected_log_likelihood(stack([statistics]), stack([found.parameters]))[0])


@each_additive
def test_a_maximum_stays_where_it_is_under_incremental_steps(case):
    x, model, begin = begun(case, 5, 160, 1.5)
    top = climb(model, InMemory(x), begin, Stopping(1e-9, 4000), made("lbfgs"))
    if top.status is not Status.CONVERGED:
        return
    stays = climb(
        model, InMemory(x), top.parameters, Stopping(0, 99), made("incremental", blocks=4, sweeps=3, finish="none")
    )
    assert stays.log_likelihood == pytest.approx(top.log_likelihood, abs=1e-6)


@each_additive
def test_one_block_is_em_to_the_bit(case):
    """Where the M-step is in closed form: else it goes on to its end, which EM's does not."""
    x, model, begin = begun(case, 5, 100, 1.5)
    steps = climb(model, InMemory(x), begin, Stopping(0, 30), made("incremental", blocks=1, sweeps=7, finish="none"))
    em = climb(model, InMemory(x), begin, Stopping(0, len(steps.trace)), made("em")).trace
    assert len(steps.trace) == 9 and np.diff(steps.trace).min() >= 0
    assert steps.trace == em or (case.name in WHOLE and steps.trace[1] >= em[1] - 0.01)


@each_additive
def test_steps_of_full_size_over_all_rows_are_em(case):
    """As above, where the M-step is in closed form."""
    x, model, begin = begun(case, 5, 100, 1.5)

    class Full:
        def iterate(self, model, start):
            found = yield Query(start, plain=True)
            yield from approached(found.statistics, [Part(0, 1, 0)] * 6, 0.0)

    heights = [found.log_likelihood for _, found in told(Full(), model, begin, InMemory(x))]
    em = list(climb(model, InMemory(x), begin, Stopping(0, 7), made("em")).trace)
    assert heights == em or (case.name in WHOLE and heights[1] >= em[1] - 0.01)


@pytest.mark.parametrize("seed", [None, 3])
def test_parts_are_a_partition_that_blocks_do_not_change(seed):
    x = np.arange(2 * SUM_ROWS + 99.0)[None]
    cut = [Parts(InMemory(x, block_rows=rows)) for rows in (SUM_ROWS, 3 * SUM_ROWS)]
    rows = [
        [np.concatenate([s[i].x[0] for i in range(len(s))]) for s in (c(Part(j, 7, seed)) for c in cut)]
        for j in range(7)
    ]
    assert all(np.array_equal(one, other) for one, other in rows)
    assert np.array_equal(np.sort(np.concatenate([one for one, _ in rows])), x[0])
    assert all(abs(len(one) - x.size / 7) < 5 * np.sqrt(x.size / 7) for one, _ in rows)
    if seed is None:
        assert all(np.array_equal(np.diff(one), np.ones(len(one) - 1)) for one, _ in rows)


@pytest.mark.parametrize("name", ["incremental", "minibatch", "online"])
@pytest.mark.parametrize("order", ["by lot", "sorted"])
def test_what_goes_by_parts_ends_at_a_maximum_and_without_its_finish_near_one(name, order):
    x, labels = GAUSSIAN.rows(7, 3000, 2.5)
    if order == "sorted":
        x, labels = x[:, np.argsort(labels, kind="stable")], np.sort(labels)
    model = GAUSSIAN.model(x, K)
    begin = start(model, x, responsibilities(7, labels % K, K, 0.5))
    top = climb(model, InMemory(x), begin, Stopping(1e-3, 2000), made("lbfgs"))
    end = climb(model, InMemory(x), begin, Stopping(1e-3, 2000), made(name))
    assert end.status is Status.CONVERGED and end.log_likelihood == pytest.approx(top.log_likelihood, abs=0.02)
    early = climb(model, InMemory(x), begin, Stopping(1e-3, 2000), made(name, finish="none"))
    assert early.status is Status.COMPLETED and early.remaining == np.inf
    gained = (early.log_likelihood - early.trace[0]) / (top.log_likelihood - early.trace[0])
    assert gained > (0.5 if (name, order) == ("online", "sorted") else 0.97)


@each_case
def test_annealing_at_power_one_is_em_to_the_bit(case):
    x, model, begin = begun(case, 4, 120)
    cold = climb(model, InMemory(x), begin, Stopping(0, 12), made("annealed", first=1.0, finish="em"))
    assert cold.trace == climb(model, InMemory(x), begin, Stopping(0, 12), made("em")).trace


@pytest.mark.parametrize("soft", [0.0, 0.2])
@pytest.mark.parametrize("seed", [0, 2, 3, 6])
def test_annealing_that_melts_components_which_were_apart_ends_where_em_does(seed, soft):
    rng = np.random.default_rng(seed)
    labels = rng.integers(2, size=60)
    x = rng.normal(size=(2, 60)) + np.array([[4.0], [-3.0]]) * labels
    model = bound_model(Gaussian("full"), InMemory(x), 2)
    begin = start(model, x, responsibilities(seed, labels, 2, soft))
    plain, end = (climb(model, InMemory(x), begin, Stopping(1e-4, 2000), made(name)) for name in ("em", "annealed"))
    assert end.log_likelihood > plain.log_likelihood - 1e-3


def test_a_tempered_climb_never_descends_at_one_power_and_ends_at_a_maximum():
    x, model, begin = begun(GAUSSIAN, 9, 200, 1.5)
    end = climb(model, InMemory(x), begin, Stopping(1e-4, 2000), made("annealed"))
    bounds = [*(first for first, _ in end.stages), len(end.trace)]
    powers = [name for _, name in end.stages if name.startswith("tempered")]
    assert len(powers) == 7 and powers[:2] == ["tempered by 0.2", "tempered by 0.26"]
    for (first, name), stop in zip(end.stages, bounds[1:], strict=True):
        if name.startswith("tempered"):
            assert np.diff(end.trace[first:stop]).min(initial=0) >= -1e-9
    assert end.status is Status.CONVERGED and end.stages[-1][1] == "log_likelihood"
    further = climb(model, InMemory(x), end.parameters, Stopping(1e-9, 2000), made("em"))
    assert further.log_likelihood - end.log_likelihood < 1e-3


def test_models_whose_statistics_do_not_add_are_refused_by_name():
    t = next(case for case in CLIMBING_CASES if case.name.startswith("student"))
    _, model, _ = begun(t, 1, 60)
    assert "annealed" in made("saem").refuses(model) and "saem" in made("saem").refuses(model)
    assert made("sem").refuses(model) is None and made("sem", finish="none").refuses(model)
    assert made("annealed").refuses(model) is None
    assert "--prior weak" in made("saem").refuses(replace(GAUSSIAN.model(GAUSSIAN.rows(1, 60, 2.0)[0], K), prior=0.01))
