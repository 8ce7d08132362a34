"""Whether intervals of the bootstrap cover the truth, how often a test of 5 % rejects what is true, and how often rows
that are left out choose the true number of components; seeded.

`coverage.py A`, `coverage.py size` or `coverage.py choice` does some of it. The fits of the first two start from the
true labels, so they are in the right basin.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
from bench import Table, chosen, load
from support import bound_model, find

from em_cli.algorithms.lbfgs import LBFGS
from em_cli.engine.climb import Candidate, FitResult
from em_cli.engine.expectation import Parameters
from em_cli.engine.fit import fit, run_searches
from em_cli.engine.rows import Block
from em_cli.engine.stopping import Stopping
from em_cli.families.gaussian.options import Gaussian
from em_cli.inference.cross_validation import cross_validated, simplest
from em_cli.inference.intervals import interval, scale_of
from em_cli.inference.likelihood_ratio import EFFORT, LEVEL, Gain, gains, in_turns, more_components
from em_cli.inference.replicates import Verdict, replicates
from em_cli.inference.standard_errors import described, leaves
from em_cli.runners.serial import Serial
from em_cli.search.operators import parted
from em_cli.search.search_data import SearchData
from em_cli.search.short_runs import ShortRuns
from em_cli.search.survey import survey
from em_cli.sources.in_memory import InMemory

TO_THE_END = Stopping(1e-4, 1000)
COVERED, REJECTED, RIGHT = (0.91, 0.98), (0.02, 0.08), 0.92
SETS, REPLICATES = 150, 199  # of data, and of each
TESTED, DRAWN = {1: 200, 2: 80}, 99  # data sets by the number of components, and replicates of each
CHOSEN, MOST, FOLDS = 25, 5, 10  # data sets, components, folds


@dataclass(frozen=True)
class Recipe:
    """Normal components of standard deviation one."""

    weights: Sequence[float]
    means: Sequence[Sequence[float]]  # (K, D)
    n: int
    covariance: str = "full"

    def drawn(self, seed: int) -> tuple[InMemory, np.ndarray]:
        rng = np.random.default_rng((7, seed))
        labels = rng.choice(len(self.weights), self.n, p=self.weights)
        x = np.array(self.means)[labels].T + rng.standard_normal((len(self.means[0]), self.n))
        return InMemory(x), labels

    def fitted(self, source: InMemory, labels: np.ndarray) -> FitResult:
        k = len(self.weights)
        model = bound_model(Gaussian(self.covariance), source, k)
        start = model.start(Block(0, source.x), np.eye(k)[:, labels])
        return fit([Candidate(model, LBFGS(), start, 0)], source, Serial(), TO_THE_END)[0]


INTERVALS = {
    "A 200": Recipe([0.3, 0.7], [[0.0], [3.0]], 200),
    "D 200": Recipe([0.3, 0.3, 0.4], [[0.0], [3.5], [7.0]], 200),
    "E 100": Recipe([0.4, 0.6], [[0.0, 0.0], [4.0, 0.0]], 100),
}
SIZES = {
    "size one, equal": Recipe([1.0], [[0.0]], 100, "tied"),
    "size one, free": Recipe([1.0], [[0.0]], 100),
    "size two, equal": Recipe([0.5, 0.5], [[0.0], [4.0]], 200, "tied"),
    "size two, free": Recipe([0.5, 0.5], [[0.0], [4.0]], 200),
}
CHOICES = {
    "choice one, 300": Recipe([1.0], [[0.0]], 300),
    "choice A 300": Recipe([0.3, 0.7], [[0.0], [3.0]], 300),
    "choice D 500": Recipe([0.3, 0.3, 0.4], [[0.0], [3.5], [7.0]], 500),
    "choice E 100": Recipe([0.4, 0.6], [[0.0, 0.0], [4.0, 0.0]], 100),
}


def covered(recipe: Recipe) -> dict[str, float]:
    """The share of data sets and components whose interval of 95 % holds the truth, by kind of number."""
    hits: dict[str, list[bool]] = {"weights": [], "mean": [], "sd": []}
    for number in range(SETS):
        source, labels = recipe.drawn(number)
        found = recipe.fitted(source, labels)
        model, start = found.candidate.model, found.parameters
        turns = replicates(model, start, source, Serial(), "nonparametric", range(REPLICATES), number)
        every = [one for turn in turns for one in turn if one.verdict is Verdict.OK]
        values = [dict(leaves(described(model, one.parameters))) for one in every]
        for name, estimate in leaves(described(model, start)):
            if (kind := name.partition("[")[0]) in hits:
                places = [int(place) - 1 for place in name.replace("]", "").split("[")[1:]]
                means = np.asarray(recipe.means)
                truth = {"weights": np.asarray(recipe.weights), "sd": np.ones_like(means), "mean": means}[kind]
                own = interval(
                    estimate, np.array([one[name] for one in values]), 0.95, scale_of(name, model.quantities)
                )
                hits[kind].append(bool(own.low <= truth[tuple(places)] <= own.high))
    return {kind: float(np.mean(own)) for kind, own in hits.items()}


def rejected(recipe: Recipe) -> float:
    """The share of data sets of which the test of 5 % says that there is a component more."""
    count, k = 0, len(recipe.weights)
    for number in range(TESTED[k]):
        source, labels = recipe.drawn(number)
        found = recipe.fitted(source, labels)
        model, data = found.candidate.model, SearchData(survey(source), lambda: False)
        wider = ShortRuns(replace(model, n_components=k + 1), data, EFFORT, number)
        ((higher, _),) = run_searches([more_components(wider, parted(wider, [found]), None)], source, Serial())
        heights = found.log_likelihood, max(found.log_likelihood, higher.log_likelihood if higher else -np.inf)

        warm = None if higher is None else higher.parameters
        of = partial(gains_of_drawn, recipe, found, warm, number)
        *_, last = in_turns(k, heights, DRAWN, of)
        count += last.p is not None and last.p <= LEVEL
    return count / TESTED[k]


def gains_of_drawn(
    recipe: Recipe, found: FitResult, warm: Parameters | None, number: int, replicates: range
) -> list[Gain]:
    """What one component more gains on data sets drawn from a fit."""
    model = found.candidate.model

    def drawn(replicate: int) -> InMemory:
        rng = np.random.default_rng((8, number, replicate))
        return InMemory(model.sample(found.parameters, recipe.n, rng)[0])

    return gains(model, found.parameters, warm, drawn, replicates, Serial())


def right(recipe: Recipe) -> tuple[float, float]:
    """The shares of data sets of which the one-standard-error rule chooses the true number of components, and BIC."""
    by_cv = by_bic = 0
    for number in range(CHOSEN):
        source, _ = recipe.drawn(number)
        found = [one.chosen for one in find(Gaussian(recipe.covariance), source.x, range(1, MOST + 1))]
        fits = [fit for fit in found if fit is not None]
        sizes = [fit.candidate.model.n_parameters for fit in fits]
        bics = [size * np.log(recipe.n) - 2 * fit.log_likelihood for size, fit in zip(sizes, fits, strict=True)]
        predicted = cross_validated(fits, source, FOLDS, number, Serial(), lambda: False)
        assert predicted is not None, "there are rows, and time"
        chosen = (simplest(predicted, sizes)[1], int(np.argmin(bics)))
        right_cv, right_bic = (fits[one].candidate.model.n_components == len(recipe.weights) for one in chosen)
        by_cv, by_bic = by_cv + right_cv, by_bic + right_bic
    return by_cv / CHOSEN, by_bic / CHOSEN


def main(filters: list[str]) -> None:
    table = Table(
        f"Coverage of 95 % intervals, {SETS} data sets", ("recipe", "weights", "means", "sds", "wanted", "load")
    )
    for name in chosen(list(INTERVALS), filters):
        shares = covered(INTERVALS[name])
        least, most = min(shares.values()), max(shares.values())
        wanted = f"{table.at_least(least, COVERED[0])} {table.at_most(most, COVERED[1])}"
        table.row(name, *(f"{share:.3f}" for share in shares.values()), wanted, load())
    table.close()
    table = Table(
        f"Size of a test of 5 %, {TESTED[1]} or {TESTED[2]} data sets", ("recipe", "rejected", "wanted", "load")
    )
    for name in chosen(list(SIZES), filters):
        share = rejected(SIZES[name])
        wanted = f"{table.at_least(share, REJECTED[0])} {table.at_most(share, REJECTED[1])}"
        table.row(name, f"{share:.3f}", wanted, load())
    table.close()
    table = Table(f"Right number of components, {CHOSEN} data sets", ("recipe", "CV", "BIC", "wanted", "load"))
    for name in chosen(list(CHOICES), filters):
        by_cv, by_bic = right(CHOICES[name])
        table.row(name, f"{by_cv:.2f}", f"{by_bic:.2f}", table.at_least(by_cv, RIGHT), load())
    table.close()


if __name__ == "__main__":
    main(sys.argv[1:])
