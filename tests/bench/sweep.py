"""A sweep of K = 1…10 × all covariance structures in one search, beside scikit-learn model by model.

`sweep.py NAME …` keeps some of the data sets: faithful, groups. `sweep.py long` looks long for the
best fits and keeps them in sweep_best.json, where nothing is ever made lower; `sweep.py ours` leaves
scikit-learn out.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from bench import FAITHFUL, Table, load, one_thread, timed
from peer import Judge, scikit_learn
from problems import CHECK_SEED, Array, Document, overlapping_groups
from support import REFERENCE, default_plan

from em_cli.engine.model import Model
from em_cli.families.gaussian.options import Gaussian
from em_cli.latents.independent import Independent
from em_cli.runners.serial import Serial
from em_cli.search.search import Task, search
from em_cli.search.survey import survey
from em_cli.sources.in_memory import InMemory

Key = tuple[str, int]  # covariance structure and K
Heights = dict[Key, float]  # log-likelihoods of sound solutions
STRUCTURES = ("full", "tied", "diag", "spherical")
KS = range(1, 11)
KEYS: list[Key] = [(covariance, k) for covariance in STRUCTURES for k in KS]
SEED = 104
CPU_WANTED = 0.25  # of scikit-learn's
SHORTFALL_WANTED = 0.5  # nats
WORST_SHOWN = 5
BEST = Path(__file__).with_name("sweep_best.json")
LONG_SEEDS = range(201, 206)
LONG_RESTARTS = 60
LONG_SINGLES = range(301, 331)


def faithful() -> Array:
    return np.ascontiguousarray(np.loadtxt(FAITHFUL, delimiter=",", skiprows=1).T)


def groups() -> Array:
    return overlapping_groups().draw(6_000, np.random.default_rng(CHECK_SEED + 1))


DATA = {"faithful": faithful, "groups": groups}


def ours(x: Array, seed: int = SEED, restarts: int | None = None) -> dict[Key, Document | None]:
    """What `em select --covariance all` does, after reading."""
    source = InMemory(x)
    known = survey(source, seed)
    tasks = []
    for covariance in STRUCTURES:
        one = Model(Gaussian(covariance).bind(known.columns), Independent(), 1)
        tasks += [Task(covariance, replace(one, n_components=k)) for k in KS]
    plan = default_plan(seed=seed)
    fits = search(tasks, known, Serial(), replace(plan, restarts=restarts or plan.restarts))
    ends = {(fitted.label, fitted.n_components): fitted.chosen for fitted in fits}
    return {key: None if end is None else end.candidate.model.to_document(end.parameters) for key, end in ends.items()}


def theirs(x: Array, seed: int = SEED, n_init: int = 10, **options: Any) -> dict[Key, Document | None]:
    """Model by model."""
    return {(c, k): scikit_learn(x, k, c, seed, n_init=n_init, **options) for c, k in KEYS}


def heights(x: Array, documents: dict[Key, Document | None]) -> Heights:
    return {(c, k): Judge(x, k, c)(document) for (c, k), document in documents.items()}


def stored(name: str) -> Heights:
    """The best known, by structure and K."""
    if not BEST.exists():
        return {}
    known: dict[str, list[float]] = json.loads(BEST.read_text()).get(name, {})
    return {(c, k): height for c, row in known.items() for k, height in zip(KS, row, strict=True)}


def referenced(name: str) -> Heights:
    """What others have found, where the data set is one of the reference set."""
    cases = json.loads((REFERENCE / "references.json").read_text())["cases"]
    gaussian = [case for case in cases if case["file"] == f"{name}.csv" and case["family"] == "gaussian"]
    return {(case["covariance"], case["k"]): case["loglik"] for case in gaussian}


def highest(*tables: Heights) -> Heights:
    return {key: max(table.get(key, -np.inf) for table in tables) for key in KEYS}


def look_long(name: str) -> None:
    """Raise the best known."""
    x, best = DATA[name](), highest(stored(name), referenced(name))
    alone = partial(theirs, x, n_init=1, tol=1e-7, init_params="random_from_data")  # no spike hides a sound solution
    searches = [partial(ours, x, seed, LONG_RESTARTS) for seed in LONG_SEEDS]
    searches += [partial(alone, seed=seed) for seed in LONG_SINGLES] + [partial(theirs, x, tol=1e-7)]
    for look in searches:
        before, best = best, highest(best, heights(x, look()), stored(name))
        raised = [best[key] - before.get(key, -np.inf) for key in KEYS]
        print(f"{name}: {sum(r > 0.01 for r in raised)} raised, by {max(raised):.2f} nats at most", flush=True)
        everything = json.loads(BEST.read_text()) if BEST.exists() else {}
        everything[name] = {c: [round(best[c, k], 6) for k in KS] for c in STRUCTURES}
        BEST.write_text(json.dumps(everything, indent=1) + "\n")


def shortfalls(found: Heights, best: Heights) -> tuple[float, str]:
    """The largest, and how many models fall short by more than is wanted, with the worst of them."""
    short = {key: best[key] - found[key] for key in KEYS}
    missed = sorted((key for key in KEYS if short[key] > SHORTFALL_WANTED), key=lambda key: -short[key])
    worst = [f"{c} {k} by {short[c, k]:.2f}" for c, k in missed[:WORST_SHOWN]]
    return max(short.values()), f"{len(missed)}: {', '.join(worst)}" if missed else "none"


def main(words: list[str]) -> None:
    one_thread()
    names = [name for name in DATA if name in words] or list(DATA)
    if "long" in words:
        for name in names:
            look_long(name)
        return
    columns = ("data", "sweep", "CPU, s", "ratio", "wanted", "largest shortfall, nats", "wanted", "short", "load")
    table = Table(f"Sweeps of K = {KS[0]}…{KS[-1]} × {', '.join(STRUCTURES)}", columns)
    for name in names:
        x = DATA[name]()
        seconds, documents = timed(partial(ours, x))
        peer_seconds, peer_documents = (0.0, {}) if "ours" in words else timed(partial(theirs, x))
        found, peer_found = heights(x, documents), heights(x, peer_documents)
        best = highest(stored(name), found, peer_found)
        shape = f"{name}, {x.shape[1]} × {len(x)}"
        worst, missed = shortfalls(found, best)
        ratio = seconds / peer_seconds if peer_seconds else None
        cost = ("", "") if ratio is None else (f"{ratio:.2f}", table.at_most(ratio, CPU_WANTED))
        exact = table.at_most(worst, SHORTFALL_WANTED)
        table.row(shape, "em", f"{seconds:.1f}", *cost, f"{worst:.2f}", exact, missed, load())
        if peer_found:
            worst, missed = shortfalls(peer_found, best)
            cells = f"{peer_seconds:.1f}", "1.00", "", f"{worst:.2f}", "", missed, load()
            table.row(shape, "scikit-learn, `n_init=10`", *cells)
        raised = max((best[key] - height for key, height in stored(name).items()), default=0.0)
        if raised > 0.01:
            print(f"\n{name}: the best known is beaten by {raised:.2f} nats; `sweep.py long` keeps what it finds\n")
    table.close()


if __name__ == "__main__":
    main(sys.argv[1:])
