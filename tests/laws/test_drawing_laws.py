"""Stochastic EM and its approximation: chains of drawn labels, about the maximum and towards it."""

import numpy as np
import pytest
from cases import CLIMBING_CASES
from support import climb, responsibilities, start

from em_cli.algorithms import ALGORITHMS
from em_cli.algorithms.drawing import drawn, fewest_rows, seeds
from em_cli.algorithms.usual import needs_plain_sums
from em_cli.engine.arrays import stack
from em_cli.engine.assignment import SOFT, Sampled
from em_cli.engine.cache import SUM_ROWS
from em_cli.engine.expectation import Expectation
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.stopping import Status, Stopping
from em_cli.runners.serial import Serial
from em_cli.runners.threads import Threads
from em_cli.sources.in_memory import InMemory
from em_cli.testing.climb_laws import begun

K = 3
GAUSSIAN = next(case for case in CLIMBING_CASES if case.name == "gaussian-full")
ADDITIVE = [case for case in CLIMBING_CASES if not needs_plain_sums("", case.model(case.rows(5, 100, 1.5)[0], K))]
each_additive = pytest.mark.parametrize("case", ADDITIVE, ids=lambda case: case.name)
each_case = pytest.mark.parametrize("case", CLIMBING_CASES, ids=lambda case: case.name)


def made(name, **options):
    return ALGORITHMS.load(name)(**options)


def test_what_is_drawn_does_not_depend_on_blocks_and_threads():
    x, model, begin = begun(GAUSSIAN, 6, 2 * SUM_ROWS + 777)
    chains = {
        climb(model, InMemory(x, block_rows=blocks * SUM_ROWS), begin, Stopping(0, 4), made("sem"), runner).trace
        for blocks, runner in ((1, Serial()), (1, Threads(2)), (3, Serial()))
    }
    assert len(chains) == 1
    other = climb(model, InMemory(x), begin, Stopping(0, 4), made("sem", seed=1))
    assert other.trace not in chains


@each_additive
def test_saem_with_steps_of_full_size_is_sem(case):
    x, model, begin = begun(case, 6, 120, 1.5)
    full = made("saem", burn_in=12, steps=0, finish="none")
    sem = made("sem", burn_in=12, steps=1, finish="none")
    chains = [climb(model, InMemory(x), begin, Stopping(0, 12), algorithm).trace for algorithm in (full, sem)]
    assert len(chains[0]) == 12 and chains[0] == chains[1]


@each_additive
def test_the_mean_of_drawn_statistics_is_that_of_em(case):
    x, model, begin = begun(case, 6, 100, 1.5)
    passed = [
        one_pass([Stack(model, stack([begin]), how)], InMemory(x), Serial())[0].statistics.components[0]
        for how in (SOFT, *map(Sampled, range(150)))
    ]
    soft, draws = passed[0], np.stack(passed[1:])
    errors = draws.std(axis=0) / np.sqrt(len(draws))
    if model.family.coupled:  # second moments need be right in sum only
        return
    assert (np.abs(draws.mean(axis=0) - soft) <= 5 * errors + 1e-9 * np.abs(soft).max()).all()


@each_additive
def test_saem_goes_where_em_ends(case):
    """Nearer to the maximum than the chain that it begins as."""
    x, labels = case.rows(2, 400, 3.0, 2)
    model = case.model(x, 2)
    begin = start(model, x, responsibilities(2, labels, 2, 0.2))
    top = climb(model, InMemory(x), begin, Stopping(1e-6, 2000), made("lbfgs"))
    saem = made("saem", burn_in=40, steps=250, finish="none")
    end = climb(model, InMemory(x), begin, Stopping(0, 2000), saem)
    assert [top.status, end.status] == [Status.CONVERGED, Status.COMPLETED]
    chain = top.log_likelihood - np.mean(end.trace[10:40])
    assert -1e-6 < top.log_likelihood - end.log_likelihood < 0.5 * chain + 1e-3


@each_case
def test_a_chain_leaves_the_saddle_where_em_stays(case):
    """Where all components are alike, they have the responsibilities of each other for ever."""
    x, _ = case.rows(4, 150, 3.0)
    model = case.model(x, K)
    saddle = start(model, x, np.full((K, 150), 1 / K))
    stays = climb(model, InMemory(x), saddle, Stopping(0, 60), made("em"))
    leaves = climb(model, InMemory(x), saddle, Stopping(1e-3, 400), made("sem", burn_in=20, steps=20, finish="em"))
    assert stays.log_likelihood < leaves.log_likelihood - 5


@pytest.mark.parametrize("n", [1_500, 100_000])
@pytest.mark.parametrize("name", ["sem", "saem"])
def test_the_mean_of_the_chain_is_near_the_maximum(name, n):
    """Within three standard errors, those that there would be were all labels known."""
    x, model, begin = begun(GAUSSIAN, 2, n, 2.0, softness=0.2)
    top = climb(model, InMemory(x), begin, Stopping(1e-6, 2000), made("lbfgs"))
    end = climb(model, InMemory(x), begin, Stopping(0, 2000), made(name, finish="none", burn_in=20, steps=60))
    assert end.status is Status.COMPLETED and end.objective == end.log_likelihood < top.log_likelihood
    (means, sds), (found, widths) = (model.family.moments(own.parameters.components) for own in (top, end))
    rows = top.weight[:, None]
    assert (np.abs(found - means) < 3 * sds / np.sqrt(rows)).all()
    assert (np.abs(widths - sds) < 3 * sds / np.sqrt(2 * rows)).all()
    assert (np.abs(end.weight - top.weight) < 3 * np.sqrt(top.weight * (1 - top.weight / n))).all()


def test_labels_that_leave_a_component_too_few_rows_are_drawn_again():
    x, labels = GAUSSIAN.rows(4, 60, 1.0)
    r = responsibilities(4, labels, K, 0.5)
    r[0] *= 0.12  # of 60 rows it has 2 or 3, and as often fewer than it needs
    model = GAUSSIAN.model(x, K)
    begin, fewest = start(model, x, r / r.sum(axis=0)), len(x) + 1
    assert fewest == fewest_rows(model, begin)
    again = 0
    for seed in range(20):
        asking, asked = drawn(begin, seeds(begin, seed), fewest), 0
        query = next(asking)
        while True:
            asked += 1
            found = Expectation(one_pass([Stack(model, stack([begin]), query.assignment)], InMemory(x), Serial())[0], 0)
            try:
                query = asking.send(found)
            except StopIteration as end:
                chosen = end.value
                break
        again += asked > 1
        assert chosen.weight.min() >= fewest or query.assignment == SOFT
    assert 20 > again > 2
