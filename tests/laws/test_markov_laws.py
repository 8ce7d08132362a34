"""Hidden Markov models: what must be true of the chain, of every family in it, and what other programs found."""

import itertools
import json
from dataclasses import replace

import numpy as np
import pytest
from cases import CLIMBING_CASES
from hypothesis import given, settings
from hypothesis import strategies as st
from structures import plain_forward_backward
from support import OF_SEARCHES, responsibilities, start

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.arrays import stack, take
from em_cli.engine.climb import Candidate
from em_cli.engine.column_summary import summarize
from em_cli.engine.expectation import Parameters
from em_cli.engine.fit import fit
from em_cli.engine.model import Model
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.rows import Block
from em_cli.engine.scoring import component_log_density, decode, score_block, score_rows
from em_cli.engine.stopping import Stopping
from em_cli.families.distributions.categorical import Categorical
from em_cli.families.gaussian.options import Gaussian
from em_cli.latents.chain import ChainParameters
from em_cli.latents.forward_backward import in_logarithms, smooth
from em_cli.latents.independent import Independent, mixing_weights
from em_cli.latents.markov import Markov
from em_cli.latents.stationary import law_of_connected, stationary_law
from em_cli.runners.serial import Serial
from em_cli.search.effort import EFFORTS
from em_cli.search.search_data import SearchData
from em_cli.search.short_runs import ShortRuns
from em_cli.search.split_merge import level_moves
from em_cli.search.survey import survey
from em_cli.sources.in_memory import InMemory

K = 3
each_case = pytest.mark.parametrize("case", CLIMBING_CASES, ids=lambda case: case.name)
STRUCTURES = {
    "free": Markov(),
    "stationary": Markov(initial="stationary"),
    "left-right": Markov("left-right"),
    "matrix": Markov(((None, 0.3, 0.0), (None, None, None), (0.0, 0.4, 0.6)), (0.5, 0.5, 0.0)),
    "prior": Markov(concentration=(1.5, 8.0)),
    "stationary-matrix": Markov(((None, None, 0.0), (0.0, None, None), (None, 0.0, None)), "stationary"),
}
each_structure = pytest.mark.parametrize("latent", STRUCTURES.values(), ids=STRUCTURES)


def laws(rng, r=1, k=K):
    return rng.dirichlet(np.ones(k), r), rng.dirichlet(np.full(k, 0.5), (r, k))


def test_the_prior_of_transitions_is_that_of_scipy_on_what_is_free():
    from scipy import stats

    (_, (transitions,)), alpha = laws(np.random.default_rng(5)), np.where(np.eye(K), 8.0, 1.5)
    chain = ChainParameters(np.full(K, 1 / K), np.full(K, 1 / K), transitions)
    told = sum(stats.dirichlet(a).logpdf(row) for a, row in zip(alpha, transitions, strict=True))
    assert -Markov(concentration=(1.5, 8.0)).divergence(chain) == pytest.approx(told)
    latent = replace(STRUCTURES["matrix"], concentration=(1.5, 8.0))
    transitions = latent._shape(K).law(transitions[None], transitions[None])[0]
    told = stats.dirichlet(alpha[1]).logpdf(transitions[1])  # of the other rows at most one number is free
    assert -latent.divergence(replace(chain, transitions=transitions)) == pytest.approx(told)


def bounds(lengths):
    return np.concatenate([[0], np.cumsum(lengths)])


def begun(case, latent, seed=1, n=300, lengths=(100, 1, 120, 79)):
    x, labels = case.rows(seed, n, 2.0)
    model = case.model(x, K)
    at = start(model, x, responsibilities(seed, labels % K, K, 0.5))
    model = replace(model, latent=latent)
    weight = np.full((1, K), n / K)
    return x, model, Parameters(take(latent.maximize(weight, None, None), 0), at.components), bounds(lengths)


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=8),
    long=st.sampled_from([(), (700,), (2500, 1)]),
    k=st.integers(1, 5),
    seed=st.integers(0, 99),
    sharp=st.sampled_from([1.0, 30.0]),
)
@settings(max_examples=12)
def test_sequences_side_by_side_are_those_of_a_plain_pass(lengths, long, k, seed, sharp):
    rng, groups = np.random.default_rng(seed), bounds([*lengths, *long])
    log_density = rng.normal(0, sharp, (2, k, groups[-1]))
    initial, transitions = laws(rng, 2, k)
    found = log_density.copy()
    smoothed = smooth(found, initial, transitions, groups)
    for r in range(2):
        height, by_row = plain_forward_backward(log_density[r], initial[r], transitions[r], groups)
        assert smoothed.log_likelihood[r].sum() == pytest.approx(height, rel=1e-10, abs=1e-9)
        assert np.abs(found[r] - by_row).max() < 1e-9
        steps = [
            in_logarithms(log_density[r][:, a:b], initial[r], transitions[r])[2] for a, b in itertools.pairwise(groups)
        ]
        assert np.allclose(smoothed.steps[r], np.sum(steps, axis=0), rtol=1e-8, atol=1e-9)


def test_a_sequence_whose_scale_underflows_is_gone_through_in_logarithms():
    log_density = np.zeros((1, 3, 60))
    log_density[0, 0], log_density[0, 1, :30] = -1000, -500
    transitions = np.array([[[0.9, 0.1, 0], [0, 0.9, 0.1], [0, 0, 1.0]]])
    initial, groups = np.array([[1.0, 0, 0]]), np.array([0, 60])
    plain = in_logarithms(log_density[0], initial[0], transitions[0])
    found = smooth(log_density, initial, transitions, groups)
    assert found.log_likelihood[0, 0] == pytest.approx(plain[0], rel=1e-14) and np.isfinite(plain[0])
    assert np.allclose(log_density[0], plain[1]) and np.allclose(found.steps[0], plain[2])


@each_case
def test_a_chain_of_equal_rows_is_the_independent_mixture(case):
    x, model, at, groups = begun(case, Markov())
    weights = np.array([0.5, 0.3, 0.2])
    chain = Parameters(ChainParameters(weights, weights, np.tile(weights, (K, 1))), at.components)
    mine = score_block(model, chain, Block(0, x, groups=groups))
    mixture = replace(model, latent=Independent())
    its = score_rows(mixture, Parameters(mixing_weights(weights), at.components), x)
    assert mine.log_density.sum() == pytest.approx(its.log_density.sum(), rel=1e-9)
    assert np.allclose(mine.responsibilities, its.responsibilities, atol=1e-9)


@each_structure
@pytest.mark.parametrize("algorithm", OF_SEARCHES)
def test_the_likelihood_never_descends_and_what_is_fixed_stays(latent, algorithm):
    x, model, at, groups = begun(next(c for c in CLIMBING_CASES if c.name == "gaussian-full"), latent)
    source = InMemory(x, groups=groups)
    candidate = Candidate(model, ALGORITHMS.load(algorithm)(), at, 0)
    (result,) = fit([candidate], source, Serial(), Stopping(1e-7, 200))
    assert np.diff(result.trace).min(initial=0) >= -1e-10 * abs(result.log_likelihood)
    shape = latent._shape(K)
    found = result.parameters.latent.transitions
    assert (found[~shape.free] == shape.fixed[~shape.free]).all()
    assert np.allclose(found.sum(axis=1), 1, atol=1e-12)
    if latent.initial == "stationary":
        pi = result.parameters.latent.initial
        assert np.abs(pi @ found - pi).max() < 1e-12


@each_structure
def test_a_finished_climb_beats_nearby_laws_and_its_chart_has_the_slope(latent):
    x, model, at, groups = begun(next(c for c in CLIMBING_CASES if c.name == "gaussian-full"), latent)
    source, rng = InMemory(x, groups=groups), np.random.default_rng(3)
    (end,) = fit([Candidate(model, ALGORITHMS.load("lbfgs")(), at, 0)], source, Serial(), Stopping(1e-9, 1000))

    def height(parameters):
        return float(one_pass([Stack(model, stack([parameters]))], source, Serial())[0].log_likelihood[0])

    def found(parameters):
        (batch,) = one_pass([Stack(model, stack([parameters]))], source, Serial())
        return take(batch.statistics, 0)

    chart = latent.chart(at.latent, found(at).weight)
    slope = chart.gradient(found(at), at.latent)
    for u in rng.normal(size=(4, chart.size)):
        near, far = (replace(at, latent=chart.parameters(size * u)) for size in (-1e-5, 1e-5))
        assert (height(far) - height(near)) / 2e-5 == pytest.approx(slope @ u, rel=1e-4, abs=1e-4)
    chart = latent.chart(end.parameters.latent, end.weight)
    for u in rng.normal(size=(8, chart.size)):
        beside = replace(end.parameters, latent=chart.parameters(0.3 * u))
        assert height(beside) <= end.log_likelihood + 1e-6


@given(seed=st.integers(0, 200), k=st.integers(1, 3), long=st.booleans())
@settings(max_examples=15)
def test_the_path_is_the_most_probable_of_all(seed, k, long):
    rng = np.random.default_rng(seed)
    groups = bounds([1, 5, 3] + ([400] if long else []))
    log_density = rng.normal(0, 1.5, (k, groups[-1]))
    initial, transitions = (law[0] for law in laws(rng, 1, k))
    latent, block = Markov(), Block(0, np.zeros((1, groups[-1])), groups=groups)
    parameters = ChainParameters(initial, initial, transitions)
    found = latent.decode(log_density.copy(), parameters, block)

    def worth(path, rows):
        moves = np.log(transitions[path[:-1], path[1:]]).sum()
        return np.log(initial[path[0]]) + moves + log_density[path, np.arange(rows.start, rows.stop)].sum()

    for g, rows in enumerate(map(slice, groups[:-1], groups[1:])):
        own = found.path[rows]
        assert worth(own, rows) == pytest.approx(found.path_log_probability[g], rel=1e-10)
        paths = itertools.product(range(k), repeat=rows.stop - rows.start) if rows.stop - rows.start < 6 else []
        assert all(worth(np.array(path), rows) <= worth(own, rows) + 1e-9 for path in paths)
        assert worth(found.responsibilities[:, rows].argmax(axis=0), rows) <= worth(own, rows) + 1e-9


def test_what_is_known_at_a_row_is_what_its_past_says_and_steps_without_cells_are_passed_over():
    x, model, at, groups = begun(next(c for c in CLIMBING_CASES if c.name == "gaussian-full"), Markov())
    initial, transitions = (law[0] for law in laws(np.random.default_rng(2)))
    at = replace(at, latent=ChainParameters(initial, initial, transitions))
    whole = decode(model, at, Block(0, x, groups=groups))
    for stop in (1, 40, 100):
        part = decode(model, at, Block(0, x[:, :stop], groups=np.array([0, stop])))
        assert np.allclose(part.responsibilities[:, -1], whole.filtered[:, stop - 1], atol=1e-12)
        assert part.log_density.sum() == pytest.approx(whole.log_density[:stop].sum(), rel=1e-12)
    assert whole.log_density.sum() == pytest.approx(
        score_block(model, at, Block(0, x, groups=groups)).log_density.sum(), rel=1e-12
    )
    gap = x.copy()
    gap[:, 1] = np.nan
    wide = Model(Gaussian("full").bind(summarize(InMemory(gap))), Independent(), K)
    components = start(wide, x, responsibilities(1, np.arange(300) % K, K, 0.5)).components
    wide, at = replace(wide, latent=Markov()), replace(at, components=components)
    joint = component_log_density(wide, at, x[:, [0, 9]])
    gone = decode(wide, at, Block(0, gap[:, [0, 1, 9]], groups=np.array([0, 3])))
    twice = np.exp(joint[:, 0]) * initial @ transitions @ transitions @ np.exp(joint[:, 1])
    assert gone.log_density.sum() == pytest.approx(np.log(twice), rel=1e-9)


def test_a_stationary_chain_is_as_likely_backwards():
    x, model, at, _ = begun(next(c for c in CLIMBING_CASES if c.name == "gaussian-full"), Markov())
    _, transitions = (law[0] for law in laws(np.random.default_rng(4)))
    pi = law_of_connected(transitions)
    back = (transitions * pi[:, None]).T / pi[:, None]
    heights = [
        score_block(
            model, replace(at, latent=ChainParameters(pi, pi, law)), Block(0, rows, groups=np.array([0, 300]))
        ).log_density.sum()
        for law, rows in ((transitions, x), (back, x[:, ::-1].copy()))
    ]
    assert heights[0] == pytest.approx(heights[1], rel=1e-11)
    assert np.allclose(stationary_law(np.array([[0.5, 0.5, 0], [0, 0.5, 0.5], [0, 0, 1.0]])), [0, 0, 1])
    assert stationary_law(np.eye(2)) is None


@each_structure
def test_documents_come_back_and_chains_are_drawn_by_their_laws(latent):
    parameters = take(latent.maximize(np.array([[3.0, 2.0, 1.0]]), None, None), 0)
    document = json.loads(json.dumps(latent.to_document(parameters)))
    again = Markov.of_document(document).from_document(document, K)
    assert Markov.of_document(document).to_document(again) == latent.to_document(parameters)
    states = latent.sample(parameters, 20_000, np.random.default_rng(1))
    seen = np.zeros((K, K))
    np.add.at(seen, (states[:-1], states[1:]), 1)
    often = seen.sum(axis=1) > 1000
    assert np.allclose(
        (seen / np.maximum(seen.sum(axis=1, keepdims=True), 1))[often], parameters.transitions[often], atol=0.03
    )
    assert not seen[parameters.transitions == 0].any()


def test_a_level_that_a_start_did_not_know_of_is_found_again():
    rng, laws_of = np.random.default_rng(3), np.array([[0.6, 0.1, 0.3], [0.05, 0.65, 0.3]])
    states = [0]
    while len(states) < 400:
        states.append(states[-1] if rng.random() < 0.9 else 1 - states[-1])
    codes = np.array([rng.choice(3, p=laws_of[state]) for state in states], np.float64)
    source = InMemory(codes[None], groups=np.array([0, 400]))
    model = Model(Categorical((3,)).bind(summarize(source)), Markov(), 2)
    believed = np.where(codes == 0, 0.9, np.where(codes == 1, 0.1, 1.0))  # the second state is told of no third level
    begin = model.start(source[0], np.stack([believed, 1 - believed]))
    (stuck,) = fit([Candidate(model, ALGORITHMS.load("em")(), begin, 0)], source, Serial(), Stopping(1e-6, 2000))
    runs = ShortRuns(model, SearchData(survey(source), lambda: False), EFFORTS["low"], 0)
    *_, stirred = fit(level_moves(runs, stuck, rng), source, Serial(), Stopping(1e-6, 2000))
    assert stirred.log_likelihood > stuck.log_likelihood + 1
