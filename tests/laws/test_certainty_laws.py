"""How sure a fit is does not depend on how rows and components are numbered; what is at a bound has no error."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from cases import CASES, CLIMBING_CASES
from support import Case, bound_model, climb

from em_cli.algorithms.lbfgs import LBFGS
from em_cli.engine.arrays import stack
from em_cli.engine.cache import SUM_ROWS
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.rows import Block
from em_cli.engine.stopping import Stopping
from em_cli.families.gaussian.options import Gaussian
from em_cli.families.student_t.options import StudentT
from em_cli.inference.intervals import interval, scale_of
from em_cli.inference.matching import distances, matched, orders
from em_cli.inference.replicates import Verdict, of_rows, replicates
from em_cli.inference.row_weights import BlockWeights
from em_cli.inference.standard_errors import StandardErrors, described, leaves, standard_errors
from em_cli.latents.independent import Independent
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory
from em_cli.testing.case import responsibilities, start

NAMED = {case.name: case for case in CASES}


@cache
def ended(case: Case, k: int, n: int = 160):
    x, labels = case.rows(4, n, 3.0)
    model = case.model(x, k)
    begin = start(model, x, responsibilities(4, labels % k, k, 0.1))
    return x, model, climb(model, InMemory(x), begin, Stopping(1e-8, 200))


def errors(model, parameters, weight, source, **kinds) -> StandardErrors:
    found = standard_errors(model, parameters, weight, source, Serial(), **kinds)
    assert isinstance(found, StandardErrors), found
    return found


@pytest.mark.parametrize("name", ["gaussian-full", "gaussian-diag", "poisson"])
def test_errors_move_with_the_numbers_of_components_and_not_with_the_order_of_rows(name):
    x, model, end = ended(NAMED[name], 3)
    order, rows = np.array([2, 0, 1]), np.random.default_rng(0).permutation(x.shape[1])
    here = errors(model, end.parameters, end.weight, InMemory(x))
    there = errors(
        model, model.renumbered(end.parameters, order), end.weight[order], InMemory(np.ascontiguousarray(x[:, rows]))
    )
    moved = dict(zip(there.names, there.observed, strict=True))
    robust = dict(zip(there.names, there.robust, strict=True))
    for own, observed, sandwich in zip(here.names, here.observed, here.robust, strict=True):
        head, _, rest = own.partition("[")
        place = int(rest.partition("]")[0])
        other = f"{head}[{int(np.flatnonzero(order == place - 1)[0]) + 1}]{rest.partition(']')[2]}"
        assert moved[other] == pytest.approx(observed, rel=1e-6, nan_ok=True), own
        assert robust[other] == pytest.approx(sandwich, rel=1e-6, nan_ok=True), own


@pytest.mark.parametrize("frequencies", [True, False])
def test_weights_enter_the_sandwich_squared_where_they_are_those_of_a_sample(frequencies):
    """Of one Poisson component in closed form: Σ w s² or Σ w² s², over the square of the information."""
    case = NAMED["poisson"]
    x, _ = case.rows(2, 200, 0.0)
    weights = np.random.default_rng(1).integers(1, 4, 200).astype(np.float64)
    model, source = case.model(x, 1, weights), InMemory(x, weights)
    end = climb(model, source, start(model, x, np.ones((1, 200))), Stopping(1e-9, 20))
    found = errors(model, end.parameters, end.weight, source, frequencies=frequencies)
    by_name = dict(zip(found.names, found.robust, strict=True))
    for d, own in enumerate(x, 1):
        mean = np.average(own, weights=weights)
        middle = ((weights if frequencies else weights**2) * (own - mean) ** 2).sum()
        assert by_name[f"mean[1][{d}]"] == pytest.approx(np.sqrt(middle) / weights.sum(), rel=1e-5)


@pytest.mark.parametrize("case", CLIMBING_CASES, ids=lambda case: case.name)
def test_a_permuted_copy_is_recognised_whatever_the_family(case):
    x, model, end = ended(case, 3)
    order = np.array([1, 2, 0])
    one, other = (
        of_rows(model, stack([at]), Block(0, x)) for at in (end.parameters, model.renumbered(end.parameters, order))
    )
    costs = distances(one.responsibilities[0, :3], one.log_density[0], other.responsibilities, other.log_density)
    (found,), _ = orders(costs)
    assert (order[found] == np.arange(3)).all() and costs[0][np.arange(3), found].max() < 1e-6


@pytest.mark.parametrize("kind", ["nonparametric", "weighted", "jackknife"])
def test_weights_of_many_rows_are_drawn_by_the_block(kind):
    """They are those of a sample as large, whoever asks for which first; passes see them as they see an array."""
    n, number = 2 * SUM_ROWS + 900, SUM_ROWS + 7
    own, other = (BlockWeights(kind, n, number, 3) for _ in range(2))
    whole = own[:n]
    assert (other[n - 50 : n] == whole[n - 50 :]).all() and (other[: n - 50] == whole[: n - 50]).all()
    if kind == "jackknife":
        assert np.flatnonzero(whole == 0).tolist() == [number] and whole.sum() == n - 1
    else:
        assert whole.sum() == pytest.approx(n) and whole.var() == pytest.approx(1.0, abs=0.1)
        totals = np.array([BlockWeights(kind, n, at, 3)[:SUM_ROWS].sum() for at in range(100)])
        spread = np.sqrt(SUM_ROWS * (1 - SUM_ROWS / n))
        assert totals.std() == pytest.approx(spread, rel=0.3) and abs(totals.mean() - SUM_ROWS) < 0.4 * spread
    source = InMemory(np.random.default_rng(1).normal(size=(2, n)))
    model = bound_model(Gaussian("full"), source, 2)
    at = stack([model.start(Block(0, source.x), np.eye(2)[:, np.arange(n) % 2])])
    lazy, dense = (one_pass([Stack(model, at, weights=[each])], source, Serial())[0] for each in (own, whole))
    assert lazy.log_likelihood == dense.log_likelihood
    assert (lazy.statistics.components == dense.statistics.components).all()


def test_fifty_components_are_recognised():
    rng = np.random.default_rng(50)
    log_density = 3 * rng.normal(size=(50, 400))
    r, order = np.exp(log_density) / np.exp(log_density).sum(axis=0), rng.permutation(50)
    found = matched(distances(r, log_density, r[order], log_density[order]))
    assert (order[found.second] == found.first).all()


def test_what_is_fixed_or_at_its_end_has_no_error():
    """Mixing weights that are given; degrees of freedom at their largest."""
    x, model, end = ended(NAMED["gaussian-diag"], 2)
    given = replace(model, latent=Independent(weights=(0.5, 0.5)).bind(model.family, None))
    at = climb(given, InMemory(x), end.parameters, Stopping(1e-8, 200))
    found = errors(given, at.parameters, at.weight, InMemory(x))
    by_name = dict(zip(found.names, found.observed, strict=True))
    assert np.isnan(by_name["weights[1]"]) and by_name["mean[1][1]"] > 0 and "given" in found.without["weights[1]"]
    case = next(case for case in CASES if isinstance(case.build(case.kinds), StudentT))
    even = np.random.default_rng(3).uniform(-1, 1, size=(len(case.kinds), 150))  # its tails are lighter than any
    light = case.model(even, 1)
    end = climb(light, InMemory(even), start(light, even, np.ones((1, 150))), Stopping(1e-9, 300))
    found = errors(light, end.parameters, end.weight, InMemory(even))
    by_name = dict(zip(found.names, found.observed, strict=True))
    assert np.isnan(by_name["dof[1]"]) and by_name["mean[1][1]"] > 0 and "end of its range" in found.without["dof[1]"]


def test_intervals_of_replicates_cover_the_truth():
    """Two normal components three standard deviations apart, 200 rows: 0.93 to 0.96 of many more data sets."""
    truth, hits = {"weights": [0.3, 0.7], "mean": [0.0, 3.0], "sd": [1.0, 1.0]}, list[bool]()
    for number in range(12):
        rng = np.random.default_rng((7, number))
        labels = (rng.random(200) > 0.3).astype(int)
        source = InMemory((3.0 * labels + rng.standard_normal(200))[None])
        model = bound_model(Gaussian("full"), source, 2)
        begin = model.start(Block(0, source.x), np.eye(2)[:, labels])
        end = climb(model, source, begin, Stopping(1e-4, 500), LBFGS())
        turns = replicates(model, end.parameters, source, Serial(), "nonparametric", range(49), number)
        kept = [one for turn in turns for one in turn if one.verdict is Verdict.OK]
        values = [dict(leaves(described(model, one.parameters))) for one in kept]
        for name, estimate in leaves(described(model, end.parameters)):
            kind, _, place = name.rstrip("]").replace("[1][1", "[1").replace("[2][1", "[2").partition("[")
            if kind in truth:
                found = interval(
                    estimate, np.array([one[name] for one in values]), 0.95, scale_of(name, model.quantities)
                )
                hits.append(found.low <= truth[kind][int(place) - 1] <= found.high)
    assert len(hits) == 12 * 6 and 0.87 <= np.mean(hits) < 1
