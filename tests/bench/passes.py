"""One pass of EM, ours and scikit-learn's at the same parameters: CPU time on one thread.

`passes.py WORD …` keeps the rows that have all the words: full, diag or tied; 1e4, 1e5, 1e6, 3e4.
The two take turns of a few steps each, and must agree on the log-likelihood at every step.
"""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass

import numpy as np
from bench import Table, afresh, chosen, load, timed
from problems import CHECK_SEED, Array, Document, Mixture, blobs
from sklearn.mixture import GaussianMixture
from sklearn.mixture._gaussian_mixture import _compute_precision_cholesky
from support import bound_model

from em_cli.engine.arrays import stack, take
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.model import Model
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.protocols import Runner
from em_cli.families.gaussian.options import Gaussian
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory

AGREEMENT = 1e-12  # of the log-likelihoods, relative
APART = 4.0  # standard deviations between groups: where exponentials vanish, some programs are spared work
TURNS = 9
TURN_ROWS = 1_000_000  # rows times components that a turn walks at least, so that it can be timed


@dataclass(frozen=True)
class Size:
    n: int
    d: int
    k: int
    wanted: dict[str, float]  # times scikit-learn's pass, by structure

    @property
    def name(self) -> str:
        return f"{self.n:.0e}".replace("e+0", "e") + f" × {self.d}, K = {self.k}"

    @property
    def steps(self) -> int:
        """Of one turn."""
        return max(1, TURN_ROWS // (self.n * self.k))

    def truth(self) -> tuple[Mixture, np.random.Generator]:
        rng = np.random.default_rng((CHECK_SEED, self.n, self.d))
        return blobs(rng, self.k, self.d, APART / np.sqrt(2 * self.d)), rng

    def rows(self) -> Array:
        mixture, rng = self.truth()
        return mixture.draw(self.n, rng)

    def start(self, covariance: str) -> Document:
        """Beside the truth and wider: many steps from the end of the climb, and from any collapse."""
        mixture, rng = self.truth()
        beside = mixture.means + 0.5 * rng.standard_normal(mixture.means.shape)
        return Mixture(mixture.weights, beside, 1.5 * mixture.roots).document(covariance)


SIZES = [
    Size(10_000, 2, 3, {"full": 7, "diag": 9, "tied": 9}),
    Size(100_000, 5, 5, {"full": 13, "diag": 12, "tied": 20}),
    Size(1_000_000, 2, 5, {"full": 20, "diag": 15, "tied": 20}),
    Size(1_000_000, 10, 10, {"full": 15, "diag": 15, "tied": 20}),
    Size(30_000, 50, 20, {"full": 4, "diag": 3, "tied": 30}),
]
BIGGEST = SIZES[3]


@dataclass
class Ours:
    """EM by passes over the rows, stepped by hand."""

    model: Model
    source: InMemory
    parameters: Parameters  # a stack of one
    runner: Runner

    def step(self) -> float:
        batch = one_pass([Stack(self.model, self.parameters)], self.source, self.runner)[0]
        self.parameters, _ = self.model.maximize([Expectation(batch, 0)])
        return float(batch.log_likelihood[0])

    def steps(self, count: int) -> list[float]:
        return [self.step() for _ in range(count)]

    def document(self) -> Document:
        return self.model.to_document(take(self.parameters, 0))


def ours_on(x: Array, size: Size, covariance: str) -> Ours:
    source = InMemory(x)
    model = bound_model(Gaussian(covariance), source, size.k)
    return Ours(model, source, stack([model.from_document(size.start(covariance))]), Serial())


class Theirs:
    """scikit-learn's two steps, stepped by hand."""

    def __init__(self, x: Array, k: int, covariance: str) -> None:
        self.x = np.ascontiguousarray(x.T)
        self.mixture = GaussianMixture(k, covariance_type=covariance, reg_covar=0)

    def stand_at(self, document: Document) -> None:
        m = self.mixture
        m.weights_, m.means_ = np.array(document["weights"]), np.array(document["means"])
        m.covariances_ = np.array(document["covariances"])
        m.precisions_cholesky_ = _compute_precision_cholesky(m.covariances_, m.covariance_type)

    def steps(self, count: int) -> list[float]:
        trace = []
        for _ in range(count):
            mean, log_responsibilities = self.mixture._e_step(self.x)
            self.mixture._m_step(self.x, log_responsibilities)
            trace.append(float(mean) * len(self.x))
        return trace


def compare(size: Size, covariance: str) -> tuple[float, float, float, float]:
    """Seconds per pass, ours and theirs; the ratio; the largest disagreement."""
    x = size.rows()
    ours, theirs = ours_on(x, size, covariance), Theirs(x, size.k, covariance)
    turns, apart = [], 0.0
    for _ in range(1 + TURNS):
        theirs.stand_at(ours.document())
        our_seconds, our_trace = timed(lambda: ours.steps(size.steps))
        their_seconds, their_trace = timed(lambda: theirs.steps(size.steps))
        turns.append((our_seconds / size.steps, their_seconds / size.steps))
        apart = max(apart, float(np.max(np.abs(np.divide(our_trace, their_trace) - 1))))
    assert apart <= AGREEMENT, f"log-likelihoods differ by {apart:.1e} at {size.name}, {covariance}"
    turns = turns[1:]  # the first warms both
    mine, yours = (statistics.median(turn[i] for turn in turns) for i in (0, 1))
    return mine, yours, statistics.median(b / a for a, b in turns), apart


def main(filters: list[str]) -> None:
    columns = ("pass", "em, ms CPU", "scikit-learn, ms CPU", "times", "wanted", "log-likelihoods differ by", "load")
    table = Table("One pass of EM, one thread", columns)
    rows = {
        f"{covariance} {size.name}": (size, covariance) for covariance in ("full", "diag", "tied") for size in SIZES
    }
    for name in chosen(list(rows), filters):
        size, covariance = rows[name]
        ours, theirs, ratio, apart = afresh(compare, size, covariance)
        wanted = table.at_least(ratio, size.wanted[covariance])
        table.row(name, 1e3 * ours, 1e3 * theirs, f"{ratio:.1f}", wanted, f"{apart:.0e}", load())
    table.close()


if __name__ == "__main__":
    main(sys.argv[1:])
