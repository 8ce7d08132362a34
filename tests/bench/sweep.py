"""Sweeps over K and covariance structures in one search, beside scikit-learn model by model and mclust in R.

`sweep.py NAME …` keeps some of the sweeps: faithful, faithful-full, iris, groups, thousand. `sweep.py long` looks long
for the best fits and keeps them in sweep_best.json, where nothing is ever made lower; `sweep.py ours` leaves the peers
out. mclust is left out, with a sentence, where R has it not: `install.packages("mclust")`.
"""

from __future__ import annotations

import json
import math
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from bench import FAITHFUL, ROOT, Table, load, one_thread, timed
from peer import Judge, scikit_learn
from problems import CHECK_SEED, Array, Document, overlapping_groups
from support import REFERENCE, default_plan

from em_cli.criteria import bic_of
from em_cli.engine.columns import Columns
from em_cli.engine.model import Model
from em_cli.families.covariances import COVARIANCES
from em_cli.families.gaussian.options import Gaussian
from em_cli.latents.independent import Independent
from em_cli.runners.serial import Serial
from em_cli.search.search import Task, search
from em_cli.search.survey import survey
from em_cli.sources.in_memory import InMemory

Key = tuple[str, int]  # covariance structure and K
Heights = dict[Key, float]  # log-likelihoods of sound solutions
FOUR = ("full", "tied", "diag", "spherical")
SEED, TURNS = 104, 3
NEAR = 40  # of BIC from the best: the cells that may be chosen
SHORT = 0.5  # nats
WORST_SHOWN = 5
BEST = Path(__file__).with_name("sweep_best.json")
LONG_SEEDS = range(201, 206)
LONG_RESTARTS = 60
LONG_SINGLES = range(301, 331)
MCLUST = """
suppressMessages(library(mclust)); x <- as.matrix(read.csv("{file}"))
for (turn in 1:{turns}) cost <- c(if (turn > 1) cost,
  system.time(found <- mclustBIC(x, G = 1:{most}, modelNames = c({models}), verbose = FALSE))[1])
cat(median(cost), "\\n")
for (model in colnames(found)) for (k in rownames(found)) {{
  p <- nMclustParams(model, ncol(x), as.integer(k))
  cat(model, k, (found[k, model] + p * log(nrow(x))) / 2, "\\n")
}}
"""


def rows_of(path: Path, columns: Sequence[int]) -> Array:
    return np.ascontiguousarray(np.loadtxt(path, delimiter=",", skiprows=1, usecols=columns).T)


def groups(n: int, seed: int) -> Array:
    return overlapping_groups().draw(n, np.random.default_rng(seed))


@dataclass(frozen=True)
class Sweep:
    """What is swept, and what it may cost: in seconds of CPU, or of what scikit-learn takes with ten starts."""

    data: str
    rows: Callable[[], Array]
    structures: tuple[str, ...]
    most: int  # components
    seconds: float | None = None
    share: float | None = None
    mean: float = 0.1  # nats below the best known, over all cells

    @property
    def keys(self) -> list[Key]:
        return [(structure, k) for structure in self.structures for k in range(1, self.most + 1)]


faithful = partial(rows_of, FAITHFUL, (0, 1))
SWEEPS = {
    "faithful": Sweep("faithful", faithful, FOUR, 10, share=0.5),
    "faithful-full": Sweep("faithful", faithful, ("full",), 10, seconds=0.6),
    "iris": Sweep(
        "iris", partial(rows_of, ROOT / "sample_data" / "iris.csv", range(4)), tuple(COVARIANCES), 9, seconds=4.0
    ),
    "thousand": Sweep("thousand", partial(groups, 1_000, CHECK_SEED + 2), ("full",), 9, seconds=1.0),
    "groups": Sweep("groups", partial(groups, 6_000, CHECK_SEED + 1), FOUR, 10, share=0.4, mean=1.0),
}


def ours(x: Array, sweep: Sweep, seed: int = SEED, restarts: int | None = None) -> Heights:
    """What `em select` does after reading."""
    source = InMemory(x)
    known = survey(source, seed)
    tasks = [Task(structure, model) for (structure, _), model in models(sweep.keys, known.columns).items()]
    plan = default_plan(seed=seed)
    fits = search(tasks, known, Serial(), replace(plan, restarts=restarts or plan.restarts))
    return {(f.label, f.n_components): -math.inf if f.chosen is None else f.chosen.log_likelihood for f in fits}


def models(keys: Sequence[Key], columns: Columns) -> dict[Key, Model]:
    families = {structure: Gaussian(structure).bind(columns) for structure, _ in keys}
    return {(structure, k): Model(families[structure], Independent(), k) for structure, k in keys}


def theirs(x: Array, sweep: Sweep, seed: int = SEED, n_init: int = 10, **options: Any) -> dict[Key, Document | None]:
    """scikit-learn's, model by model."""
    return {(c, k): scikit_learn(x, k, c, seed, n_init=n_init, **options) for c, k in sweep.keys}


def judged(x: Array, documents: dict[Key, Document | None]) -> Heights:
    return {(c, k): Judge(x, k, c)(document) for (c, k), document in documents.items()}


def mclusts(x: Array, sweep: Sweep) -> tuple[float, Heights] | None:
    """Its seconds of CPU and log-likelihoods, of its default sweep; None where R has it not."""
    names = {COVARIANCES.load(name).letters.mclust[len(x) > 1]: name for name in sweep.structures}
    models = ", ".join(f'"{name}"' for name in names)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "data.csv")
        np.savetxt(file, x.T, delimiter=",", header=",".join("abcdefgh"[: len(x)]), comments="", fmt="%.17g")
        script = MCLUST.format(file=file, turns=TURNS, most=sweep.most, models=models)
        done = subprocess.run(["Rscript", "-e", script], capture_output=True, text=True)
    if done.returncode:
        return None
    seconds, *lines = done.stdout.splitlines()
    found = {(names[model], int(k)): float(height) for model, k, height in map(str.split, lines) if height != "NA"}
    return float(seconds), found


def stored(sweep: Sweep) -> Heights:
    """The best known, by structure and K."""
    known = json.loads(BEST.read_text()).get(sweep.data, {}) if BEST.exists() else {}
    rows = {structure: known.get(structure, []) for structure in sweep.structures}
    return {
        (structure, k): -math.inf if height is None else height
        for structure, row in rows.items()
        for k, height in enumerate(row, 1)
    }


def referenced(sweep: Sweep) -> Heights:
    """What others have found, where the data set is one of the reference set."""
    cases = json.loads((REFERENCE / "references.json").read_text())["cases"]
    gaussian = [case for case in cases if case["file"] == f"{sweep.data}.csv" and case["family"] == "gaussian"]
    return {(case["covariance"], case["k"]): case["loglik"] for case in gaussian if "columns" in case}


def highest(keys: Sequence[Key], *tables: Heights) -> Heights:
    return {key: max(table.get(key, -math.inf) for table in tables) for key in keys}


def look_long(sweep: Sweep) -> None:
    """Raise the best known."""
    x, keys = sweep.rows(), sweep.keys
    best = highest(keys, stored(sweep), {} if sweep.data == "iris" else referenced(sweep))
    looks: list[Callable[[], Heights]] = [partial(ours, x, sweep, seed) for seed in LONG_SEEDS]
    looks += [partial(ours, x, sweep, seed, LONG_RESTARTS) for seed in LONG_SEEDS]
    if sweep.structures == FOUR:
        alone = partial(theirs, x, sweep, n_init=1, tol=1e-7, init_params="random_from_data")  # no spike hides others
        looks += [partial(lambda seed: judged(x, alone(seed=seed)), seed) for seed in LONG_SINGLES]
    for look in looks:
        before, best = best, highest(keys, best, look(), stored(sweep))
        raised = [best[key] - before[key] for key in keys if before[key] > -math.inf]
        print(f"{sweep.data}: {sum(r > 0.01 for r in raised)} raised, by {max(raised, default=0):.2f} nats at most")
        everything = json.loads(BEST.read_text()) if BEST.exists() else {}
        kept = everything.setdefault(sweep.data, {})
        for structure in sweep.structures:
            row = [best[structure, k] for k in range(1, sweep.most + 1)]
            kept[structure] = [round(height, 6) if height > -math.inf else None for height in row]
        BEST.write_text(json.dumps(everything, indent=1) + "\n")


def near(x: Array, best: Heights) -> set[Key]:
    """The cells within reach of the best BIC."""
    counted = models(list(best), survey(InMemory(x), SEED).columns)
    bics = {
        key: bic_of(height, counted[key].n_parameters, x.shape[1]) for key, height in best.items() if height > -math.inf
    }
    return {key for key, bic in bics.items() if bic <= min(bics.values()) + NEAR}


def shortfalls(found: Heights, best: Heights) -> Heights:
    """By cell, where anybody has a solution; no more than the worst of all where none was found."""
    short = {key: height - found.get(key, -math.inf) for key, height in best.items() if height > -math.inf}
    worst = max((s for s in short.values() if s < math.inf), default=0.0)
    return {key: min(s, worst) for key, s in short.items()}


def described(short: Heights, close: set[Key]) -> tuple[float, float, str]:
    """The mean, the largest of the cells within reach, and how many fall short, with the worst of them."""
    missed = sorted((key for key in short if short[key] > SHORT), key=lambda key: -short[key])
    worst = [f"{c} {k} by {short[c, k]:.2f}" for c, k in missed[:WORST_SHOWN]]
    largest = max((short[key] for key in close & short.keys()), default=0.0)
    return statistics.fmean(short.values()), largest, f"{len(missed)}: {', '.join(worst)}" if missed else "none"


def measure(name: str, sweep: Sweep, table: Table, peers: bool) -> None:
    """A row for em, and one for each peer that there is."""
    x = sweep.rows()
    turns, peer_turns = list[float](), list[float]()
    found, peer_found = Heights(), Heights()
    for _ in range(TURNS):
        seconds, found = timed(partial(ours, x, sweep))
        turns.append(seconds)
        if peers and sweep.share is not None:
            peer_seconds, documents = timed(partial(theirs, x, sweep))
            peer_turns.append(peer_seconds)
            peer_found = peer_found or judged(x, documents)
    in_r = mclusts(x, sweep) if peers and shutil.which("Rscript") else None
    rivals = {"em": (statistics.median(turns), found)}
    if peer_turns:
        rivals["scikit-learn, `n_init=10`"] = statistics.median(peer_turns), peer_found
    if in_r:
        rivals["mclust"] = in_r
    best = highest(sweep.keys, stored(sweep), found, peer_found)
    close = near(x, best)
    mine = rivals["em"][0]
    for rival, (seconds, heights) in rivals.items():
        mean, largest, missed = described(shortfalls(heights, best), close)
        above = f"{mine / seconds:.2f}" if rival != "em" else ""
        costs, exact = "", ""
        if rival == "em":
            bound = sweep.seconds or (
                sweep.share * statistics.median(peer_turns) if sweep.share and peer_turns else None
            )
            costs = table.at_most(seconds, round(bound, 2)) if bound else ""
            exact = f"{table.at_most(mean, sweep.mean)}, {table.at_most(largest, SHORT)}"
        shape = f"{name}, {x.shape[1]} × {len(x)}, {len(sweep.keys)} models"
        table.row(shape, rival, f"{seconds:.2f}", costs, above, f"{mean:.3f}", f"{largest:.2f}", exact, missed, load())
    raised = max((found[key] - height for key, height in stored(sweep).items() if height > -math.inf), default=0.0)
    if raised > 0.01:
        print(f"\n{name}: the best known is beaten by {raised:.2f} nats; `sweep.py long` keeps what it finds\n")


def main(words: list[str]) -> None:
    one_thread()
    chosen = {name: sweep for name, sweep in SWEEPS.items() if name in words} or SWEEPS
    if "long" in words:
        for sweep in chosen.values():
            look_long(sweep)
        return
    columns = (
        "data", "sweep", "CPU, s", "wanted", "em's by this", "mean short, nats", "largest within reach", "wanted",
        "short", "load",
    )  # fmt: skip
    table = Table(f"Sweeps of K and covariance structures; medians of {TURNS} turns", columns)
    for name, sweep in chosen.items():
        measure(name, sweep, table, peers="ours" not in words)
    if not shutil.which("Rscript"):
        print("\nmclust is left out: R is not installed")
    table.close()


if __name__ == "__main__":
    main(sys.argv[1:])
