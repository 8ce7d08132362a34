"""What every algorithm, latent structure and runner obeys, whatever the family."""

import json
from functools import cache
from itertools import cycle, pairwise

import numpy as np
import pytest
from cases import CASES, CLIMBING_CASES
from hypothesis import given, settings
from hypothesis import strategies as st
from support import BY_ROWS, OF_SEARCHES, Case, climb, flattened, responsibilities, start

from em_cli.algorithms import ALGORITHMS
from em_cli.algorithms.em import EM
from em_cli.engine import cohorts, passes
from em_cli.engine.climb import Candidate, Round
from em_cli.engine.fit import fit, run_searches
from em_cli.engine.model import Model
from em_cli.engine.parallel_traces import Traces
from em_cli.engine.scoring import score_rows, score_source
from em_cli.engine.stopping import Status, Stopping
from em_cli.families.covariances import COVARIANCES
from em_cli.families.gaussian.binding import bound_gaussian
from em_cli.families.product import bound
from em_cli.latents.independent import Independent
from em_cli.parts import settings_of
from em_cli.runners import RUNNERS
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory
from em_cli.testing import climb_laws
from em_cli.testing.climb_laws import K, begun, climbs

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
each_case = pytest.mark.parametrize("case", CLIMBING_CASES, ids=lambda case: case.name)
NOISY = ("gaussian-full", "gaussian-tied", "gamma")  # cases on which every latent structure is tried


def pairs(cases: list[Case]) -> pytest.MarkDecorator:
    """Cases with latent structures: the independent one with all of them, the others with some."""
    found = [(case, name) for case in cases for name in BY_ROWS if name == "independent" or case.name in NOISY]
    return pytest.mark.parametrize(("case", "latent"), found, ids=lambda value: getattr(value, "name", value))


each_pair = pairs(CLIMBING_CASES)


def bits(model, result):
    return result.trace, json.dumps(model.to_document(result.parameters))


@each_pair
@given(seed=st.integers(0, 999), separation=st.sampled_from([1.0, 2.5, 1e5]), softness=st.sampled_from([0.1, 0.7]))
@settings(max_examples=5)
def test_the_likelihood_never_descends(case: Case, latent, seed, separation, softness):
    climb_laws.the_likelihood_never_descends(case, seed, separation, softness, latent, OF_SEARCHES)


@pytest.mark.parametrize(("name", "seed"), [("gaussian-VVE-gaps", 59), ("gaussian-VEV-gaps", 109)])
def test_an_accelerated_climb_rests_where_rounding_rules(name, seed):
    """Where eigenvalues of one covariance are ten orders of magnitude apart, EM steps waver by 1e-5 nats."""
    x, model, begin = begun(next(case for case in CASES if case.name == name), seed, 120, 1e5)
    result = climb(model, InMemory(x), begin, Stopping(1e-9, 200), ALGORITHMS.load("squarem")())
    assert result.status is Status.CONVERGED
    assert np.diff(result.trace).min() >= 0


@each_pair
def test_the_reported_likelihood_is_that_of_the_reported_parameters(case: Case, latent):
    """By any runner, as none changes a bit."""
    climb_laws.the_reported_likelihood_is_that_of_the_reported_parameters(case, latent, OF_SEARCHES)


@every_case
def test_a_climb_ends_where_the_likelihood_is_flat(case: Case):
    climb_laws.a_climb_ends_where_the_likelihood_is_flat(case, OF_SEARCHES)


@each_pair
def test_responsibilities_sum_to_one_and_documents_come_back(case: Case, latent):
    x, model, begin = begun(case, 3, latent=latent)
    scores = score_rows(model, begin, x)
    assert np.allclose(scores.responsibilities.sum(axis=0), 1, rtol=1e-12)
    assert (scores.responsibilities >= 0).all()
    document = model.latent.to_document(begin.latent)
    again = model.latent.from_document(json.loads(json.dumps(document)), K)
    assert model.latent.to_document(again) == document
    labels = model.latent.sample(begin.latent, 20_000, np.random.default_rng(4))
    assert np.allclose(np.bincount(labels, minlength=K)[:K] / 20_000, begin.latent.weights, atol=0.02)


def several(runner: str) -> list[dict[str, int]]:
    """Options under which a runner must find the same bits."""
    counted = "workers" in settings_of(RUNNERS, runner)
    return [{"workers": workers} for workers in (2, 3)] if counted else [{}]


@each_pair
def test_a_runner_changes_no_bit(monkeypatch, case: Case, latent):
    """Of climbs by every algorithm, and of scores; it is asked though these rows are few."""
    monkeypatch.setattr(passes, "SMALL", 0)
    x, model, begin = begun(case, 5, 500, latent=latent)
    source, short = InMemory(x, block_rows=80), Stopping(0, 15)
    expected = climbs(model, source, begin, short, OF_SEARCHES, Serial())
    scored = score_source(model, begin, source, Serial())
    for runner in RUNNERS:
        for options in several(runner) if runner != "serial" else ():
            parallel = RUNNERS.make(runner, **options)
            for name, actual in climbs(model, source, begin, short, OF_SEARCHES, parallel).items():
                assert bits(model, actual) == bits(model, expected[name]), name
            assert repr(score_source(model, begin, source, parallel)) == repr(scored)


@each_case
@pytest.mark.parametrize("separation", [2.5, 1e5])
def test_the_bits_of_a_climb_do_not_depend_on_its_company(case: Case, separation):
    """Of other starts, numbers of components and algorithms."""
    x, labels = case.rows(6, 700, separation)
    source, climbers = InMemory(x, block_rows=500), cycle(ALGORITHMS.load(name)() for name in OF_SEARCHES)
    family = case.model(x, 1).family
    candidates = []
    for k in (3, 1, 5):
        model = case.model(x, k)
        models = [model, type(model)(family, model.latent, k)]  # one binds for itself, one shares
        for seed in range(5):
            begin = start(model, x, responsibilities(seed, labels % k, k, 0.5))
            candidates.append(Candidate(models[seed % 2], next(climbers), begin, len(candidates)))
    together = fit(candidates, source, Serial(), Stopping(0, 12))
    for candidate, result in list(zip(candidates, together, strict=True))[::2]:
        assert bits(candidate.model, result) == bits(
            candidate.model, fit([candidate], source, Serial(), Stopping(0, 12))[0]
        )


@pytest.mark.parametrize("name", ["gaussian-full", "product"])
@pytest.mark.parametrize(("separation", "weighted"), [(2.5, True), (1e5, False)])
def test_climbs_of_kin_have_the_bits_of_climbs_in_one_model(name, separation, weighted, monkeypatch):
    """Of all structures and several numbers of components; some components are concentrated where groups are apart."""
    case = next(case for case in CLIMBING_CASES if case.name == name)
    x, labels = case.rows(8, 150, separation)
    source = InMemory(x, np.arange(150) % 3 + 1.0 if weighted else None)
    whole, candidates = case.model(x, 1).family, []
    for structure in COVARIANCES:
        if name == "product":
            gaussian, *others = whole.families
            family = bound((bound_gaussian(structure, gaussian.columns), *others), whole.columns_of)
        else:
            family = bound_gaussian(structure, whole.columns)
        for k in (1, 2, 4):
            model = Model(family, Independent(), k)
            for seed in (0, 1):
                begin = start(model, x, responsibilities(seed, labels % k, k, 0.5 * seed))
                candidates.append(Candidate(model, EM(), begin, len(candidates)))
    assert cohorts.flat_key(candidates[-1].model, source)
    ends, results = by_both_ways(candidates, source, monkeypatch)
    assert ends[0] == ends[1]
    if separation > 10:
        ends = [getattr(r.parameters.components, "parts", (r.parameters.components,)) for r in results]
        assert any(part.concentrated.any() for parts in ends for part in parts)


@each_case
@pytest.mark.parametrize(("separation", "weighted"), [(2.5, True), (1e5, False)])
def test_climbs_of_one_family_have_the_bits_of_climbs_in_one_model(case, separation, weighted, monkeypatch):
    """Every family that declares itself kindred, with several numbers of components."""
    x, labels = case.rows(8, 150, separation)
    source, family = InMemory(x, np.arange(150) % 3 + 1.0 if weighted else None), case.model(x, 1).family
    models = [Model(family, Independent(), k) for k in (1, 2, 4)]
    if not cohorts.flat_key(models[0], source):
        assert family.exponential is None or family.exponential.kindred is None
        return
    candidates = [
        Candidate(model, EM(), start(model, x, responsibilities(seed, labels % k, k, 0.5 * seed)), place)
        for place, (model, k, seed) in enumerate((model, model.n_components, s) for s in (0, 1, 2) for model in models)
    ]
    ends, _ = by_both_ways(candidates, source, monkeypatch)
    assert ends[0] == ends[1]


def by_both_ways(candidates, source, monkeypatch):
    """How climbs end in flat cohorts, and in stacks of one model each."""
    rounds, ends = [(candidates[::2], Stopping(0, 9)), (candidates[1::2], Stopping(1e-3, 12))], []
    for key in (cohorts.flat_key, lambda model, rows: None):
        monkeypatch.setattr(cohorts, "flat_key", key)
        found = run_searches([later(rounds[:1]), later(rounds)], source, Serial())
        results = [result for own in found for result in own]
        ends.append([(bits(r.candidate.model, r), r.status, r.reason, r.weight.tobytes()) for r in results])
    return ends, results


def later(rounds):
    """A search that asks for one round after another."""
    results = []
    for candidates, stopping in rounds:
        results += yield Round(candidates, stopping)
    return results


def test_the_bits_of_a_climb_do_not_depend_on_when_others_begin():
    """Climbs in one model and in several, that come and go at different times, and end by different rules."""
    case = next(case for case in CLIMBING_CASES if case.name == "gaussian-full")
    x, labels = case.rows(6, 200, 1.5)
    source, models = InMemory(x), [case.model(x, k) for k in (2, 4)]
    rounds = []
    for number in range(12):
        model = models[number % 2]
        begin = start(model, x, responsibilities(number, labels % model.n_components, model.n_components, 0.5))
        climber = ALGORITHMS.load("lbfgs" if number % 5 == 4 else "em")()
        rounds.append(([Candidate(model, climber, begin, number)], Stopping(10.0 ** -(number % 4), 5 + 9 * number)))
    searches = [later(rounds[first : first + 3]) for first in range(0, 12, 3)]
    together = [result for results in run_searches(searches, source, Serial()) for result in results]
    for ((candidate,), stopping), result in zip(rounds, together, strict=True):
        (alone,) = fit([candidate], source, Serial(), stopping)
        assert bits(candidate.model, result) == bits(candidate.model, alone)
        assert (result.status, result.remaining) == (alone.status, alone.remaining)


@given(
    traces=st.lists(st.lists(st.floats(-5, 5), min_size=1, max_size=25).map(np.cumsum), min_size=1, max_size=5),
    tolerance=st.sampled_from([1e-3, 0.05, 1.0, 1e5]),
    most=st.integers(1, 30),
)
@settings(max_examples=60)
def test_what_is_said_of_many_traces_is_what_is_said_of_each(traces, tolerance, most):
    rules = [Stopping(tolerance * 10**row, most + row) for row in range(len(traces))]
    begun = [trace[:-1].tolist() for trace in traces]
    together = Traces(begun, rules)
    together.append(np.array([trace[-1] for trace in traces]))
    rests, ends = together.verdicts()
    for row, (trace, rule) in enumerate(zip(traces, rules, strict=True)):
        verdict = rule(trace.tolist(), len(trace))
        assert (bool(ends[row]), bool(rests[row])) == (verdict is not None, verdict is Status.CONVERGED)
        assert together.of(row) == trace.tolist()


def cut_climbs(case: Case, block_rows):
    """The model, and climbs whose rows come in blocks."""
    x, model, begin = begun(case, 7, 90)
    source = InMemory(x) if block_rows is None else InMemory(x, block_rows=block_rows)
    return model, climbs(model, source, begin, Stopping(0, 10), OF_SEARCHES, Serial())


@cache
def uncut_climbs(case: Case):
    return cut_climbs(case, None)[1]


@each_case
@given(block_rows=st.integers(1, 90))
@settings(max_examples=5)
def test_the_size_of_blocks_changes_nothing(case: Case, block_rows):
    model, cut = cut_climbs(case, block_rows)
    for algorithm, whole in uncut_climbs(case).items():
        assert np.allclose(cut[algorithm].trace, whole.trace, rtol=1e-10), algorithm
        found = model.to_document(cut[algorithm].parameters)
        for name, numbers in model.to_document(whole.parameters).items():
            assert np.allclose(flattened(found[name]), flattened(numbers), rtol=1e-8, atol=1e-8), (algorithm, name)


@each_pair
@given(seed=st.integers(0, 999), cuts=st.sets(st.integers(1, 299), max_size=12), separation=st.sampled_from([2.5, 1e5]))
@settings(max_examples=6)
def test_a_row_is_scored_alike_in_any_company(case: Case, latent, seed, cuts, separation):
    x, model, begin = begun(case, seed, 300, separation, softness=0.1, latent=latent)
    whole = score_rows(model, begin, x)
    single = [slice(i, i + 1) for i in range(0, 300, 7)]
    bounds = [0, *sorted(cuts), 300]
    for rows in [*single, *(slice(a, b) for a, b in pairwise(bounds))]:
        for order in ("C", "F"):
            part = score_rows(model, begin, np.array(x[:, rows], order=order))
            assert part.log_density.tobytes() == whole.log_density[rows].tobytes()
            assert part.responsibilities.tobytes() == whole.responsibilities[:, rows].tobytes()


@each_case
@pytest.mark.parametrize("cut", [1, 255, 4096, 8999])
def test_many_rows_are_scored_alike_in_any_company(case: Case, cut):
    x, model, begin = begun(case, 9, 9000)
    whole = score_rows(model, begin, x)
    for rows in (slice(0, cut), slice(cut, 9000)):
        part = score_rows(model, begin, x[:, rows])
        assert part.log_density.tobytes() == whole.log_density[rows].tobytes()
        assert part.responsibilities.tobytes() == whole.responsibilities[:, rows].tobytes()


@each_case
def test_a_component_that_loses_all_rows_ends_its_own_climb_only(case: Case):
    x, labels = case.rows(8, 200)
    model, em = case.model(x, K), ALGORITHMS.load("em")()
    r = responsibilities(8, labels, K, 0.2)
    sound, empty = start(model, x, r), start(model, x, r * np.array([1, 1, 0])[:, None])
    alone = climb(model, InMemory(x), sound)
    candidates = [Candidate(model, em, begin, number) for number, begin in enumerate((empty, sound))]
    lost, kept = fit(candidates, InMemory(x), Serial(), Stopping(1e-6, 200))
    assert kept.trace == alone.trace
    assert lost.status is Status.DEGENERATE
    assert "lost all its rows" in lost.reason
