"""Small data: every restart of every K in one stack, beside scikit-learn one by one. CPU time.

The starts are the same, and so is the number of iterations. The ends differ where a component falls to
its floor: ours is the resolution of the data, theirs a millionth.
"""

from __future__ import annotations

import statistics
import warnings

import numpy as np
from bench import Table, load, one_thread, timed
from problems import CHECK_SEED, Array, Document
from sklearn.exceptions import ConvergenceWarning
from sklearn.mixture import GaussianMixture
from support import bound_model, reference_rows, responsibilities, start

from em_cli.algorithms.em import EM
from em_cli.engine.climb import Candidate
from em_cli.engine.fit import fit
from em_cli.engine.stopping import Stopping
from em_cli.families.gaussian.options import Gaussian
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory

IRIS = ("iris.csv", ("sepal_length", "sepal_width", "petal_length", "petal_width"))
KS = range(1, 11)
RESTARTS = 20
ITERATIONS = 20
TURNS = 5
SOFTNESS = 0.7  # of the starts: the components overlap, so that few collapse on the way
WANTED = 0.1  # of scikit-learn's CPU


def candidates(x: Array, covariance: str) -> list[Candidate]:
    """Starts from random rows, each row leaning to the nearest."""
    source = InMemory(x)
    made: list[Candidate] = []
    z = (x - x.mean(axis=1, keepdims=True)) / x.std(axis=1, keepdims=True)
    for k in KS:
        model = bound_model(Gaussian(covariance), source, k)
        for number in range(RESTARTS):
            centres = z[:, np.random.default_rng((CHECK_SEED, k, number)).choice(x.shape[1], k, replace=False)]
            labels = ((z[:, :, None] - centres[:, None, :]) ** 2).sum(axis=0).argmin(axis=1)
            begin = start(model, x, responsibilities(number, labels, k, SOFTNESS))
            made.append(Candidate(model, EM(), begin, len(made)))
    return made


def stacked(starts: list[Candidate], x: Array) -> list[float]:
    """Where each climb ends; one E-step more than there are M-steps."""
    return [result.log_likelihood for result in fit(starts, InMemory(x), Serial(), Stopping(0, ITERATIONS + 1))]


def one_by_one(documents: list[Document], x: Array, covariance: str) -> list[float]:
    rows, heights = np.ascontiguousarray(x.T), []
    for document in documents:
        inverse = (
            1 / np.array(document["covariances"]) if covariance == "diag" else np.linalg.inv(document["covariances"])
        )
        mixture = GaussianMixture(
            len(document["weights"]),
            covariance_type=covariance,
            tol=0,
            max_iter=ITERATIONS,
            weights_init=document["weights"],
            means_init=document["means"],
            precisions_init=inverse,
        )
        try:
            heights.append(float(mixture.fit(rows).score(rows)) * len(rows))
        except ValueError:  # a component has collapsed
            heights.append(-np.inf)
    return heights


def compare(x: Array, covariance: str) -> tuple[float, float, float, int]:
    """Seconds, ours and theirs; the ratio; and how many climbs of ours end where theirs do."""
    starts = candidates(x, covariance)
    documents = [one.model.to_document(one.start) for one in starts]
    turns = []
    for _ in range(TURNS):
        ours, our_ends = timed(lambda: stacked(starts, x))
        theirs, their_ends = timed(lambda: one_by_one(documents, x, covariance))
        turns.append((ours, theirs))
    agree = int((np.abs(np.subtract(our_ends, their_ends)) < 0.01).sum())
    mine, yours = (statistics.median(turn[i] for turn in turns) for i in (0, 1))
    return mine, yours, statistics.median(a / b for a, b in turns), agree


def main() -> None:
    one_thread()
    warnings.simplefilter("ignore", ConvergenceWarning)
    columns = ("iris", "em, s CPU", "scikit-learn, s CPU", "ratio", "wanted", "ends within 0.01 nat", "load")
    table = Table(f"{RESTARTS} restarts × K = {KS[0]}…{KS[-1]}, {ITERATIONS} iterations of each", columns)
    x = reference_rows(*IRIS)
    for covariance in ("full", "diag", "tied"):
        ours, theirs, ratio, agree = compare(x, covariance)
        wanted, of_all = table.at_most(ratio, WANTED), f"{agree} of {len(KS) * RESTARTS}"
        table.row(covariance, ours, theirs, f"{ratio:.3f}", wanted, of_all, load())
    table.close()


if __name__ == "__main__":
    main()
