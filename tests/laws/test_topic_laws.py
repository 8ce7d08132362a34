"""Topics: what must be true of the bound, of the steps that climb it, and of what is said of new documents."""

import dataclasses
import json
from itertools import count
from pathlib import Path

import numpy as np
import pytest
from scipy.special import digamma, gammaln

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.arrays import stack, take
from em_cli.engine.climb import Candidate
from em_cli.engine.expectation import Parameters
from em_cli.engine.fit import fit, run_searches
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.stopping import Stopping
from em_cli.inference.topic_quality import borne_terms, coherences, stability
from em_cli.latents.allocation.allocation import STEPS, Allocation, Shares
from em_cli.latents.allocation.concentration import fitted
from em_cli.latents.allocation.local_steps import inferred
from em_cli.latents.allocation.term_laws import topics
from em_cli.runners.serial import Serial
from em_cli.runners.threads import Threads
from em_cli.runs.topic_sweep import halves
from em_cli.search.topic_moves import Moves, fewer
from em_cli.search.topic_search import EXTENTS, TopicSearch
from em_cli.search.topic_tasks import sampled, topic_model
from em_cli.sources.corpus import Corpus

REFERENCE = Path(__file__).parents[1] / "reference"
each_alpha = pytest.mark.parametrize("alpha", ["learned", 0.3])


def corpus_of(table):
    """Documents × terms, none of them empty."""
    documents, codes = np.nonzero(table)
    bounds = np.searchsorted(documents, np.arange(len(table) + 1))
    names = [tuple(map(str, range(n))) for n in table.shape]
    return Corpus(*names, codes, table[documents, codes].astype(np.float64), bounds)


def drawn(seed, documents=30, terms=12, k=3, tokens=40):
    rng = np.random.default_rng(seed)
    law = rng.dirichlet(np.full(terms, 0.2), k)
    table = np.stack(
        [rng.multinomial(rng.poisson(tokens) + 1, p @ law) for p in rng.dirichlet(np.full(k, 0.3), documents)]
    )
    return corpus_of(table)


def begun(corpus, k, alpha, seed=0, eta=0.1):
    model, latent = topic_model(Allocation(alpha, eta), corpus, k)
    moves = Moves(model, latent, corpus)
    return model, [moves.even(np.random.default_rng(seed)), moves.seeded(np.random.default_rng(seed + 1))]


def climbed(corpus, model, starts, algorithm="em", passes=200):
    candidates = [Candidate(model, ALGORITHMS.load(algorithm)(), start, i) for i, start in enumerate(starts)]
    return fit(candidates, corpus.source, Serial(), Stopping(1e-6, passes))


def term_by_term(corpus, at, eta, steps=STEPS):
    """The bound after some steps in each document, token by token and with every constant."""
    law, alpha = at.components.concentration, at.latent.alpha
    log_beta = digamma(law) - digamma(law.sum(axis=1, keepdims=True))
    v = law.shape[1]
    total = 0.0
    for own, logs in zip(law, log_beta, strict=True):
        total += gammaln(v * eta) - v * gammaln(eta) + ((eta - 1) * logs).sum()
        total -= gammaln(own.sum()) - gammaln(own).sum() + ((own - 1) * logs).sum()
    for d in range(len(corpus.documents)):
        gamma, cells = at.latent.gamma[:, d], range(*corpus.bounds[d : d + 2])
        for step in range(steps + 1):
            log_theta = digamma(gamma) - digamma(gamma.sum())
            phi = {}
            for cell in cells:
                weights = np.exp(log_theta + log_beta[:, corpus.codes[cell]])
                phi[cell] = weights / weights.sum()
            if step < steps:
                gamma = alpha + sum(corpus.counts[cell] * phi[cell] for cell in cells)
        total += gammaln(alpha.sum()) - gammaln(alpha).sum() + ((alpha - 1) * log_theta).sum()
        total -= gammaln(gamma.sum()) - gammaln(gamma).sum() + ((gamma - 1) * log_theta).sum()
        for cell in cells:
            of_token = log_theta + log_beta[:, corpus.codes[cell]] - np.log(phi[cell])
            total += corpus.counts[cell] * (phi[cell] * of_token).sum()
    return total


@each_alpha
def test_the_bound_has_all_its_constants(alpha):
    corpus = drawn(1, documents=6)
    model, starts = begun(corpus, 3, alpha)
    for result in climbed(corpus, model, starts, passes=3):
        (batch,) = one_pass([Stack(model, stack([result.parameters]))], corpus.source, Serial())
        assert batch.log_likelihood[0] == pytest.approx(result.log_likelihood, rel=1e-12)
        assert result.log_likelihood == pytest.approx(term_by_term(corpus, result.parameters, 0.1), rel=1e-11)


@each_alpha
def test_one_topic_is_the_dirichlet_multinomial_evidence(alpha):
    corpus, eta = drawn(2), 0.3
    model, starts = begun(corpus, 1, alpha, eta=eta)
    n, v = corpus.frequencies, len(corpus.terms)
    evidence = gammaln(v * eta) - gammaln(n.sum() + v * eta) + (gammaln(n + eta) - gammaln(eta)).sum()
    for result in climbed(corpus, model, starts):
        assert result.log_likelihood == pytest.approx(evidence, rel=1e-9)


@each_alpha
@pytest.mark.parametrize("algorithm", ["em", "squarem"])
@pytest.mark.parametrize("seed", range(3))
def test_the_bound_never_falls(seed, alpha, algorithm):
    corpus = drawn(seed)
    model, starts = begun(corpus, 4, alpha, seed)
    for result in climbed(corpus, model, starts, algorithm):
        steps = np.diff(result.trace)
        assert len(steps) > 5 and steps.min() > -1e-9 * abs(result.log_likelihood)


def test_shares_sought_anew_leave_topics_that_were_taken_early():
    corpus = drawn(4, documents=120, terms=40, k=6)
    model, starts = begun(corpus, 6, 0.2)
    anew = dataclasses.replace(model, latent=dataclasses.replace(model.latent, anew=True))
    kept = max(end.log_likelihood for end in climbed(corpus, model, starts))
    sought = climbed(corpus, model, [end.parameters for end in climbed(corpus, anew, starts, passes=30)])
    assert min(end.log_likelihood for end in sought) > kept + 10


def test_topics_are_made_fewer_by_those_pairs_that_lose_least():
    rng = np.random.default_rng(0)
    three = rng.dirichlet(np.full(30, 0.1), 3) * [[500], [300], [100]]
    halves = np.concatenate([three * share for share in (0.3, 0.5, 0.2)])[rng.permutation(9)]
    found = fewer(halves, 3)
    assert found[np.argsort(-found.sum(axis=1))] == pytest.approx(three)

    def height(tokens):
        return (tokens * np.log(tokens / tokens.sum(axis=1, keepdims=True))).sum()

    any_ = rng.gamma(0.5, 10, (6, 8)) + 1e-3
    pairs = [(i, j) for i in range(6) for j in range(i)]
    joined = [np.vstack([np.delete(any_, [i, j], axis=0), any_[[i]] + any_[[j]]]) for i, j in pairs]
    assert height(fewer(any_, 5)) == pytest.approx(max(map(height, joined)))


def test_candidates_have_the_bits_that_they_have_alone():
    corpus = drawn(3)
    model, starts = begun(corpus, 3, "learned")
    (together,) = one_pass([Stack(model, stack(starts))], corpus.source, Serial())
    for r, start in enumerate(starts):
        (alone,) = one_pass([Stack(model, stack([start]))], corpus.source, Serial())
        assert alone.log_likelihood[0] == together.log_likelihood[r]
        assert np.array_equal(alone.statistics.components[0], together.statistics.components[r])
        assert np.array_equal(alone.statistics.latent[1][0], together.statistics.latent[1][r])


def test_threads_change_no_bit():
    corpus = drawn(4, documents=700, terms=60, tokens=60)
    assert len(corpus.source) > 1
    model, starts = begun(corpus, 4, "learned")
    serial, threads = (one_pass([Stack(model, stack(starts))], corpus.source, run)[0] for run in (Serial(), Threads(3)))
    assert np.array_equal(serial.log_likelihood, threads.log_likelihood)
    assert np.array_equal(serial.statistics.components, threads.statistics.components)
    assert all(map(np.array_equal, serial.statistics.latent, threads.statistics.latent))
    assert serial.statistics.latent[1].shape == (2, 4, 700)


def test_an_m_step_of_alpha_beats_nearby_ones():
    rng = np.random.default_rng(5)
    true = np.array([0.2, 1.0, 3.0])
    logs = np.log(rng.dirichlet(true, 4000)).sum(axis=0)
    (found,) = fitted(np.full((1, 3), 0.5), logs[None], 4000)
    assert found == pytest.approx(true, rel=0.1)

    def height(alpha):
        return 4000 * (gammaln(alpha.sum()) - gammaln(alpha).sum()) + ((alpha - 1) * logs).sum()

    for other in found * np.exp(rng.normal(0, 0.01, (20, 3))):
        assert height(other) < height(found)
    (from_afar,) = fitted(np.full((1, 3), 1e3), logs[None], 4000)
    assert from_afar == pytest.approx(found, rel=1e-6)


def test_coordinates_come_back():
    corpus = drawn(6)
    model, (one, two) = begun(corpus, 3, "learned")
    chart = model.chart(one, np.ones(3))
    assert np.abs(chart.coordinates(one)).max() == 0
    again = chart.parameters(chart.coordinates(two))
    assert np.allclose(again.components.concentration, two.components.concentration, rtol=1e-10)
    assert np.allclose(again.latent.gamma, two.latent.gamma, rtol=1e-10)


def test_a_new_document_is_told_of_as_if_it_were_alone():
    corpus = drawn(7)
    model, starts = begun(corpus, 3, "learned")
    found = climbed(corpus, model, starts)[0].parameters
    law, alpha = found.components.expected_log, found.latent.alpha
    gamma, bound = inferred(law, alpha, corpus.codes, corpus.counts, corpus.bounds)
    for d in (0, 11):
        one = corpus.some(np.array([d]))
        alone, its_bound = inferred(law, alpha, one.codes, one.counts, one.bounds)
        assert np.array_equal(alone[:, 0], gamma[:, d]) and its_bound[0] == bound[d]
    assert gamma.sum(axis=0) == pytest.approx(alpha.sum() + corpus.lengths)


def test_the_moves_of_a_search_lead_higher_and_are_repeatable():
    corpus = drawn(8, documents=60, terms=20, k=5)
    ends = []
    for _ in range(2):
        model, latent = topic_model(Allocation(0.2, 0.1), corpus, 5)
        wide, as_wide = topic_model(Allocation(0.2, 0.1), corpus, 8)
        moves, more = Moves(model, latent, corpus), Moves(wide, as_wide, corpus)
        search = TopicSearch(moves, model, more, ALGORITHMS.load("squarem")(), Stopping(), count(), 1)
        run_searches([search.search(EXTENTS["low"])], corpus.source, Serial())
        ends.append([attempt.result.log_likelihood for attempt in search.attempts])
        moved = [a for a in search.attempts if a.start in ("flat shares", "crossing")]
        first = [a for a in search.attempts if a.climbed and a.start in ("merged", "even", "documents")]
        assert moved and max(ends[-1]) >= max(a.result.log_likelihood for a in first)
    assert ends[0] == ends[1]


def test_samples_and_halves_hold_whole_documents():
    corpus = drawn(9)
    some = corpus.some(np.array([3, 5]))
    assert some.lengths.tolist() == corpus.lengths[[3, 5]].tolist() and sampled(corpus, 0) is corpus
    assert len(sampled(corpus, 0, 50).codes) <= 50
    seen, held = halves(corpus, 0)
    assert seen.lengths.tolist() == np.ceil(corpus.lengths / 2).tolist()
    assert held.min() >= 0 and seen.n_tokens + held.sum() == corpus.n_tokens


def test_coherence_and_stability_are_what_they_are_said_to_be():
    table = np.array([[1, 1, 0, 0]] * 3 + [[0, 0, 1, 1]] * 2 + [[1, 0, 0, 0]])
    corpus = corpus_of(table)
    one = coherences(np.array([[6.0, 4.0]]), corpus_of(table[:4, :2]))
    assert one[0].npmi == pytest.approx(1.0) or one[0].u_mass == pytest.approx(np.log(4 / 3))
    every = coherences(np.array([[4.0, 3.0, 2.0, 1.0]]), corpus)[0]
    both = {(1, 0): 3, (2, 0): 0, (2, 1): 0, (3, 0): 0, (3, 1): 0, (3, 2): 2}
    alone = [4, 3, 2, 2]
    assert every.u_mass == pytest.approx(np.mean([np.log((n + 1) / alone[j]) for (_, j), n in both.items()]))
    npmi = [-1 if n == 0 else np.log(n / 6 / (alone[i] * alone[j] / 36)) / -np.log(n / 6) for (i, j), n in both.items()]
    assert every.npmi == pytest.approx(np.mean(npmi))
    of_two = coherences(np.array([[4.0, 3.0, 0.02, 0.01]]), corpus)[0]  # the last two have what a prior gives to all
    assert of_two.u_mass == pytest.approx(np.log(4 / 4)) and borne_terms(
        np.array([0.1, 4.0, 0.4, 3.0]), 10
    ).tolist() == [1, 3]
    topics_of = np.eye(3)
    found = stability(topics_of, [(-1.0, topics_of[[1, 0, 2]]), (-2.0, np.array([[1, 0, 0], [0, 1, 1], [0, 1, 1.0]]))])
    assert found.matching == 3 and found.found_again == (2, 1, 1) and found.others == 2


@pytest.mark.parametrize(
    "case", json.loads((REFERENCE / "topics.json").read_text())["cases"], ids=lambda case: case["id"]
)
def test_the_bound_of_reference_topics_is_the_reference(case):
    file = REFERENCE / "data" / case["file"]
    file = file if file.exists() else REFERENCE.parents[1] / "sample_data" / case["file"]
    rows = [line.split(",")[1:] for line in file.read_text().splitlines()[1:]]
    corpus = corpus_of(np.array(rows, np.float64))
    model, _ = topic_model(Allocation(case["alpha"], case["eta"]), corpus, case["k"])
    alpha = np.full(case["k"], case["alpha"])
    at = Parameters(Shares(alpha, np.array(case["gamma"]).T.copy()), topics(np.array(case["lambda"])))
    (batch,) = one_pass([Stack(model, stack([at]))], corpus.source, Serial())
    assert batch.log_likelihood[0] == pytest.approx(case["elbo"], rel=1e-6)
    law = take(stack([at]), 0).components.expected_log
    _, bound = inferred(law, alpha, corpus.codes, corpus.counts, corpus.bounds)
    assert bound.sum() + np.sum(model.log_prior(stack([at]))) == pytest.approx(case["elbo"], rel=1e-3)
