"""The whole search: a transformation of the data changes the fit by that transformation only."""

from collections import Counter
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from cases import CLIMBING_CASES
from support import (
    OF_SEARCHES,
    Case,
    climb,
    default_plan,
    find,
    find_one,
    measured,
    real,
    reference_rows,
    responsibilities,
    rows,
    start,
)

from em_cli.algorithms import ALGORITHMS
from em_cli.algorithms.em import EM
from em_cli.engine.model import Model
from em_cli.engine.stopping import Status, Stopping
from em_cli.families.gaussian.options import Gaussian
from em_cli.latents import LATENTS
from em_cli.models.groups import Group
from em_cli.models.variants import models, variants
from em_cli.runners.serial import Serial
from em_cli.search import model_search
from em_cli.search import survey as survey_of_rows
from em_cli.search.ledger import Verdict
from em_cli.search.search import Plan, Task, search
from em_cli.search.survey import survey
from em_cli.sources.in_memory import InMemory
from em_cli.sources.schema import Column, Schema
from em_cli.starts import STARTS
from em_cli.starts.kmeans import KMeans
from em_cli.starts.random import Random

each_case = pytest.mark.parametrize("case", CLIMBING_CASES, ids=lambda case: case.name)
EASY = [case for case in CLIMBING_CASES if case.name != "regression-negative-binomial"]  # where counts near 0 overlap
K = 3
TIGHT = Stopping(1e-7, 5000)  # where other starts may lead to the same optimum


def grid(case: Case) -> np.ndarray:
    """Rows that an offset of 1e9 leaves representable; what is positive stays so."""
    x, _ = case.rows(11, 240, 3.0)
    rounded = np.round(x * 1024) / 1024
    positive = np.array([kind in ("positive", "skewed", "proportion") for kind in case.kinds])
    return np.where(positive[:, None] & (rounded == 0), 1 / 1024, rounded)


def stretched(case: Case) -> np.ndarray:
    """(D,) cells of each column whose density a scale changes: a mass at a point stays what it is."""
    if case.name.startswith("regression"):  # of regressors there is no density
        return np.array([np.count_nonzero(grid(case)[0])] + [0] * (len(case.kinds) - 1))
    x, inflated = grid(case), np.array([kind.startswith("inflated ") for kind in case.kinds])
    return np.count_nonzero(~np.isnan(x) & ~(inflated[:, None] & (x == 0)), axis=1)


@cache
def untouched(case: Case):
    """What the search finds, and its moments."""
    chosen = find_one(case.build(case.kinds), grid(case), K, default_plan(usual(case)))
    return chosen, sorted_moments(chosen)


@cache
def at_rest(case: Case):
    """The same, from where it ends to its optimum."""
    chosen = untouched(case)[0]
    ended = climb(chosen.candidate.model, InMemory(grid(case)), chosen.parameters, TIGHT, default_plan().algorithm)
    assert ended.status is Status.CONVERGED
    return ended, sorted_moments(ended)


def usual(case: Case) -> Stopping | None:
    """Steps that are no exact maxima end where rounding leads them."""
    return None if case.exact else TIGHT


def sorted_moments(chosen):
    mean, sd = chosen.candidate.model.family.moments(chosen.parameters.components)
    order = np.lexsort(np.round(mean, 3).T)
    return mean[order], sd[order], chosen.parameters.latent.weights[order]


@each_case
def test_shift_and_scale(case: Case):
    """Each column by an offset of its own, huge and small, and then all by one factor, which costs no digit."""
    before, (mean, sd, weights) = untouched(case)
    shift = np.where(real(case.kinds), np.resize([1e9, 2.0**-3, -1e9], len(case.kinds)), 0.0)
    scale = np.where(measured(case.kinds), 2.0**-30, 1.0)
    moved = (grid(case) + shift[:, None]) * scale[:, None]
    after = find_one(case.build(case.kinds), moved, K, default_plan(usual(case)))
    jacobian = stretched(case) @ np.log(scale)
    assert after.log_likelihood + jacobian == pytest.approx(before.log_likelihood, abs=1e-6)
    its_mean, its_sd, its_weights = sorted_moments(after)
    order = np.lexsort(np.round(its_mean / scale - shift, 3).T)
    assert np.allclose(its_mean[order] / scale - shift, mean, atol=1e-5)
    assert np.allclose(its_sd[order] / scale, sd, rtol=1e-5)
    assert np.allclose(its_weights[order], weights, rtol=1e-5)


@pytest.mark.parametrize("case", [case for case in CLIMBING_CASES if case.free_units], ids=lambda case: case.name)
def test_a_scale_for_each_column(case: Case):
    before, _ = untouched(case)
    scale = np.where(measured(case.kinds), 10.0 ** np.arange(-3, 3 * len(case.kinds) - 3, 3), 1.0)
    after = find_one(case.build(case.kinds), grid(case) * scale[:, None], K, default_plan(usual(case)))
    assert after.log_likelihood + stretched(case) @ np.log(scale) == pytest.approx(before.log_likelihood, abs=1e-6)


def rotation(rng: np.random.Generator, d: int) -> np.ndarray:
    q, r = np.linalg.qr(rng.standard_normal((d, d)))
    return q * np.sign(np.diagonal(r))


def maps() -> dict[str, np.ndarray]:
    """Of three columns: a turn, and a turn of columns that are stretched and turned before."""
    rng = np.random.default_rng(13)
    turns = [rotation(rng, 3) for _ in range(3)]
    return {"a rotation": turns[0], "an affine map": turns[1] @ np.diag([0.5, 1.0, 3.0]) @ turns[2]}


@pytest.mark.parametrize("covariance", ["full", "tied"])
@pytest.mark.parametrize("name", maps())
def test_linear_map(covariance, name):
    """The structures that know no columns: the means move with the data, the densities by the determinant."""
    (case,) = [case for case in CLIMBING_CASES if case.name == f"gaussian-{covariance}"]
    linear, shift = maps()[name], np.array([1.0, -2.0, 5.0])
    before, (mean, _, weights) = at_rest(case)
    mapped = linear @ grid(case) + shift[:, None]
    after = find_one(case.build(case.kinds), mapped, K, default_plan(TIGHT))
    jacobian = 240 * np.linalg.slogdet(linear)[1]
    assert after.log_likelihood + jacobian == pytest.approx(before.log_likelihood, abs=1e-4)
    back = np.linalg.solve(
        linear, after.candidate.model.family.moments(after.parameters.components)[0].T - shift[:, None]
    ).T
    order = np.lexsort(np.round(back, 1).T)
    expected = np.lexsort(np.round(mean, 1).T)
    assert np.allclose(back[order], mean[expected], atol=1e-3)
    assert np.allclose(after.parameters.latent.weights[order], weights[expected], atol=1e-4)


@each_case
def test_order(case: Case):
    """Of the rows, and of the columns where the family does not say which belong together."""
    before, (mean, sd, _) = at_rest(case)
    rows = np.random.default_rng(12).permutation(240)
    columns = np.argsort(case.kinds, kind="stable")[::-1] if case.free_order else np.arange(len(case.kinds))
    kinds = tuple(case.kinds[j] for j in columns)
    after = find_one(case.build(kinds), grid(case)[columns][:, rows], K, default_plan(TIGHT))
    assert after.log_likelihood == pytest.approx(before.log_likelihood, abs=1e-6)
    its_mean, its_sd = after.candidate.model.family.moments(after.parameters.components)
    back = np.argsort(columns)
    rank = np.lexsort(np.round(its_mean[:, back], 3).T)
    assert np.allclose(its_mean[rank][:, back], mean, atol=1e-3)
    assert np.allclose(its_sd[rank][:, back], sd, rtol=1e-3)


@each_case
def test_the_same_configuration_gives_the_same_bits(case: Case):
    again = find_one(case.build(case.kinds), grid(case), K, default_plan(usual(case)))
    assert again.trace == untouched(case)[0].trace


@pytest.mark.parametrize("case", EASY, ids=lambda case: case.name)
@pytest.mark.parametrize("tolerance", [0.01, 1e-6])
def test_every_algorithm_asked_for_ends_in_the_same_place(case: Case, tolerance):
    """On an easy problem, from the same start."""
    x, labels = case.rows(14, 300, 5.0)
    source = InMemory(x)
    known, model = survey(source), case.model(x, K)
    begin = start(model, x, responsibilities(14, labels, K, 0.4))
    ends = {}
    for name in OF_SEARCHES:
        plan = replace(default_plan(Stopping(tolerance, 5000)), algorithm=ALGORITHMS.load(name)())
        (fitted,) = search([Task(name, model, begin)], known, Serial(), plan)
        assert fitted.chosen is not None, fitted.failure
        assert fitted.chosen.status is Status.CONVERGED
        assert [entry.start for entry in fitted.ledger] == ["given"]
        ends[name] = fitted.chosen.log_likelihood
    assert max(ends.values()) - min(ends.values()) <= tolerance, ends


PROBLEMS = {
    "groups that overlap": ("full", ("real",) * 2, 15, 200, 2.0, 4),
    "more components than groups": ("diag", ("real",) * 3, 16, 100, 3.0, 4),
    "one column": ("spherical", ("real",), 17, 100, 2.5, 3),
}


@pytest.mark.parametrize("name", PROBLEMS)
def test_more_effort_finds_no_less(name):
    covariance, kinds, seed, n, separation, k = PROBLEMS[name]
    x, _ = rows(kinds, seed, n, separation, 3)
    low, normal, high = (
        find_one(Gaussian(covariance), x, k, default_plan(effort=effort)).log_likelihood
        for effort in ("low", "normal", "high")
    )
    assert high >= normal - 0.02
    assert normal >= low - 0.02


def tied():
    """(5, 160) rows on which most climbs collapse, for the ties of a column."""
    rng, n = np.random.default_rng(5), 160
    x = rng.standard_normal((5, 5)) @ rng.standard_normal((5, n))
    x[-1] = np.round(np.exp(0.5 * x[-1] / x[-1].std()), 1)
    x[-1, rng.random(n) < 0.3] = 2.0
    return x


def test_the_model_that_would_be_chosen_gets_a_second_opinion():
    x = tied()
    fits = find(Gaussian("full"), x, (1, 3, 4))
    told = [any(entry.start == "second search" for entry in fitted.ledger) for fitted in fits]
    sound = [fitted.chosen for fitted in fits if fitted.chosen and not any(fitted.degeneracies)]
    bic = [-2 * r.log_likelihood + r.candidate.model.n_parameters * np.log(x.shape[1]) for r in sound]
    assert told == [fitted.chosen is sound[int(np.argmin(bic))] for fitted in fits] == [False, True, False]
    alone = find_one(Gaussian("full"), x, 3, default_plan(effort="normal")).log_likelihood
    assert fits[1].chosen.log_likelihood >= alone - 0.02, "though the others took most of the time"


def test_a_second_opinion_that_would_take_the_same_way_is_not_asked_for():
    """Where starts are halved on their way to rest, a shorter search would begin from the same ones, and halve them."""
    plan = default_plan()
    short = replace(plan, effort=replace(plan.effort, budget=1e4))
    ledgers = [find(Gaussian("full"), tied(), (3,), each)[0].ledger for each in (plan, short)]
    assert [any(entry.start == "second search" for entry in ledger) for ledger in ledgers] == [True, False]


def test_more_effort_finds_no_less_where_most_climbs_collapse():
    """On the ties of a column: what was ended above the last end of a search once counted as agreeing with it."""
    x = tied()
    low, normal = (
        find_one(Gaussian("full"), x, 3, default_plan(effort=effort)).log_likelihood for effort in ("low", "normal")
    )
    assert normal >= low - 0.02


def test_where_a_search_collapsed_another_is_not_repaired_once_more(monkeypatch):
    """A component on the ties of the only column is where most climbs end; repair led back there each time."""
    rng, n, repair, repaired = np.random.default_rng(0), 200, model_search.repair_degenerate, Counter[int]()
    tied, spread = rng.random(n) < 1 / 8, np.where(rng.random(n) < 0.7, 0.6, 1.8)
    x = np.where(tied, 0.0, spread * rng.standard_t(5, n)).round(2)[None]

    def counted(short_runs, result, *more, **options):
        repaired[round(result.log_likelihood)] += 1
        return (yield from repair(short_runs, result, *more, **options))

    monkeypatch.setattr(model_search, "repair_degenerate", counted)
    find_one(Gaussian("full"), x, 3, default_plan())
    assert repaired and max(repaired.values()) <= 2, "once in the search, and once for a second opinion"


def with_few_far_out(seed: int, k: int, n: int, d: int = 4) -> np.ndarray:
    """(d, n) of k groups, and as many rows far out as there are columns."""
    rng = np.random.default_rng(seed)
    centres, spread, own = rng.normal(0, 6, (k, d)), rng.uniform(0.5, 3, (k, d)), rng.integers(0, k, n)
    x = centres[own] + rng.standard_normal((n, d)) * spread[own]
    x[:d] = rng.normal(0, 40, d) + 0.3 * rng.standard_normal((d, d))
    return x.T.copy()


# Seed, groups, rows, columns, structure and components; and the log-likelihood that one component less comes to
FAR_OUT = {
    "most starts collapse": (304, 7, 1500, 4, "diag", 10, -14047.2706),
    "all collapse": (302, 7, 1500, 4, "full", 8, -14763.3424),
    "nearly all collapse": (303, 7, 1500, 4, "full", 8, -13663.9340),
    "few rows": (18, 5, 350, 3, "full", 6, -2631.2724),
    "few rows, drawn anew": (21, 5, 350, 3, "full", 6, -2553.3186),
}


@pytest.mark.parametrize("name", FAR_OUT)
def test_a_few_rows_far_out_do_not_crowd_out_the_groups(name):
    """Starts collapse onto them, and a component stands where a group is: no end is below that of fewer components."""
    seed, groups, n, d, structure, k, fewer = FAR_OUT[name]
    plan = default_plan(effort="normal")
    (fitted,) = find(Gaussian(structure), with_few_far_out(seed, groups, n, d), (k,), plan)
    assert fitted.chosen.log_likelihood >= fewer - 0.02
    if "all collapse" in name:
        assert any(entry.start == "repairs" for entry in fitted.ledger)


def test_where_all_starts_collapse_there_is_a_fit_all_the_same():
    fitted = find(Gaussian("full"), with_few_far_out(10, 5, 350, 3), (5,), default_plan(effort="normal"))[0]
    assert fitted.chosen is not None and not any(fitted.degeneracies)


@pytest.mark.parametrize("restarts", [None, 8])
def test_what_was_seen_on_a_sample_is_not_taken_for_all(monkeypatch, restarts):
    """A log-likelihood of fewer rows is higher: the ledger keeps it apart, and it wins nothing."""
    monkeypatch.setattr(survey_of_rows, "SAMPLE_ROWS", 500)
    rng = np.random.default_rng(5)
    x = np.concatenate([rng.normal(0, 1, 900), rng.normal(6, 1, 600)])[None]
    source = InMemory(x)
    schema, groups = Schema((Column("x", "numeric"),)), (Group("gaussian", (0,)),)
    known = survey(source)
    [(label, model)] = models(schema, source, known.columns, variants({"gaussian": groups}, ["full"]), (2,))
    plan = Plan(EM(), (("kmeans", KMeans()), ("random", Random())), restarts, Stopping())
    (fitted,) = search([Task(label, model)], known, Serial(), plan)
    assert fitted.chosen is not None
    climbed = [entry for entry in fitted.ledger if not entry.sample_rows]
    given_up = [entry for entry in fitted.ledger if entry.sample_rows]
    assert climbed and given_up and {entry.sample_rows for entry in given_up} == {500}
    assert fitted.chosen.log_likelihood == max(entry.result.log_likelihood for entry in climbed)
    assert all(entry.result.log_likelihood > fitted.chosen.log_likelihood for entry in given_up)
    if restarts:
        assert fitted.at_best == len(given_up) == len(fitted.started), "all of them led to the only optimum there is"
    else:
        assert fitted.at_best <= len(climbed)


@pytest.mark.parametrize("k", [2, 3])
def test_a_start_that_counts_as_having_reached_the_best_has_climbed_there(k):
    """One that went the way of another was left, and has no end of its own to be counted."""
    (fitted,) = find(Gaussian("full"), reference_rows("faithful.csv", ("eruptions", "waiting")), [k])
    starts = [entry for entry in fitted.ledger if entry.start in STARTS.names()]
    left = [entry for entry in starts if entry.verdict is Verdict.STOPPED]
    ended = [entry.result for entry in starts if entry.verdict is not Verdict.STOPPED]
    assert left and ended and all(result.status is Status.CONVERGED for result in ended)
    assert not {tuple(entry.result.trace) for entry in left} & {tuple(result.trace) for result in ended}
    assert len({id(result.trace) for result in ended}) == len(ended), "no climb stands for two starts"


def test_more_components_are_no_worse():
    """Where starts of their own all collapse, a split of fewer components that climbs to the end at once may not."""
    x = reference_rows("galaxies.csv", ("velocity",))
    fits = find(Gaussian("full"), x, range(4, 9))
    heights = [fitted.chosen.log_likelihood for fitted in fits if fitted.chosen and not any(fitted.degeneracies)]
    assert len(heights) == len(fits)
    assert all(more >= fewer - 0.01 for fewer, more in pairwise(heights))


def test_a_wider_structure_is_no_worse_in_a_sweep():
    """The full one is told by the highest of the others, and climbs on from there."""
    x = reference_rows("iris.csv", ("sepal_length", "petal_width"))
    source, structures = InMemory(x), ("full", "tied", "diag", "VEE", "EVE")
    known = survey(source, 0)
    tasks = []
    for name in structures:
        one = Model(Gaussian(name).bind(known.columns), LATENTS.load("independent")(), 1)
        tasks += [Task(name, replace(one, n_components=k)) for k in (1, 2, 3)]
    fits = search(tasks, known, Serial(), default_plan())
    heights = {(f.label, f.n_components): f.chosen.log_likelihood for f in fits if f.chosen}
    assert all(heights["full", k] >= heights[name, k] - 0.01 for name in structures for k in (1, 2, 3)), heights


def test_more_components_are_no_worse_where_each_number_is_searched_for_alone():
    x = reference_rows("galaxies.csv", ("velocity",))
    heights = [find_one(Gaussian("full"), x, k).log_likelihood for k in (5, 6)]
    assert all(more >= fewer - 0.01 for fewer, more in pairwise(heights)), heights
