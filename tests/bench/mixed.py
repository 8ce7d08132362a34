"""One pass of a mixture of several families: beside a diagonal Gaussian with as many features, and beside StepMix.

The costs are CPU times on one thread, medians of turns. StepMix's iteration is timed by the difference of a long and
a short fit from one start; it has no counts, so that it is measured on the numbers and the categories.
"""

from __future__ import annotations

import statistics
from functools import partial
from itertools import pairwise

import numpy as np
from bench import Table, afresh, timed
from support import bound_model

from em_cli.engine.arrays import Array, stack
from em_cli.engine.family import Family
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.rows import joined
from em_cli.families.distributions.categorical import Categorical
from em_cli.families.distributions.poisson import Poisson
from em_cli.families.gaussian.options import Gaussian
from em_cli.families.product import Product
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory

N, K = 100_000, 5
NUMBERS, COUNTS, CATEGORIES, LEVELS = 10, 5, 5, 4
TURNS, STEPS, LONG, SHORT = 9, 3, 25, 5


def rows(seed: int) -> tuple[Array, Array]:
    """(D, n), numbers before counts before codes, and responsibilities (K, n) to start from."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(K, size=N)
    numbers = rng.standard_normal((K, NUMBERS))[labels].T * 2 + rng.standard_normal((NUMBERS, N))
    counts = rng.poisson(rng.uniform(1, 8, (K, COUNTS))[labels].T)
    chances = np.cumsum(rng.dirichlet(np.ones(LEVELS), (K, CATEGORIES)), axis=-1)[labels]
    codes = (rng.random((N, CATEGORIES, 1)) > chances[..., :-1]).sum(axis=-1).T
    r = 0.5 * np.eye(K)[:, labels] + 0.5 / K
    return np.concatenate([numbers, counts, codes]).astype(np.float64), r


def mixed(counts: bool) -> Product:
    bounds = np.cumsum([0, NUMBERS, COUNTS, CATEGORIES])
    places = [np.arange(a, b) for a, b in pairwise(bounds)]
    families: list[Family] = [Gaussian("diag"), Poisson(), Categorical((LEVELS,) * CATEGORIES)]
    if not counts:
        del families[1], places[1]
        places[1] = places[1] - COUNTS
    return Product(tuple(families), tuple(places))


def our_pass(family: Family, x: Array, r: Array) -> float:
    source = InMemory(np.ascontiguousarray(x))
    model = bound_model(family, source, K)
    at = stack([model.start(joined([source[index] for index in range(len(source))]), r)])

    def steps() -> None:
        for _ in range(STEPS):
            one_pass([Stack(model, at)], source, Serial())

    steps()
    return statistics.median(timed(steps)[0] / STEPS for _ in range(TURNS))


def their_iteration(x: Array) -> float:
    import warnings

    from stepmix.stepmix import StepMix

    warnings.simplefilter("ignore")
    measurement = {
        "numbers": {"model": "gaussian_diag", "n_columns": NUMBERS},
        "codes": {"model": "categorical", "n_columns": CATEGORIES},
    }

    def fit(iterations: int) -> None:
        model = StepMix(
            K, measurement=measurement, max_iter=iterations, abs_tol=0, rel_tol=0, random_state=0, progress_bar=0
        )
        model.fit(x.T)

    costs = []
    for _ in range(3):
        long, short = (timed(partial(fit, iterations))[0] for iterations in (LONG, SHORT))
        costs.append((long - short) / (LONG - SHORT))
    return statistics.median(costs)


def measured(seed: int) -> tuple[float, float, float, float]:
    """Seconds of a pass: mixed, diagonal with as many features, without the counts, and StepMix's of the latter."""
    x, r = rows(seed)
    family = mixed(counts=True)
    n_features = bound_model(family, InMemory(x), K).family.n_features()
    rng = np.random.default_rng(seed)
    alike = rng.standard_normal(((n_features - 1) // 2, N))
    some = np.delete(x, np.arange(NUMBERS, NUMBERS + COUNTS), axis=0)
    ours = our_pass(family, x, r), our_pass(Gaussian("diag"), alike, r), our_pass(mixed(counts=False), some, r)
    return *ours, their_iteration(some)


def main() -> None:
    table = Table(
        f"{NUMBERS} numbers, {COUNTS} counts, {CATEGORIES} categories of {LEVELS} levels; {N:,} rows, K = {K}",
        ("pass", "ms", "beside", "ms", "ratio", "wanted"),
    )
    both, alike, some, theirs = afresh(measured, 7)
    ratio = both / alike
    table.row("all columns", 1e3 * both, "diagonal Gaussian", 1e3 * alike, ratio, table.at_most(ratio, 3))
    ratio = theirs / some
    table.row("numbers and categories", 1e3 * some, "StepMix", 1e3 * theirs, ratio, table.at_least(ratio, 5))
    table.close()


if __name__ == "__main__":
    main()
