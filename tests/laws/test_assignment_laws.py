"""What an E-step sums in the place of the responsibilities, and that it tells the log-likelihood all the same."""

import numpy as np
import pytest
from cases import CLIMBING_CASES
from structures import MarkovChain
from support import BY_ROWS, Case, features, responsibilities, start

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.arrays import stack
from em_cli.engine.assignment import HARD, SOFT, Sampled, Tempered, uniform
from em_cli.engine.cache import SUM_ROWS
from em_cli.engine.climb import Candidate
from em_cli.engine.expectation import Batch
from em_cli.engine.fit import fit
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.protocols import Query
from em_cli.engine.rows import Block
from em_cli.engine.scoring import score_rows
from em_cli.engine.stopping import Stopping
from em_cli.errors import UsageError
from em_cli.latents.bayes import bayes
from em_cli.runners.serial import Serial
from em_cli.runners.threads import Threads
from em_cli.sources.in_memory import InMemory

K = 3
EACH = (SOFT, HARD, Sampled(5), Tempered(0.5))
each_case = pytest.mark.parametrize("case", CLIMBING_CASES, ids=lambda case: case.name)
each_latent = pytest.mark.parametrize("latent", BY_ROWS)
each_assignment = pytest.mark.parametrize("assignment", EACH, ids=lambda assignment: type(assignment).__name__)
GAUSSIAN = next(case for case in CLIMBING_CASES if case.name == "gaussian-full")
TIED = next(case for case in CLIMBING_CASES if case.name == "gaussian-tied")


def bits(batch: Batch):
    latent = b"" if batch.statistics.latent is None else batch.statistics.latent.tobytes()
    return batch.log_likelihood.tobytes(), batch.statistics.components.tobytes(), latent


def problem(case: Case, latent: str, n: int, weighted: bool = False):
    x, labels = case.rows(4, n, 2.0)
    weights = np.random.default_rng(1).uniform(0.5, 2, n) if weighted else None
    model = case.model(x, K, weights, latent)
    return model, start(model, x, responsibilities(4, labels, K, 0.4), weights), x, weights


@pytest.mark.parametrize("height", [0.0, -1e18, -1e19, -1e80, -1e290])
def test_outcomes_of_rows_that_are_far_from_all_are_told_apart(height):
    """However unlikely a row, what is likelier by more than doubles tell of a probability has all of it."""
    joint = np.array([[[1.1 * height - 800], [height]]])
    log_likelihood, _ = bayes(joint, None)
    assert log_likelihood[0, 0] == height and joint[0, 1, 0] == 1 and joint[0, 0, 0] < 1e-300


def own_objective(assignment, log_likelihood, r):
    """(n,) what climbs go by, from the soft responsibilities."""
    if isinstance(assignment, Tempered):
        beta = assignment.inverse_temperature
        return log_likelihood + np.log((r**beta).sum(axis=0)) / beta
    kept = 1 if assignment == HARD else len(r)
    return log_likelihood + np.log(np.sort(r, axis=0)[-kept:].sum(axis=0))


def expected(assignment, r):
    """(L, n) from the soft ones."""
    if assignment == HARD:
        return np.eye(len(r))[:, r.argmax(axis=0)]
    if isinstance(assignment, Sampled):
        u = uniform(assignment.seed, 0, r.shape[1])
        return np.eye(len(r))[:, (np.cumsum(r, axis=0) <= u).sum(axis=0)]
    if isinstance(assignment, Tempered):
        r = r**assignment.inverse_temperature
    return r / r.sum(axis=0)


@each_case
@each_latent
@each_assignment
def test_a_pass_sums_what_is_assigned_and_tells_the_soft_log_likelihood(case, latent, assignment):
    model, at, x, weights = problem(case, latent, 500, weighted=True)
    found, soft = (
        one_pass([Stack(model, stack([at]), how)], InMemory(x, weights), Serial())[0] for how in (assignment, SOFT)
    )
    assert found.log_likelihood.tobytes() == soft.log_likelihood.tobytes()
    scores = score_rows(model, at, x)
    total = (weights * own_objective(assignment, scores.log_density, scores.responsibilities)).sum()
    assert found.objective[0] == pytest.approx(total, rel=1e-9)
    assert (found.own_objective is None) == (assignment.objective == SOFT.objective)
    assigned = weights * expected(assignment, scores.responsibilities)
    assert np.allclose(found.statistics.weight[0], assigned[:K].sum(axis=1), rtol=1e-9, atol=1e-9)
    if model.latent.extra:
        assert found.statistics.latent[0] == pytest.approx(assigned[K].sum(), rel=1e-9, abs=1e-9)
    sums = model.family.statistics(features(model.family, x), assigned[None, :K].copy(), stack([at.components]))
    mine = found.statistics.components
    if model.family.coupled and not model.latent.extra:  # second moments need be right in sum only
        mine, sums = mine.sum(axis=1), sums.sum(axis=1)
    if mine.shape == sums.shape:
        assert np.allclose(mine, sums, rtol=1e-8, atol=1e-8 * np.abs(sums).max())


@each_latent
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("case", [GAUSSIAN, TIED], ids=lambda case: case.name)
def test_a_temperature_of_one_is_soft_to_the_bit(case, latent, weighted):
    model, at, x, weights = problem(case, latent, 3_000, weighted)
    soft, same = (
        one_pass([Stack(model, stack([at]), how)], InMemory(x, weights), Serial())[0] for how in (SOFT, Tempered(1.0))
    )
    assert bits(soft) == bits(same)


@each_case
@each_latent
def test_an_infinite_power_is_the_hard_assignment(case, latent):
    model, at, x, weights = problem(case, latent, 200, weighted=True)
    hard, cold = (
        one_pass([Stack(model, stack([at]), how)], InMemory(x, weights), Serial())[0] for how in (HARD, Tempered(1e9))
    )
    assert np.allclose(hard.statistics.weight, cold.statistics.weight, rtol=1e-9)
    assert hard.objective[0] == pytest.approx(cold.objective[0], rel=1e-6)


@each_latent
@each_assignment
def test_assignments_have_the_same_bits_however_the_work_is_cut(latent, assignment):
    model, at, x, _ = problem(GAUSSIAN, latent, 2 * SUM_ROWS + 777)
    seen = set()
    for blocks in (1, 2, 3):
        for runner in (Serial(), Threads(2)):
            source = InMemory(x, block_rows=blocks * SUM_ROWS)
            seen.add(bits(one_pass([Stack(model, stack([at]), assignment)], source, runner)[0]))
    assert len(seen) == 1


@each_latent
def test_draws_are_as_frequent_as_the_responsibilities_say(latent):
    model, at, x, _ = problem(GAUSSIAN, latent, 400)
    source, r = InMemory(x), score_rows(model, at, x).responsibilities
    seeds = 200
    drawn = [one_pass([Stack(model, stack([at]), Sampled(s))], source, Serial())[0] for s in range(seeds)]
    weight = np.mean([batch.statistics.weight[0] for batch in drawn], axis=0)
    sd = np.sqrt((r * (1 - r)).sum(axis=1) / seeds)[:K]
    assert (np.abs(weight - r[:K].sum(axis=1)) < 4 * sd).all()
    assert len({bits(batch) for batch in drawn}) == seeds


@each_case
@pytest.mark.parametrize("assignment", [HARD, Tempered(0.4)], ids=repr)
@pytest.mark.parametrize("separation", [1.0, 2.5])
def test_an_m_step_does_not_lower_the_objective_of_its_assignment(case, assignment, separation):
    x, labels = case.rows(6, 150, separation)
    model = case.model(x, K)
    begin = start(model, x, responsibilities(6, labels, K, 0.5))
    (result,) = fit([Candidate(model, Same(assignment), begin, 0)], InMemory(x), Serial(), Stopping(0.0, 25))
    assert len(result.trace) == len(result.log_likelihoods)
    assert result.stages == ((0, assignment.objective),)
    assert np.diff(result.trace).min(initial=0) >= -1e-11 * abs(result.trace[-1])


def test_uniform_numbers_belong_to_rows():
    whole = uniform(7, 0, 1000)
    for first in (0, 1, 2, 3, 4, 401):
        assert (uniform(7, first, 99) == whole[first : first + 99]).all()
    assert (whole >= 0).all() and (whole < 1).all() and len(np.unique(whole)) == 1000


class Same:
    """EM with one assignment."""

    memoryless = True

    def __init__(self, assignment) -> None:
        self.assignment, self.objective = assignment, assignment.objective

    def iterate(self, model, begin):
        found = yield Query(begin, assignment=self.assignment)
        while True:
            found = yield Query(found, assignment=self.assignment)


class Alternating:
    """Hard, drawn and soft E-steps in turn, each of its own."""

    memoryless, objective = False, SOFT.objective

    def __init__(self, first: int) -> None:
        self.first = first

    def iterate(self, model, begin):
        kinds = [SOFT, HARD, Sampled(self.first)]
        found = yield Query(begin, assignment=SOFT)
        step = self.first
        while True:
            step += 1
            found = yield Query(found, assignment=kinds[step % 3])


def test_candidates_of_different_assignment_climb_side_by_side_as_each_alone():
    model, at, x, _ = problem(GAUSSIAN, "independent", 600)
    source, em = InMemory(x), ALGORITHMS.load("em")()
    candidates = [Candidate(model, Alternating(n) if n % 2 else em, at, n) for n in range(6)]
    together = fit(candidates, source, Serial(), Stopping(0.0, 12))
    for candidate, result in zip(candidates, together, strict=True):
        (alone,) = fit([candidate], source, Serial(), Stopping(0.0, 12))
        assert alone.trace == result.trace
        exact = one_pass([Stack(model, stack([result.parameters]))], source, Serial())[0].log_likelihood[0]
        assert result.log_likelihood == exact
    assert len({result.trace for result in together}) == 4  # the three plain climbs are one


def test_a_structure_that_knows_no_other_assignment_says_so():
    chain = MarkovChain()
    parameters, block = chain.maximize(np.ones((1, K)), None, None), Block(0, np.zeros((1, 40)))
    with pytest.raises(UsageError, match="no responsibilities but its own"):
        chain.posterior(np.zeros((1, K, 40)), parameters, block, None, HARD)
