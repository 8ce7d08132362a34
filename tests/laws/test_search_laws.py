"""The whole search: a transformation of the data changes the fit by that transformation only."""

from functools import cache

import numpy as np
import pytest
from support import CASES, Case, default_plan, find_one

from em_cli.algorithms.em import EM
from em_cli.engine.stopping import Stopping
from em_cli.runners.serial import Serial
from em_cli.search import partitions
from em_cli.search.models import models
from em_cli.search.restarts import Plan, Task, search
from em_cli.sources.memory import InMemory
from em_cli.sources.schema import Column, Schema
from em_cli.starts.kmeans import KMeans
from em_cli.starts.random import Random

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
K = 3
TIGHT = Stopping(1e-7, 5000)  # where other starts may lead to the same optimum


def grid(case: Case) -> np.ndarray:
    """Rows that an offset of 1e9 leaves representable."""
    x, _ = case.rows(11, 240, 3.0)
    return np.round(x * 1024) / 1024


@cache
def untouched(case: Case, stopping: Stopping | None = None):
    chosen = find_one(case.build(case.kinds), grid(case), K, default_plan(stopping))
    return chosen, sorted_moments(chosen)


def sorted_moments(chosen):
    mean, sd = chosen.candidate.model.family.moments(chosen.parameters.components)
    order = np.lexsort(np.round(mean, 3).T)
    return mean[order], sd[order], chosen.parameters.latent.weights[order]


def real(case: Case) -> np.ndarray:
    return np.array([kind == "real" for kind in case.kinds])


@each_case
@pytest.mark.parametrize("offset", [1e9, -1e6, 2.0**-3])
def test_shift(case: Case, offset):
    before, (mean, sd, weights) = untouched(case)
    shift = np.where(real(case), offset, 0.0)
    after = find_one(case.build(case.kinds), grid(case) + shift[:, None], K)
    assert after.log_likelihood == pytest.approx(before.log_likelihood, abs=1e-6)
    its_mean, its_sd, its_weights = sorted_moments(after)
    assert np.allclose(its_mean - shift, mean, atol=1e-5)
    assert np.allclose(its_sd, sd, rtol=1e-5)
    assert np.allclose(its_weights, weights, rtol=1e-5)


@each_case
@pytest.mark.parametrize("factor", [1e-9, 1e6])
def test_scale(case: Case, factor):
    before, (mean, sd, weights) = untouched(case)
    scale = np.where(real(case), factor, 1.0)
    after = find_one(case.build(case.kinds), grid(case) * scale[:, None], K)
    jacobian = 240 * np.log(scale).sum()
    assert after.log_likelihood + jacobian == pytest.approx(before.log_likelihood, abs=1e-6)
    its_mean, its_sd, its_weights = sorted_moments(after)
    order = np.lexsort(np.round(its_mean / scale, 3).T)
    assert np.allclose(its_mean[order] / scale, mean, atol=1e-5)
    assert np.allclose(its_sd[order] / scale, sd, rtol=1e-5)
    assert np.allclose(its_weights[order], weights, rtol=1e-5)


@pytest.mark.parametrize("case", [case for case in CASES if case.free_units], ids=lambda case: case.name)
def test_a_scale_for_each_column(case: Case):
    before, _ = untouched(case)
    scale = np.where(real(case), 10.0 ** np.arange(-3, 3 * len(case.kinds) - 3, 3), 1.0)
    after = find_one(case.build(case.kinds), grid(case) * scale[:, None], K)
    assert after.log_likelihood + 240 * np.log(scale).sum() == pytest.approx(before.log_likelihood, abs=1e-6)


@each_case
def test_column_order(case: Case):
    before, (mean, sd, _) = untouched(case, TIGHT)
    order = np.argsort(case.kinds, kind="stable")[::-1]
    kinds = tuple(case.kinds[j] for j in order)
    after = find_one(case.build(kinds), grid(case)[order], K, default_plan(TIGHT))
    assert after.log_likelihood == pytest.approx(before.log_likelihood, abs=1e-6)
    its_mean, its_sd = after.candidate.model.family.moments(after.parameters.components)
    back = np.argsort(order)
    rank = np.lexsort(np.round(its_mean[:, back], 3).T)
    assert np.allclose(its_mean[rank][:, back], mean, atol=1e-3)
    assert np.allclose(its_sd[rank][:, back], sd, rtol=1e-3)


@each_case
def test_row_order(case: Case):
    before, (mean, sd, _) = untouched(case, TIGHT)
    order = np.random.default_rng(12).permutation(240)
    after = find_one(case.build(case.kinds), grid(case)[:, order], K, default_plan(TIGHT))
    assert after.log_likelihood == pytest.approx(before.log_likelihood, abs=1e-6)
    its_mean, its_sd, _ = sorted_moments(after)
    assert np.allclose(its_mean, mean, atol=1e-3)
    assert np.allclose(its_sd, sd, rtol=1e-3)


@each_case
def test_the_same_configuration_gives_the_same_bits(case: Case):
    again = find_one(case.build(case.kinds), grid(case), K)
    assert again.trace == untouched(case)[0].trace


@pytest.mark.parametrize("restarts", [None, 8])
def test_what_was_seen_on_a_sample_is_not_taken_for_all(monkeypatch, restarts):
    """A log-likelihood of fewer rows is higher: the ledger keeps it apart, and it wins nothing."""
    monkeypatch.setattr(partitions, "SAMPLE_ROWS", 500)
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.normal(0, 1, 900), rng.normal(6, 1, 600)])[None]
    source = InMemory(x)
    columns, [(label, model)] = models(Schema((Column("x", "numeric"),)), source, "gaussian", ("full",), (2,))
    plan = Plan(EM(), (("kmeans", KMeans()), ("random", Random())), restarts, Stopping())
    (fitted,) = search([Task(label, model)], source, columns, Serial(), plan)
    assert fitted.chosen is not None
    climbed = [entry for entry in fitted.ledger if not entry.sample_rows]
    given_up = [entry for entry in fitted.ledger if entry.sample_rows]
    assert climbed and given_up and {entry.sample_rows for entry in given_up} == {500}
    assert fitted.chosen.log_likelihood == max(entry.result.log_likelihood for entry in climbed)
    assert all(entry.result.log_likelihood > fitted.chosen.log_likelihood for entry in given_up)
    assert fitted.at_best <= len(climbed)
