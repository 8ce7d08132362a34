"""What a split, a merge or both are said to be worth is a bound: the M-step after it is at least as good."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from cases import CLIMBING_CASES
from support import Case, climb, responsibilities, start, unit_model

from em_cli.algorithms.em import EM
from em_cli.algorithms.lbfgs import LBFGS
from em_cli.engine import row_sums
from em_cli.engine.base_measure import base_measure
from em_cli.engine.expectation import ModelStatistics
from em_cli.engine.model import Model
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.stopping import Stopping
from em_cli.families.gaussian.missing import GaussianWithGaps
from em_cli.families.gaussian.options import Gaussian
from em_cli.latents.independent import Independent
from em_cli.runners.serial import Serial
from em_cli.search import search_data
from em_cli.search.best_splits import FEW_ROWS, PASSES, best_splits, best_splits_of_each
from em_cli.search.moves import bound, merges, moves, splits
from em_cli.search.search_data import SearchData
from em_cli.search.survey import survey
from em_cli.sources.in_memory import InMemory

BOUNDED = [case for case in CLIMBING_CASES if case.bounded]  # of the others, what moves are worth is an estimate
each_case = pytest.mark.parametrize("case", BOUNDED, ids=lambda case: case.name)
each_uncoupled = pytest.mark.parametrize(
    "case", [case for case in BOUNDED if not unit_model(case, 1).family.coupled], ids=lambda case: case.name
)
each_seed = pytest.mark.parametrize("seed", [41, 42])
each_k = pytest.mark.parametrize("k", [3, 4])
SOME_PASSES, TO_REST = Stopping(0.0, 5), Stopping(1e-6, 500)  # the bounds need no rest
TRIES = 8


class Scene:
    """A climbed mixture, the rows under it, and the likelihood of others."""

    def __init__(self, case: Case, k: int, seed: int, n: int = 200, weighted: bool = False, rest: bool = True) -> None:
        rng = np.random.default_rng((seed, k))
        x, labels = case.rows(seed, n, 2.0)
        self.source = InMemory(x, rng.integers(1, 4, n).astype(float) if weighted else None)
        self.model = case.model(x, k, self.source.weights)
        begin = start(self.model, x, responsibilities(seed, labels % k, k, 0.6), self.source.weights)
        stopping, algorithm = (TO_REST, LBFGS()) if rest else (SOME_PASSES, EM())
        self.result = climb(self.model, self.source, begin, stopping, algorithm)
        assert np.isfinite(self.result.log_likelihood)
        components = self.result.parameters.components
        if any(c and c.at_resolution for c in self.model.family.degenerate(components, self.result.weight)):
            pytest.skip("sums over the rows of a component at the floor have no digits left")
        self.search_data = SearchData(survey(self.source), lambda: False)
        self.view = self.search_data.view(self.result)
        self.seeds = (seed, k, 1)

    @property
    def rng(self) -> np.random.Generator:
        """Begun anew, so that no check depends on the ones before it."""
        return np.random.default_rng(self.seeds)

    @property
    def height(self) -> float:
        return self.result.log_likelihood

    def heights(self, statistics) -> np.ndarray:
        """(M,) log-likelihoods at the M-steps of M statistics (K, S)."""
        stacked = np.stack(statistics)
        model = replace(self.model, n_components=stacked.shape[1])
        parameters, _ = model.at_maximum(ModelStatistics(stacked, None), None)
        return one_pass([Stack(model, parameters)], self.source, Serial())[0].log_likelihood

    def holds(self, statistics, at_least) -> None:
        slack = self.heights(statistics) - np.array(at_least)
        assert slack.min() >= -1e-6 * abs(self.height), f"{-slack.min():.3g} nats below the bound of {self.height}"

    def merged(self, merge) -> np.ndarray:
        now = self.view.statistics
        return np.concatenate([np.delete(now, (merge.i, merge.j), axis=0), now[[merge.i]] + now[[merge.j]]])

    def parted(self, split) -> np.ndarray:
        rest = np.delete(self.view.statistics, split.component, axis=0)
        return np.concatenate([rest, [split.part.first, split.part.second]])


def check_merges(scene: Scene) -> None:
    found = merges(scene.view)
    assert found
    assert [merge.loss for merge in found] == sorted(merge.loss for merge in found)
    scene.holds([scene.merged(merge) for merge in found], [scene.height - merge.loss for merge in found])


def check_splits(scene: Scene, tries: int = TRIES) -> None:
    found = splits(scene.view, scene.search_data, scene.rng, tries)
    assert found
    assert [split.gain for split in found] == sorted((split.gain for split in found), reverse=True)
    scene.holds([scene.parted(split) for split in found], [scene.height + split.gain for split in found])


def check_moves(scene: Scene, tries: int = TRIES) -> None:
    found = moves(scene.view, scene.search_data, scene.rng, tries)
    assert any(move.split.component == move.merge.i for move in found), "pairs parted anew"
    assert any(move.split.component not in (move.merge.i, move.merge.j) for move in found), "merge here, split there"
    after = [move.applied(scene.view)[0] for move in found]
    scene.holds(after, [scene.height + move.worth for move in found])


@cache
def scene(case: Case, k: int, seed: int, rest: bool) -> Scene:
    return Scene(case, k, seed, rest=rest)


@each_case
@each_k
@each_seed
@pytest.mark.parametrize("rest", [True, False], ids=["at rest", "on the way"])
def test_a_merge_loses_no_more_than_is_said(case, k, seed, rest):
    check_merges(scene(case, k, seed, rest))


@each_case
@each_k
@each_seed
@pytest.mark.parametrize("rest", [True, False], ids=["at rest", "on the way"])
def test_a_split_gains_no_less_than_is_said(case, k, seed, rest):
    check_splits(scene(case, k, seed, rest))


@each_uncoupled
@each_k
@each_seed
@pytest.mark.parametrize("rest", [True, False], ids=["at rest", "on the way"])
def test_a_move_is_worth_no_less_than_is_said(case, k, seed, rest):
    """Where the components are coupled, that of a merge and a split together is an estimate."""
    check_moves(scene(case, k, seed, rest))


@each_case
def test_case_weights_count(case):
    scene = Scene(case, 3, 44, weighted=True)
    check_merges(scene)
    check_splits(scene)
    if not scene.model.family.coupled:
        check_moves(scene)


@each_case
def test_components_that_are_parted_alone(case):
    """Where there are many rows, some of them show the way, and all of them are counted."""
    scene = Scene(case, 4, 45, n=6000, rest=False)
    check_splits(scene, 12)
    if not scene.model.family.coupled:
        check_moves(scene, 12)


@each_case
def test_many_components(case):
    """Of which only the pairs that overlap most are thought of."""
    check_merges(Scene(case, 15, 46, n=600, rest=False))


@each_case
@each_seed
def test_the_present_statistics_bound_the_present_likelihood(case, seed):
    """The expected log-likelihood at their M-step, with the entropy of the responsibilities."""
    scene = Scene(case, 3, seed, rest=False)
    mass = np.maximum(scene.view.weighted_responsibilities, 1e-300)
    entropy = -(mass * np.log(mass)).sum()
    constant = base_measure(scene.model.family, scene.source)
    expected = bound(scene.model, scene.view.statistics[None])[0] + entropy + constant
    assert expected >= scene.height - 1e-9 * abs(scene.height)
    assert expected <= scene.heights([scene.view.statistics])[0] + 1e-9 * abs(scene.height)


@each_case
def test_a_move_keeps_the_sums_over_all_rows(case):
    scene = Scene(case, 4, 47)
    now = scene.view.statistics.sum(axis=0)
    scale = np.abs(scene.view.statistics).sum(axis=0)
    after = [move.applied(scene.view)[0] for move in moves(scene.view, scene.search_data, scene.rng, TRIES)]
    after += [scene.merged(merge) for merge in merges(scene.view)]
    after += [scene.parted(split) for split in splits(scene.view, scene.search_data, scene.rng, TRIES)]
    kept = slice(None) if case.exact else slice(1)  # new components weigh the rows anew
    assert all((np.abs(statistics.sum(axis=0) - now) <= 1e-9 * scale)[kept].all() for statistics in after)


@pytest.mark.parametrize("gaps", [0.0, 0.15])
@pytest.mark.parametrize("tries", [4, 60])
def test_features_of_some_rows_at_a_time_give_the_same_parts(monkeypatch, gaps, tries):
    """All rows that are parted together, or those of one component; starts and statistics alike."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal((3, 3000)) + 6 * (np.arange(3000) % 2)
    x[:2][rng.random((2, 3000)) < gaps] = np.nan
    known = survey(InMemory(x))
    data, model = SearchData(known, lambda: False), Model(Gaussian("full").bind(known.columns), Independent(), 2)
    mass = np.stack([np.ones(data.block.n_rows), rng.random(data.block.n_rows)])
    assert (mass.shape[1] * tries <= FEW_ROWS) == (tries == 4)

    def found():
        parts = best_splits(model, mass, data, [np.random.default_rng(n) for n in range(2)], tries)
        start = model.starts(data.block, mass[None] / mass.sum(axis=0))
        sums = [part.first for own in parts for part in own] + [part.second for own in parts for part in own]
        return [*sums, data.statistics(model, mass), start.components.means, start.components.covariances]

    before = found()
    data = SearchData(known, lambda: False)
    for module in (row_sums, search_data):
        monkeypatch.setattr(module, "MOST_FEATURES", 1000)
    monkeypatch.setattr(row_sums, "OF_PART", 700)
    for one, other in zip(before, found(), strict=True):
        assert np.allclose(one, other, rtol=1e-10, atol=1e-8)


@pytest.mark.parametrize("covariance", ["full", "VEV"])
@pytest.mark.parametrize("tries", [4, 100])
def test_the_parts_of_a_component_do_not_depend_on_its_company(covariance, tries):
    """All on the same rows, or each on its own."""
    rng = np.random.default_rng(4)
    known = survey(InMemory(rng.standard_normal((3, 3000)) + 6 * (np.arange(3000) % 2)))
    data, model = SearchData(known, lambda: False), Model(Gaussian(covariance).bind(known.columns), Independent(), 2)
    masses = rng.random((3, 3000)) ** 4
    assert (masses.shape[1] * tries <= FEW_ROWS) == (tries == 4)
    company = best_splits(model, masses, data, [np.random.default_rng(n) for n in range(3)], tries)
    alone = [best_splits(model, masses[n : n + 1], data, [np.random.default_rng(n)], tries)[0] for n in range(3)]
    for one, other in zip(company, alone, strict=True):
        assert len(one) == len(other) > 0
        for part, same in zip(one, other, strict=True):
            assert part.first.tobytes() == same.first.tobytes() and part.second.tobytes() == same.second.tobytes()


@pytest.mark.parametrize("tries", [4, 100])
@each_uncoupled
def test_the_parts_of_components_on_rows_of_their_own_do_not_depend_on_the_others(case, tries):
    """As where data sets are drawn from one model, whose components are parted together: the bits are those of each."""
    n = 900
    drawn = [case.rows(seed, n, 2.0)[0] for seed in range(4)]
    model = case.model(np.concatenate(drawn, axis=1), 2, None)
    sets = [SearchData(survey(InMemory(x)), lambda: False) for x in drawn]
    assert (n * tries <= FEW_ROWS) == (tries == 4)
    masses = [np.random.default_rng(m).random((m % 3 + 1, n)) ** (4 if m else 0) for m in range(4)]
    rngs = [[np.random.default_rng((place, m)) for m in range(len(own))] for place, own in enumerate(masses)]
    alone = [best_splits(model, *each, tries) for each in zip(masses, sets, rngs, strict=True)]
    again = [np.random.default_rng((place, m)) for place, own in enumerate(masses) for m in range(len(own))]
    company = best_splits_of_each(model, [*zip(sets, masses, strict=True)], again, tries)
    sums = [[(p.first.tobytes(), p.second.tobytes(), p.entropy) for p in parts] for parts in company]
    assert sums == [[(p.first.tobytes(), p.second.tobytes(), p.entropy) for p in ps] for own in alone for ps in own]
    assert any(sums)


def test_components_with_few_rows_of_each_pattern_are_parted_in_one_step_for_all(monkeypatch):
    """Where patterns of missing cells cost more than rows do; with the bits that they have alone."""
    rng = np.random.default_rng(4)
    x = rng.standard_normal((4, 400)) + 6 * (np.arange(400) % 3)
    x[rng.random(x.shape) < 0.3] = np.nan
    known = survey(InMemory(x[:, ~np.isnan(x).all(axis=0)]))
    data, model = SearchData(known, lambda: False), Model(Gaussian("full").bind(known.columns), Independent(), 3)
    n = data.block.n_rows
    masses, steps = (np.arange(n) % 3 == np.arange(3)[:, None]) * rng.random((3, n)), []
    density = GaussianWithGaps.log_density
    monkeypatch.setattr(GaussianWithGaps, "log_density", lambda *of: (steps.append(len(of[3])), density(*of))[1])
    company = best_splits(model, masses, data, [np.random.default_rng(m) for m in range(3)], 4)
    assert len(steps) == PASSES + 1 and steps[:PASSES] == [12] * PASSES
    for m, own in enumerate(company):
        (alone,) = best_splits(model, masses[m : m + 1], data, [np.random.default_rng(m)], 4)
        assert [part.first.tobytes() for part in own] == [part.first.tobytes() for part in alone] != []


def test_components_with_gaps_are_parted_on_rows_that_are_filled_in_once(monkeypatch):
    """Where patterns are many; the statistics of the parts add to what the component has, as they do without."""
    monkeypatch.setattr(search_data, "MANY_PATTERNS", 1)
    rng = np.random.default_rng(4)
    x = rng.standard_normal((3, 80)) + 6 * (np.arange(80) % 2)
    x[rng.random(x.shape) < 0.15] = np.nan
    x = x[:, ~np.isnan(x).all(axis=0)]
    known = survey(InMemory(x))
    data = SearchData(known, lambda: False)
    model = Model(Gaussian("full").bind(known.columns), Independent(), 1)
    assert (data.filled_in(model) != data.features(model)).any()
    mass = np.ones((1, data.block.n_rows))
    ((part, *_),) = best_splits(model, mass, data, [np.random.default_rng(0)], 12)
    assert np.isclose(part.first[0] + part.second[0], data.block.n_rows)
    assert 0.4 < part.share < 0.6, "the two halves are found"


def test_a_component_that_bears_a_little_of_many_rows_only_has_no_parts() -> None:
    """Beyond so many rows each component is parted alone, by the rows of which it bears a share."""
    x = np.random.default_rng(5).normal(size=(1, 60_000))
    source = InMemory(x)
    model = Model(Gaussian().bind(survey(source).columns), Independent(), 2)
    data, masses = SearchData(survey(source), lambda: False), np.full((1, 20_000), 0.001)
    assert best_splits(model, masses, data, [np.random.default_rng(1)], 20) == [[]]


def test_rows_that_weigh_little_are_parted_from_those_that_weigh_much() -> None:
    """As they are where each row stands there as often as it counts."""
    values = np.arange(-20, 21) / 10
    counts = np.maximum(1, np.rint(400 * np.exp(-(values**2) / 2)))
    x, weights = np.append(values, [15.0, 15.1, 15.2])[None], np.append(counts, np.ones(3))
    for source in (InMemory(x, weights), InMemory(np.repeat(x, weights.astype(int), axis=1))):
        known = survey(source)
        model, mass = Model(Gaussian().bind(known.columns), Independent(), 1), source.weights
        own = np.ones((1, source.n_rows)) if mass is None else mass[None]
        (parts,) = best_splits(model, own, SearchData(known, lambda: False), [np.random.default_rng(0)], 4)
        assert any(np.isclose(min(part.first[0], part.second[0]), 3, atol=1e-6) for part in parts)


def test_rows_that_weigh_next_to_nothing_are_parted_where_each_component_is_alone(monkeypatch) -> None:
    """What a component bears of a row is told by its share, and not by its weight."""
    monkeypatch.setattr("em_cli.search.best_splits.FEW_ROWS", 0)
    rng = np.random.default_rng(6)
    x = np.concatenate([rng.normal(0, 1, 400), rng.normal(12, 1, 400), [0.0]])[None]
    weights = np.append(np.full(800, 0.01), 1.0)
    known = survey(InMemory(x, weights))
    model, data = Model(Gaussian().bind(known.columns), Independent(), 1), SearchData(known, lambda: False)
    (parts,) = best_splits(model, weights[None], data, [np.random.default_rng(0)], 4)
    assert any(np.isclose(min(part.first[0], part.second[0]), 4, atol=1e-3) for part in parts)
