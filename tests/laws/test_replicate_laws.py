"""Candidates that weigh the data by weights of their own: each climbs as a fit of its own would."""

from dataclasses import replace

import numpy as np
import pytest
from cases import CLIMBING_CASES
from structures import MarkovChain
from support import BY_ROWS, OF_SEARCHES, Case, bound_model, responsibilities, start

from em_cli.algorithms import ALGORITHMS
from em_cli.algorithms.em import EM
from em_cli.algorithms.lbfgs import LBFGS
from em_cli.engine import fit as loop
from em_cli.engine.arrays import stack, take
from em_cli.engine.base_measure import base_measures
from em_cli.engine.cache import SUM_ROWS
from em_cli.engine.checkpoint import Packed
from em_cli.engine.climb import Candidate, FitResult
from em_cli.engine.fit import fit
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.stopping import Stopping
from em_cli.families.gaussian.options import Gaussian
from em_cli.inference.quasi_newton import climb_together, metric_at
from em_cli.runners.serial import Serial
from em_cli.runners.threads import Threads
from em_cli.sources.in_memory import InMemory
from em_cli.sources.views import reweighted

K = 3
each_case = pytest.mark.parametrize("case", CLIMBING_CASES, ids=lambda case: case.name)
NAMED = {case.name: case for case in CLIMBING_CASES}


def bits(result: FitResult):
    packed = Packed()
    packed.put(result.parameters)
    arrays = [np.asarray(array).tobytes() for array in packed.arrays]
    return result.trace, result.log_likelihood, result.status, result.weight.tobytes(), arrays


def drawn(n: int, many: int, seed: int = 0):
    """How often each row is drawn in some bootstrap samples."""
    rng = np.random.default_rng(seed)
    return [rng.multinomial(n, np.full(n, 1 / n)).astype(np.uint8) for _ in range(many)]


def problem(case: Case, n: int, latent: str = "independent", weighted: bool = False):
    x, labels = case.rows(6, n, 2.0)
    weights = np.random.default_rng(1).uniform(0.5, 2, n) if weighted else None
    model = case.model(x, K, weights, latent)
    return model, [start(model, x, responsibilities(seed, labels, K, 0.4)) for seed in range(3)], x, weights


def of_its_own(candidate: Candidate, source: InMemory, stopping: Stopping) -> FitResult:
    """The fit to the data under the weights of a replicate."""
    weights = candidate.weights * (1.0 if source.weights is None else source.weights)
    under = InMemory(source.x, weights, groups=source.groups)
    return fit([replace(candidate, weights=None)], under, Serial(), stopping)[0]


@each_case
@pytest.mark.parametrize("weighted", [False, True])
def test_a_replicate_has_the_bits_of_a_fit_of_its_own_in_any_company(case, weighted):
    model, begun, x, weights = problem(case, 300, weighted=weighted)
    source, stopping, em = InMemory(x, weights), Stopping(1e-2, 6), ALGORITHMS.load("em")()
    candidates = [Candidate(model, em, begun[n % 3], n, weights=w) for n, w in enumerate(drawn(300, 5))]
    plain = [Candidate(model, em, begun[0], 9)]
    together = fit([*candidates[:2], *plain, *candidates[2:]], source, Serial(), stopping)
    for result in together:
        if result.candidate.weights is None:
            (alone,) = fit(plain, source, Serial(), stopping)
        else:
            alone = of_its_own(result.candidate, source, stopping)
        assert bits(result) == bits(alone)


@each_case
def test_climbs_together_come_to_rest(case):
    """By quasi-Newton steps from the fit: where EM finds no more to gain, with the same bits in any company."""
    model, begun, x, _ = problem(case, 200)
    source, to_the_end = InMemory(x), Stopping(1e-7, 300)
    at = fit([Candidate(model, LBFGS(), begun[0], 0)], source, Serial(), to_the_end)[0]
    metric = metric_at(model, at.parameters, at.weight, source, Serial())
    if metric is None:
        pytest.skip("no coordinates, or no smooth maximum")
    weights = [np.ones(200), *drawn(200, 4, seed=2)]
    constants = base_measures(model.family, source, weights)
    together = climb_together(model, metric, weights, constants, source, Serial())
    assert together.rested[0] and abs(together.log_likelihood[0] - at.log_likelihood) < 1e-5, "the fit itself"
    alone = climb_together(model, metric, weights[2:3], constants[2:3], source, Serial())
    assert alone.log_likelihood[0] == together.log_likelihood[2] and alone.traces[0] == together.traces[2]
    ended = [Candidate(model, EM(), take(together.parameters, r), r, weights=weights[r]) for r in range(5)]
    ended = [candidate for candidate, rested in zip(ended, together.rested, strict=True) if rested]
    for result in fit(ended, source, Serial(), Stopping(1e-7, 4)):
        assert 0 <= result.log_likelihood - together.log_likelihood[result.candidate.number] + 1e-7 < 1e-3, "at rest"


@pytest.mark.parametrize("latent", BY_ROWS)
@pytest.mark.parametrize("algorithm", OF_SEARCHES)
def test_so_has_one_of_any_algorithm_and_structure(latent, algorithm):
    model, begun, x, _ = problem(NAMED["gaussian-full"], 300, latent)
    source, stopping = InMemory(x), Stopping(1e-2, 20)
    candidates = [
        Candidate(model, ALGORITHMS.load(algorithm)(), begun[n % 3], n, weights=w) for n, w in enumerate(drawn(300, 4))
    ]
    for result in fit(candidates, source, Serial(), stopping):
        assert bits(result) == bits(of_its_own(result.candidate, source, stopping))


@pytest.mark.parametrize("name", ["gaussian-full", "gaussian-tied", "gaussian-spherical"])
def test_replicates_have_the_same_bits_at_any_block_size(name):
    n = 2 * SUM_ROWS + 777
    model, begun, x, weights = problem(NAMED[name], n, weighted=True)
    own = drawn(n, 3)
    seen = set()
    for blocks, runner in ((1, Serial()), (1, Threads(2)), (3, Threads(2))):
        source = InMemory(x, weights, block_rows=blocks * SUM_ROWS)
        asked = Stack(model, stack(begun), weights=own, constants=base_measures(model.family, source, own))
        found = one_pass([asked], source, runner)[0]
        seen.add((found.log_likelihood.tobytes(), found.statistics.components.tobytes()))
    assert len(seen) == 1
    for r, w in enumerate(own):
        alone = one_pass([Stack(model, stack(begun[r : r + 1]))], InMemory(x, w * weights), Serial())[0]
        assert alone.log_likelihood[0] == found.log_likelihood[r]
        assert (alone.statistics.components[0] == found.statistics.components[r]).all()


def test_replicates_of_sequences():
    model, begun, x, _ = problem(NAMED["gaussian-full"], 300)
    model, groups = replace(model, latent=MarkovChain()), np.arange(0, 301, 10)
    chain = MarkovChain().maximize(np.ones((1, K)), None, None)
    begun = [replace(at, latent=take(chain, 0)) for at in begun]
    source, stopping = InMemory(x, groups=groups), Stopping(1e-2, 6)
    candidates = [
        Candidate(model, ALGORITHMS.load("em")(), begun[n % 3], n, weights=np.repeat(w, 10))
        for n, w in enumerate(drawn(30, 4))
    ]
    for result in fit(candidates, source, Serial(), stopping):
        assert bits(result) == bits(of_its_own(result.candidate, source, stopping))


def test_many_replicates_take_their_steps_in_one_stack(monkeypatch):
    """999 of 272 × 2: a pass is asked for one stack."""
    asked = []
    monkeypatch.setattr(loop, "one_pass", lambda stacks, *rest: asked.append(len(stacks)) or one_pass(stacks, *rest))
    rng = np.random.default_rng(1)
    x = rng.standard_normal((2, 272)) + 4 * rng.integers(2, size=272)
    model = bound_model(Gaussian("full"), InMemory(x), 2)
    at = start(model, x, responsibilities(0, (x[0] > 2).astype(int), 2, 0.2))
    candidates = [Candidate(model, ALGORITHMS.load("em")(), at, n, weights=w) for n, w in enumerate(drawn(272, 999))]
    results = fit(candidates, InMemory(x), Serial(), Stopping(0.01, 5))
    assert set(asked) == {1} and len(results) == 999


def test_a_source_under_other_weights_reads_each_block_once():
    reads = []

    class Counting(InMemory):
        def __getitem__(self, index):
            reads.append(index)
            return super().__getitem__(index)

    source = reweighted(Counting(np.arange(10.0)[None], block_rows=3), np.arange(10.0))
    assert np.concatenate([source[b].weights for b in range(len(source))]).tolist() == list(range(10))
    assert reads == [0, 1, 2, 3]
