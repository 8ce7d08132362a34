"""Rows that belong together are never cut apart, and each structure of labels weighs them as it must."""

from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from cases import CLIMBING_CASES
from structures import ChainParameters, MarkovChain, MixedMembership, plain_forward_backward
from support import BY_ROWS, OF_SEARCHES, Case, climb, responsibilities, start

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.arrays import stack, take
from em_cli.engine.cache import SUM_ROWS
from em_cli.engine.climb import Candidate
from em_cli.engine.column_summary import summarize
from em_cli.engine.expectation import Batch, Parameters
from em_cli.engine.fit import fit
from em_cli.engine.model import Model
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack, tile_rows
from em_cli.engine.rows import Block, bounds_of_pieces
from em_cli.engine.scoring import component_log_density, decode, score_block, score_source
from em_cli.engine.stopping import Stopping
from em_cli.errors import DataError
from em_cli.families.distributions.categorical import Categorical
from em_cli.families.gaussian.options import Gaussian
from em_cli.latents import LATENTS
from em_cli.latents.grouped import Grouped
from em_cli.runners.serial import Serial
from em_cli.runners.threads import Threads
from em_cli.search.survey import SAMPLE_ROWS, survey
from em_cli.sources.in_memory import InMemory

N, K = 40_000, 3
each_chain = pytest.mark.parametrize(
    ("n_groups", "covariance"), [(1, "full"), (1, "tied"), (400, "full"), (N, "full"), (N, "tied")]
)


@pytest.mark.parametrize("case", CLIMBING_CASES, ids=lambda case: case.name)
def test_groups_of_one_row_are_no_groups(case: Case):
    x, labels = case.rows(7, 90, 3.0)
    alone = case.model(x, 3)
    grouped = replace(alone, latent=Grouped())
    r, ones = responsibilities(7, labels, 3, 0.4), np.arange(91)
    one = climb(alone, InMemory(x), alone.start(Block(0, x), r), Stopping(0, 12))
    begin = grouped.start(Block(0, x, groups=ones), r)
    other = climb(grouped, InMemory(x, groups=ones), begin, Stopping(0, 12))
    assert np.allclose(other.trace, one.trace, rtol=1e-9)
    scored, of_groups = (
        score_block(model, result.parameters, block)
        for model, result, block in ((alone, one, Block(0, x)), (grouped, other, Block(0, x, groups=ones)))
    )
    assert np.allclose(of_groups.responsibilities, scored.responsibilities, atol=1e-7)


def test_rows_of_a_group_are_as_likely_as_their_product():
    case = next(case for case in CLIMBING_CASES if case.name == "regression")
    x, labels = case.rows(7, 60, 2.0)
    model = replace(case.model(x, 2), latent=Grouped())
    block = Block(0, x, groups=np.array([0, 1, 4, 30, 60]))
    at = model.start(block, responsibilities(7, labels % 2, 2, 0.4))
    own = component_log_density(model, at, x)
    joint = np.add.reduceat(own, block.groups[:-1], axis=1) + np.log(at.latent.weights)[:, None]
    together = np.logaddexp.reduce(joint, axis=0)
    found = decode(model, at, block)
    assert np.allclose(score_block(model, at, block).log_density, together, rtol=1e-12)
    assert np.allclose(np.add.reduceat(found.log_density, block.groups[:-1]), together, rtol=1e-12)
    assert np.allclose(found.responsibilities, np.repeat(np.exp(joint - together), np.diff(block.groups), axis=1))
    assert np.allclose(found.filtered[:, block.groups[1:] - 1], np.exp(joint - together))


def model_of(family, latent, source, k):
    columns = summarize(source)
    bound = family.bind(columns)
    return Model(bound, latent.bind(bound, columns), k)


def bounds_of(n_groups, n=N, seed=0):
    """Groups of unequal lengths, unless all have one row."""
    inner = np.random.default_rng(seed).choice(np.arange(1, n), n_groups - 1, replace=False)
    return np.concatenate([[0], np.sort(inner), [n]])


@cache
def chain(n_groups, covariance, n=N):
    """A chain of three states over groups of rows, at two points; what a plain pass finds at each."""
    rng = np.random.default_rng(1)
    labels = np.cumsum(rng.random(n) < 0.1) % K
    x = rng.standard_normal((3, n)) + 1.5 * np.array([[0, 1, 2], [0, 2, 1], [2, 0, 1]])[:, labels]
    groups = bounds_of(n_groups, n)
    model = model_of(Gaussian(covariance), MarkovChain(), InMemory(x), K)
    points, plain = [], []
    for seed in range(2):
        at = start(model, x, responsibilities(seed, labels, K, 0.5))
        at = Parameters(ChainParameters(rng.dirichlet(np.ones(K)), rng.dirichlet(np.ones(K), K)), at.components)
        points.append(at)
        by_component = component_log_density(model, at, x)
        plain.append(plain_forward_backward(by_component, at.latent.initial, at.latent.transitions, groups))
    return model, x, groups, points, plain


def bits(batch: Batch):
    statistics = batch.statistics
    arrays = (batch.log_likelihood, np.ascontiguousarray(statistics.components), *(statistics.latent or ()))
    return tuple(array.tobytes() for array in arrays)


@each_chain
def test_a_chain_is_that_of_a_plain_pass_however_the_work_is_cut(n_groups, covariance):
    model, x, groups, points, plain = chain(n_groups, covariance)
    seen = set()
    cuts = [(SUM_ROWS, Serial()), (1_000, Threads(2)), (SUM_ROWS, Threads(2)), (3 * SUM_ROWS, Threads(2))]
    for block_rows, runner in cuts[:2] if n_groups == 1 else cuts:
        source = InMemory(x, block_rows=block_rows, groups=groups)
        batch = one_pass([Stack(model, stack(points))], source, runner)[0]
        if block_rows % SUM_ROWS == 0:
            seen.add(bits(batch))
        for r, (log_likelihood, by_row) in enumerate(plain):
            assert batch.log_likelihood[r] == pytest.approx(log_likelihood, rel=1e-12, abs=1e-9)
            assert np.allclose(batch.statistics.weight[r], by_row.sum(axis=1), rtol=1e-9)
            first, steps = take(batch.statistics.latent, r)
            assert np.allclose(first, by_row[:, groups[:-1]].sum(axis=1), rtol=1e-9)
            assert steps.sum() == pytest.approx(N - n_groups, rel=1e-9)
    assert len(seen) == 1


@each_chain
def test_scores_of_a_chain_are_those_of_a_plain_pass(n_groups, covariance):
    model, x, groups, points, plain = chain(n_groups, covariance)
    for at, (log_likelihood, by_row) in list(zip(points, plain, strict=True))[: 1 if n_groups == 1 else 2]:
        scores = score_block(model, at, Block(0, x, groups=groups))
        assert scores.log_density.shape == (n_groups,)
        assert scores.log_density.sum() == pytest.approx(log_likelihood, rel=1e-12)
        assert np.abs(scores.responsibilities - by_row).max() < 1e-9
    seen = set()
    for block_rows in (SUM_ROWS, 3 * SUM_ROWS)[: 1 if n_groups == 1 else 2]:
        totals = score_source(model, points[0], InMemory(x, block_rows=block_rows, groups=groups), Threads(2))
        assert totals.log_likelihood == pytest.approx(plain[0][0], rel=1e-12)
        assert np.allclose(totals.n_effective, plain[0][1].sum(axis=1), rtol=1e-9)
        seen.add(repr(totals))
    assert len(seen) == 1


def test_the_weight_of_a_group_is_as_many_groups():
    model, x, groups, points, _ = chain(30, "full", 2_000)
    times = np.random.default_rng(2).integers(1, 4, 30)
    repeated = Block(0, x, groups=groups).take_groups(np.repeat(np.arange(30), times))
    weighted = InMemory(x, np.repeat(times, np.diff(groups)).astype(float), groups=groups)
    sources = [weighted, InMemory(repeated.x, groups=repeated.groups)]
    one, other = (one_pass([Stack(model, stack(points))], source, Serial())[0] for source in sources)
    assert np.allclose(one.log_likelihood, other.log_likelihood, rtol=1e-12)
    for mine, its in zip(one.statistics.latent, other.statistics.latent, strict=True):
        assert np.allclose(mine, its, rtol=1e-10)
    for source in sources:
        totals = score_source(model, points[0], source, Serial())
        assert totals.log_likelihood == pytest.approx(one.log_likelihood[0], rel=1e-12)


@pytest.mark.parametrize("latent", BY_ROWS)
def test_where_groups_are_not_needed_they_change_no_sum(latent):
    """Only the places where the rows are cut are others."""
    x, groups = np.tile(chain(30, "full", 2_000)[1], 20), bounds_of(50)
    plain, grouped = InMemory(x), InMemory(x, groups=groups)
    model = model_of(Gaussian("full"), LATENTS.load(latent)(), plain, K)
    at = start(model, x, responsibilities(1, np.arange(N) % K, K, 0.5))
    one, other = (one_pass([Stack(model, stack([at]))], source, Serial())[0] for source in (plain, grouped))
    assert one.log_likelihood[0] == pytest.approx(other.log_likelihood[0], rel=1e-12)
    assert np.allclose(one.statistics.components, other.statistics.components, rtol=1e-9, atol=1e-6)


def test_a_structure_that_needs_groups_says_so_where_there_are_none():
    model, x, _, points, _ = chain(30, "full", 2_000)
    with pytest.raises(DataError, match="which rows belong together"):
        one_pass([Stack(model, stack(points))], InMemory(x), Serial())
    with pytest.raises(DataError, match="which rows belong together"):
        score_block(model, points[0], Block(0, x))


@pytest.mark.parametrize("algorithm", OF_SEARCHES)
def test_a_chain_climbs(algorithm):
    model, x, groups, points, _ = chain(30, "full", 2_000)
    candidates = [Candidate(model, ALGORITHMS.load(algorithm)(), at, n) for n, at in enumerate(points)]
    for result in fit(candidates, InMemory(x, groups=groups), Serial(), Stopping(1e-3, 30)):
        assert len(result.trace) > 5
        assert (np.diff(result.trace) > -1e-8).all()


def documents(seed=0):
    """Terms with their counts, in documents of two topics; equal terms of a document are counted together."""
    rng = np.random.default_rng(seed)
    topics = rng.dirichlet(np.full(12, 0.3), 2)
    terms, counts, lengths = [], [], []
    for _ in range(60):
        drawn = rng.multinomial(40, rng.dirichlet([0.5, 0.5]) @ topics)
        seen = np.flatnonzero(drawn)
        terms, counts, lengths = [*terms, *seen], [*counts, *drawn[seen]], [*lengths, len(seen)]
    return np.array([terms], float), np.array(counts), np.cumsum([0, *lengths])


def topic_model(source, k=2):
    return model_of(Categorical((12,)), MixedMembership(), source, k)


def test_the_bound_of_a_document_counts_its_terms_and_is_not_weighted_again():
    x, counts, groups = documents()
    counted = InMemory(x, counts.astype(float), groups=groups)
    lengths = np.add.reduceat(counts, groups[:-1])
    written_out = InMemory(np.repeat(x, counts, axis=1), groups=np.cumsum([0, *lengths]))
    model = topic_model(written_out)
    at = start(model, x, responsibilities(3, x[0].astype(int) % 2, 2, 0.5))
    (one,), (other,) = (one_pass([Stack(model, stack([at]))], source, Serial()) for source in (counted, written_out))
    assert one.log_likelihood[0] == pytest.approx(other.log_likelihood[0], rel=1e-12)
    assert np.allclose(one.statistics.components, other.statistics.components, rtol=1e-7)
    totals = [score_source(model, at, source, Serial()) for source in (counted, written_out)]
    for sums in totals:
        assert sums.log_likelihood == pytest.approx(one.log_likelihood[0], rel=1e-12)
        assert sums.n_effective.sum() == pytest.approx(counts.sum())
    scores = score_block(model, at, counted[0])
    assert np.allclose(scores.responsibilities.sum(axis=0), 1)
    assert scores.log_density.sum() == pytest.approx(one.log_likelihood[0], rel=1e-12)


def test_one_topic_is_a_multinomial():
    x, counts, groups = documents()
    model = topic_model(InMemory(x, counts.astype(float), groups=groups), 1)
    at = start(model, x, np.ones((1, x.shape[1])), counts)
    shares = np.bincount(x[0].astype(int), counts) / counts.sum()
    (found,) = one_pass([Stack(model, stack([at]))], InMemory(x, counts * 1.0, groups=groups), Serial())
    assert found.log_likelihood[0] == pytest.approx((counts * np.log(shares[x[0].astype(int)])).sum(), rel=1e-10)


def test_topics_climb_their_bound_at_any_block_size():
    x, counts, groups = documents()
    x, counts, groups = (
        np.tile(x, 90),
        np.tile(counts, 90),
        np.concatenate([groups, *(groups[1:] + groups[-1] * n for n in range(1, 90))]),
    )
    ends = set()
    for block_rows, runner in ((SUM_ROWS, Serial()), (2 * SUM_ROWS, Threads(2))):
        source = InMemory(x, counts * 1.0, block_rows=block_rows, groups=groups)
        model = topic_model(source)
        at = start(model, x, responsibilities(3, x[0].astype(int) % 2, 2, 0.5))
        (result,) = fit([Candidate(model, ALGORITHMS.load("em")(), at, 0)], source, runner, Stopping(1e-3, 4))
        assert (np.diff(result.trace) > 0).all()
        ends.add(result.trace)
    assert len(ends) == 1


@pytest.mark.parametrize("n_groups", [1, 7, 400, N])
def test_no_cut_goes_through_a_group(n_groups):
    groups = bounds_of(n_groups)
    whole = InMemory(np.arange(N, dtype=float)[None], np.ones(N), np.zeros(N, int), groups=groups)
    assert bounds_of_pieces(groups, SUM_ROWS)[-1] == N
    for block_rows in (SUM_ROWS, 2 * SUM_ROWS, 999):
        source = replace(whole, block_rows=block_rows)
        blocks = [source[index] for index in range(len(source))]
        assert np.array_equal(np.concatenate([block.x[0] for block in blocks]), np.arange(N))
        assert np.array_equal(np.concatenate([block.groups[:-1] + block.first_row for block in blocks]), groups[:-1])
        for block in blocks:
            for rows in block.pieces(tile_rows(10)):
                assert block.first_row + rows.start in groups and block.first_row + rows.stop in groups
                assert rows.stop - rows.start <= tile_rows(10) or len(block.cut(rows).groups) == 2
    assert InMemory(np.where(whole.x % 3, whole.x, np.nan), groups=groups).in_pattern_order()[0].x[0, 1] == 1


def test_a_cut_through_a_group_is_none():
    block = Block(0, np.zeros((1, 10)), groups=np.array([0, 4, 10]))
    assert block.cut(slice(4, 10)).groups.tolist() == [0, 6]
    for rows in (slice(0, 5), slice(3, 10), np.array([1, 2])):
        with pytest.raises(AssertionError):
            block.cut(rows)


@pytest.mark.parametrize("n_groups", [1, 9, 4_000])
def test_a_sample_is_of_whole_groups(n_groups):
    groups = bounds_of(n_groups)
    sample = survey(InMemory(np.arange(N, dtype=float)[None], groups=groups, block_rows=5_000), 1).block
    rows, bounds = sample.x[0].astype(int), sample.groups
    assert sample.n_rows <= SAMPLE_ROWS or len(bounds) == 2
    assert n_groups < 1_000 or sample.n_rows > 0.99 * SAMPLE_ROWS
    assert (np.diff(rows) > 0).all()
    starts = dict(zip(groups[:-1].tolist(), groups[1:].tolist(), strict=True))
    for first, stop in pairwise(bounds.tolist()):
        assert starts[rows[first]] == rows[stop - 1] + 1 == rows[first] + stop - first
