"""Hidden Markov models beside hmmlearn, mixtures of regressions beside flexmix, topics beside scikit-learn.

Words narrow it: `markov`, `regressions`, `topics`. Costs are CPU times of one thread, medians of turns. hmmlearn's
iteration is timed by the difference of a long and a short fit from one start. A peer that is not installed is left
out, with a sentence: `pip install hmmlearn`; R with `install.packages("flexmix")`.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
from bench import Table, one_thread, timed
from support import bound_model

from em_cli.algorithms.em import EM
from em_cli.engine.arrays import Array, stack
from em_cli.engine.climb import Candidate
from em_cli.engine.expectation import Parameters
from em_cli.engine.fit import fit
from em_cli.engine.model import Model
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.rows import Block
from em_cli.engine.stopping import Stopping
from em_cli.families.gaussian.options import Gaussian
from em_cli.families.regression.options import Regression
from em_cli.latents.allocation.allocation import Allocation
from em_cli.latents.markov import Markov
from em_cli.runners.serial import Serial
from em_cli.search.topic_moves import Moves
from em_cli.search.topic_tasks import topic_model
from em_cli.sources.corpus import Corpus
from em_cli.sources.in_memory import InMemory

K, TURNS = 3, 3
SHAPES = {(1, 100_000): 2.0, (1_000, 100): 15.0, (10_000, 10): 100.0}  # sequences, rows of each: how much faster
STACKED, SHORT = 64, 300  # climbs together, rows
CORPUS, TOPICS, PASSES = (2_000, 1_000), 25, 20  # documents and terms
FLEXMIX = """
suppressMessages(library(flexmix)); d <- read.csv("{file}")
start <- cbind(d$first, 1 - d$first)
control <- list(minprior = 0, tolerance = 1e-9, iter.max = 2000)
cost <- c()
for (turn in 1:{turns}) cost <- c(cost, system.time(
  m <- flexmix(y ~ x, data = d, k = 2, cluster = start, model = FLXMRglm(family = "poisson"), control = control))[1])
cat(median(cost), logLik(m))
"""


def chain(n: int, seed: int) -> Array:
    """(2, n) of three states that last."""
    rng = np.random.default_rng(seed)
    moves = np.cumsum(rng.random(n) < 0.1)
    state = rng.integers(K, size=moves[-1] + 1)[moves]
    return np.array([[0.0, 3.0, 0.0], [0.0, 0.0, 3.0]])[:, state] + rng.standard_normal((2, n))


def begun(x: Array, groups: Array) -> tuple[Model, InMemory, Parameters]:
    source = InMemory(x, groups=groups.astype(np.intp))
    plain = bound_model(Gaussian("full"), source, K)
    model = Model(plain.family, Markov(), K)
    r = np.full((K, x.shape[1]), 0.1)
    r[(x[0] > 1.5) + 2 * ((x[1] > 1.5) & (x[0] <= 1.5)), np.arange(x.shape[1])] = 0.8
    return model, source, model.start(Block(0, x, groups=groups.astype(np.intp)), r / r.sum(axis=0))


def our_iteration(model: Model, source: InMemory, at: Parameters) -> tuple[Parameters, float]:
    batch = one_pass([Stack(model, at)], source, Serial())[0]
    return model.at_maximum(batch.statistics, batch.parameters)[0], float(batch.log_likelihood[0])


def hmmlearn_cost(x: Array, lengths: list[int], model: Model, at: Parameters, n_iter: int) -> float:
    from hmmlearn.hmm import GaussianHMM

    document = model.to_document(at)
    peer = GaussianHMM(K, "full", covars_prior=0, tol=-np.inf, n_iter=n_iter, init_params="")
    peer.startprob_, peer.transmat_ = np.array(document["startprob"]), np.array(document["transmat"])
    peer.means_, peer.covars_ = np.array(document["means"]), np.array(document["covariances"])
    height = peer.score(x.T, lengths)
    ours = our_iteration(model, InMemory(x, groups=np.cumsum([0, *lengths]).astype(np.intp)), stack([at]))[1]
    assert abs(height - ours) < 1e-6 * abs(height), f"hmmlearn {height}, em {ours}"
    return timed(partial(peer.fit, x.T, lengths))[0]


def markov() -> None:
    try:
        import hmmlearn  # noqa: F401
    except ImportError:
        print("\nhmmlearn is not installed: chains are timed by themselves (pip install hmmlearn).")
        peer = False
    else:
        peer = True
    table = Table(
        "Hidden Markov models, 2 columns, full, K = 3", ["sequences × rows", "em, ms", "hmmlearn ÷ em", "wanted"]
    )
    for (sequences, rows), wanted in SHAPES.items():
        x, lengths = chain(sequences * rows, 1), [rows] * sequences
        model, source, start = begun(x, np.cumsum([0, *lengths]))
        at, ours, theirs = stack([start]), list[float](), list[float]()
        for _ in range(TURNS):
            cost, (at, _) = timed(partial(our_iteration, model, source, at))
            ours.append(cost)
            if peer:
                long, short = (hmmlearn_cost(x, lengths, model, start, n) for n in (4, 1))
                theirs.append((long - short) / 3)
        own = statistics.median(ours)
        ratio = statistics.median(theirs) / own if peer else None
        marked = "" if ratio is None else table.at_least(ratio, wanted)
        table.row(f"{sequences:,} × {rows:,}", 1e3 * own, "–" if ratio is None else ratio, marked)
    x = chain(SHORT, 2)
    model, source, start = begun(x, np.array([0, SHORT]))
    at, costs = stack([start] * STACKED), list[float]()
    for _ in range(4 * TURNS):
        cost, (at, _) = timed(partial(our_iteration, model, source, at))
        costs.append(cost)
    each = 1e3 * statistics.median(costs) / STACKED
    table.row(f"{STACKED} climbs on {SHORT} rows, each", each, "–", table.at_most(each, 0.12))
    table.close()


def regressions() -> None:
    rng = np.random.default_rng(3)
    x, first = rng.uniform(0, 2, 2_000), rng.integers(2, size=2_000)
    y = rng.poisson(np.exp(np.where(first, 0.5 + x, 2.5 - 0.7 * x)))
    r = np.where(first, 0.7, 0.3)
    rows = np.stack([y, x])
    source = InMemory(rows)
    family = Regression("y", "poisson", ("x",), (), None, None, ("y", "x"), ((), ()))
    model = bound_model(family, source, 2)
    start = model.start(Block(0, rows), np.stack([r, 1 - r]))
    costs, height = list[float](), 0.0
    for _ in range(TURNS):
        climb = Candidate(model, EM(), start, 0)
        cost, (found,) = timed(partial(fit, [climb], source, Serial(), Stopping(1e-6, 2000)))
        costs, height = [*costs, cost], found.log_likelihood
    own = statistics.median(costs)
    table = Table("A climb of two Poisson regressions, 2,000 rows", ["", "CPU s", "log-likelihood", "÷ em", "wanted"])
    table.row("em", own, f"{height:.4f}", "", "")
    if (theirs := _flexmix(rows, r)) is None:
        print("\nflexmix is not installed, or R is not: the climb is timed by itself.")
    else:
        cost, other = theirs
        assert abs(other - height) < 0.01, f"flexmix {other}, em {height}"
        table.row("flexmix", cost, f"{other:.4f}", cost / own, table.at_least(cost / own, 10))
    table.close()


def _flexmix(rows: Array, r: Array) -> tuple[float, float] | None:
    """CPU seconds and log-likelihood of its climb from these responsibilities."""
    if shutil.which("Rscript") is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "rows.csv"
        np.savetxt(file, np.stack([*rows, r]).T, delimiter=",", header="y,x,first", comments="")
        script = FLEXMIX.format(file=file, turns=TURNS)
        done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True)
    if done.returncode:
        return None
    cost, height = done.stdout.split()
    return float(cost), float(height)


def documents(n: int, n_terms: int, k: int) -> Array:
    """(n, V) counts of terms, of documents of few topics."""
    rng = np.random.default_rng(4)
    laws, shares = rng.dirichlet(np.full(n_terms, 0.05), k), rng.dirichlet(np.full(k, 0.1), n)
    return np.array([rng.multinomial(rng.integers(100, 260), law) for law in shares @ laws])


def topics() -> None:
    """A pass with the prior held, and the bound after so many: theirs climbs each document to its end, ours 5 steps."""
    from scipy.sparse import csr_array
    from sklearn.decomposition import LatentDirichletAllocation

    k, alpha, eta = TOPICS, 0.1, 0.1
    counts = documents(*CORPUS, k)
    kept = counts.sum(axis=0) > 0
    table = csr_array(counts[:, kept].astype(np.float64))
    names = tuple(f"t{place:05}" for place in range(table.shape[1]))
    own = Corpus(
        tuple(map(str, range(len(counts)))), names, table.indices.astype(np.intp), table.data,
        table.indptr.astype(np.intp),
    )  # fmt: skip
    model, latent = topic_model(Allocation(alpha=alpha, eta=eta), own, k)
    start = Moves(model, latent, own).even(np.random.default_rng(0))
    climb = Candidate(model, EM(), start, 0)
    cost, (found,) = timed(partial(fit, [climb], own.source, Serial(), Stopping(0.0, PASSES)))
    peer = LatentDirichletAllocation(
        k, doc_topic_prior=alpha, topic_word_prior=eta, max_iter=PASSES, learning_method="batch", random_state=0
    )
    theirs, _ = timed(partial(peer.fit, table))
    bound = peer._approx_bound(table, peer._unnormalized_transform(table), sub_sampling=False)
    n, v = CORPUS
    shown = Table(
        f"Topics, {n:,} documents × {v:,} terms, K = {k}", ["", "ms a pass", f"bound after {PASSES}", "wanted"]
    )
    shown.row("em", 1e3 * cost / PASSES, f"{found.log_likelihood:,.0f}", "")
    shown.row("scikit-learn", 1e3 * theirs / PASSES, f"{bound:,.0f}", shown.at_least(theirs / cost, 1.0))
    shown.close()


if __name__ == "__main__":
    one_thread()
    for part in (markov, regressions, topics):
        if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
            part()
