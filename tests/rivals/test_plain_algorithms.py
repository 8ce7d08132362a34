"""Every algorithm that takes steps of its own, against the formulas of its paper in plain NumPy on few rows."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal
from support import bound_model, climb, responsibilities, start

from em_cli.algorithms import ALGORITHMS
from em_cli.algorithms.drawing import seeds
from em_cli.engine.stopping import Stopping
from em_cli.families.gaussian.options import Gaussian
from em_cli.sources.in_memory import InMemory

N, K, BATCHES = 170, 2, 4  # of as many rows as there must be for two components


@pytest.fixture(scope="module")
def problem():
    """Rows (n, 2), the model, where climbs begin, and the same as weights, means and covariances."""
    rng = np.random.default_rng(5)
    labels = rng.integers(K, size=N)
    x = rng.normal(size=(N, 2)) + 2.0 * labels[:, None]
    model = bound_model(Gaussian("full"), InMemory(np.ascontiguousarray(x.T)), K)
    begin = start(model, np.ascontiguousarray(x.T), responsibilities(5, labels, K, 0.4))
    told = model.to_document(begin)
    return x, model, begin, tuple(np.array(told[name]) for name in ("weights", "means", "covariances"))


def joint(x, at):
    return np.stack([w * multivariate_normal(m, c).pdf(x) for w, m, c in zip(*at, strict=True)])


def height(x, at):
    return float(np.log(joint(x, at).sum(0)).sum())


def shares(x, at, power=1.0):
    found = joint(x, at) ** power
    return found / found.sum(0)


def sums(x, r):
    return np.array([np.concatenate([[own.sum()], own @ x, ((own * x.T) @ x).ravel()]) for own in r])


def maximum(s):
    weight, means = s[:, 0], s[:, 1:3] / s[:, :1]
    second = (s[:, 3:] / s[:, :1]).reshape(-1, 2, 2)
    return weight / weight.sum(), means, second - means[:, :, None] * means[:, None, :]


def uniform(seed, n):
    """(n,) of the generator of Salmon et al., counted from the first row."""
    return (np.random.Philox(key=seed).random_raw(n) >> np.uint64(11)) * 2.0**-53


def drawn(x, at, seed):
    r = shares(x, at)
    chosen = (np.cumsum(r, axis=0) <= uniform(seed, len(x))).sum(0)
    return np.eye(len(r))[:, chosen]


def em(x, at, own):
    for _ in range(9):
        yield height(x, at)
        at = maximum(sums(x, shares(x, at)))


def cem(x, at, own):
    for _ in range(3):
        found = joint(x, at)
        yield float(np.log(found.max(0)).sum())
        at = maximum(sums(x, np.eye(K)[:, found.argmax(0)]))


def sem(x, at, own):
    total = 0.0
    for step in range(1 + 3 + 5):  # the last M-step is that of the mean
        yield height(x, at)
        s = sums(x, drawn(x, at, next(own)))
        total = total + s if step > 3 else total
        at = maximum(s)
    yield height(x, maximum(total / 5))


def saem(x, at, own):
    mean = None
    for step in range(3 + 5):
        yield height(x, at)
        s = sums(x, drawn(x, at, next(own)))
        mean = s if mean is None else mean + max(1, step - 3 + 1) ** -0.8 * (s - mean)
        at = maximum(mean)
    yield height(x, at)


def annealed(x, at, own):
    """The objective at each power, the likelihood where labels are drawn, and EM from there."""
    power = 0.6
    while power < 1.0:
        for _ in range(3):
            yield float(np.log((joint(x, at) ** power).sum(0)).sum() / power)
            at = maximum(sums(x, shares(x, at, power)))
        yield height(x, at)
        at, power = maximum(sums(x, drawn(x, at, next(own)))), power * 1.3
    for _ in range(4):
        yield height(x, at)
        at = maximum(sums(x, shares(x, at)))


def incremental(x, at, own):
    yield height(x, at)
    block = (uniform(0, len(x)) * 3).astype(int)
    blocks = [sums(x[block == b], shares(x[block == b], at)) for b in range(3)]
    for sweep in range(2):
        for b in np.random.default_rng((0, sweep)).permutation(3):
            blocks[b] = sums(x[block == b], shares(x[block == b], maximum(sum(blocks))))
    yield height(x, maximum(sum(blocks)))


def by_batches(x, at, batches):
    """Of Nguyen, Forbes & McLachlan, and of Cappé & Moulines: the mean of the last half of the statistics."""
    yield height(x, at)
    s = sums(x, shares(x, at))
    way = []
    for turn, rows in enumerate(batches):
        s = s + (turn + 2) ** -0.6 * (BATCHES * sums(x[rows], shares(x[rows], maximum(s))) - s)
        way.append(s)
    yield height(x, maximum(np.mean(way[len(way) // 2 :], axis=0)))


def minibatch(x, at, own):
    lots = [(uniform(turn, len(x)) * BATCHES).astype(int) for turn in range(2)]
    yield from by_batches(x, at, [lot == b for lot in lots for b in range(BATCHES)])


def online(x, at, own):
    yield from by_batches(x, at, [np.arange(len(x)) * BATCHES // len(x) == b for b in range(BATCHES)])


CASES = {
    "em": (em, {}),
    "cem": (cem, {}),
    "sem": (sem, {"burn_in": 3, "steps": 5, "finish": "none"}),
    "saem": (saem, {"burn_in": 3, "steps": 5, "finish": "none"}),
    "annealed": (annealed, {"first": 0.6, "steps": 3, "enough": 0.0, "finish": "em"}),
    "minibatch": (minibatch, {"finish": "none"}),
    "online": (online, {"finish": "none"}),
    "incremental": (incremental, {"blocks": 3, "sweeps": 2, "finish": "none"}),
}


@pytest.mark.parametrize("name", CASES)
def test_its_steps_are_those_of_the_paper(problem, name):
    x, model, begin, at = problem
    plain, options = CASES[name]
    known = list(plain(x, at, seeds(begin, 0)))
    found = climb(
        model, InMemory(np.ascontiguousarray(x.T)), begin, Stopping(0.0, 500), ALGORITHMS.load(name)(**options)
    )
    np.testing.assert_allclose(found.trace[: len(known)], known, rtol=1e-10)
