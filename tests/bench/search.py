"""How often the best fit known is found, and at what cost: ours and scikit-learn's on the same problems.

`search.py WORD …` keeps the problems whose names have all the words, such as `iris full`. The word
`ours` runs only ours, and takes the peers' figures from the last run that had them.
"""

from __future__ import annotations

import json
import math
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from bench import Table, chosen, load, one_thread, timed
from peer import STORE, Judge, scikit_learn
from problems import Document, Problem, generated
from support import REFERENCE, climb, default_plan, find, reference_rows

from em_cli.engine.stopping import Stopping
from em_cli.families.gaussian.options import Gaussian
from em_cli.sources.in_memory import InMemory

SEEDS = (101, 102, 103)  # of the searches
HIT = 0.5  # nats below the best known
HITS_WANTED = 0.97
CPU_WANTED = 0.2  # of the last peer's
LONG = Stopping(1e-6, 5_000)  # of the climb from the truth
FIGURES = STORE / "search.json"
REFERENCES = {
    "faithful": "VVV/k3 VVV/k6 VVI/k6 VII/k7",
    "iris": "VVV/k3 VVV/k4 VVI/k4 EEE/k4 VII/k3",
    "galaxies": "V/k3 V/k6 E/k6",
    "diabetes": "VVV/k3 VVV/k4 VVI/k4",
    "diabetes_c": "VVV/k3",
    "geyser": "VVV/k4 VVV/k6 VVI/k5 EEE/k7 VII/k6",
    "wine": "VVV/k2",
}


@dataclass(frozen=True)
class Run:
    seconds: float  # of CPU
    height: float  # log-likelihood; -inf of no solution, or of a degenerate one


Runs = dict[str, list[Run]]  # by method, one for each seed


def ours(p: Problem, seed: int) -> Document | None:
    end = find(Gaussian(p.covariance), p.x, [p.k], default_plan(seed=seed))[0].chosen
    return None if end is None else end.candidate.model.to_document(end.parameters)


def peer(**options: float) -> Callable[[Problem, int], Document | None]:
    return lambda p, seed: scikit_learn(p.x, p.k, p.covariance, seed, **options)


METHODS: dict[str, Callable[[Problem, int], Document | None]] = {
    "em": ours,
    "scikit-learn": peer(),
    "n_init=10": peer(n_init=10),
    "n_init=10, tol=1e-6": peer(n_init=10, tol=1e-6),
}
EM, DEFAULT, *_, LAST = METHODS


def referenced() -> list[Problem]:
    """Problems whose answers are stored."""
    cases = {case["id"]: case for case in json.loads((REFERENCE / "references.json").read_text())["cases"]}
    problems = []
    for data, models in REFERENCES.items():
        for case in (cases[f"{data}/gaussian/{model}"] for model in models.split()):
            x, k, covariance = reference_rows(case["file"], tuple(case["columns"])), case["k"], case["covariance"]
            problems.append(Problem(f"{data} {covariance}, K = {k}", x, k, covariance, case["loglik"]))
    return problems


def from_the_truth(p: Problem, judge: Judge) -> float:
    """Where a long climb from the truth ends."""
    if p.truth is None:
        return p.known
    end = climb(judge.model, InMemory(p.x), judge.model.from_document(p.truth), LONG)
    return judge(judge.model.to_document(end.parameters))


def measured(p: Problem, judge: Judge, methods: list[str]) -> Runs:
    """Every method in turn, seed by seed."""
    runs: Runs = {method: [] for method in methods}
    for seed in SEEDS:
        for method in methods:
            seconds, document = timed(partial(METHODS[method], p, seed))
            runs[method].append(Run(seconds, judge(document)))
    return runs


def stored() -> dict[str, dict[str, list[list[float]]]]:
    """Of every problem, seconds and height of the runs of each method; `best` holds the highest ever seen."""
    figures: dict[str, dict[str, list[list[float]]]] = json.loads(FIGURES.read_text()) if FIGURES.exists() else {}
    return figures


def store(name: str, runs: Runs, best: float) -> None:
    """A height that JSON cannot hold is read back as it was: Python writes and reads -Infinity."""
    figures = stored()
    figures[name] = {method: [[run.seconds, run.height] for run in of_one] for method, of_one in runs.items()}
    figures[name]["best"] = [[0.0, best]]
    STORE.mkdir(exist_ok=True)
    FIGURES.write_text(json.dumps(figures, indent=1))


def gaps(runs: list[Run], best: float) -> str:
    return " ".join("none" if run.height == -np.inf else f"{max(best - run.height, 0):.2f}" for run in runs)


def solve(p: Problem, only_ours: bool) -> tuple[Runs, float]:
    """The runs of all methods, and the height of the best solution known."""
    judge, before = Judge(p.x, p.k, p.covariance), stored().get(p.name, {})
    known = [Run(*run) for run in before.pop("best", [[0.0, -math.inf]])]
    kept = {method: [Run(*run) for run in of_one] for method, of_one in before.items()}
    reuse = only_ours and set(kept) == set(METHODS)
    runs = kept | measured(p, judge, [EM] if reuse else list(METHODS))
    heights = [run.height for of_one in runs.values() for run in of_one]
    best = max(p.known, known[0].height, from_the_truth(p, judge), *heights)
    store(p.name, runs, best)
    return runs, best


def summarise(solved: dict[str, tuple[Runs, float]], stretched: set[str]) -> None:
    columns = (
        "method",
        "hits",
        "wanted",
        "by seed",
        "CPU, s",
        f"× {DEFAULT}",
        "typical problem",
        f"× {LAST}",
        "wanted",
    )
    table = Table(f"Search: {len(solved)} problems, {len(SEEDS)} seeds", columns)

    def typical(method: str, peer: str) -> float:
        """Times the CPU of the peer, geometric mean over problems."""
        medians = (
            [statistics.median(r.seconds for r in runs[m]) for m in (method, peer)] for runs, _ in solved.values()
        )
        return math.exp(statistics.fmean(math.log(mine / theirs) for mine, theirs in medians))

    def hits(method: str, names: set[str]) -> list[list[bool]]:
        """Of every seed, by problem."""
        return [[solved[n][0][method][s].height >= solved[n][1] - HIT for n in names] for s in range(len(SEEDS))]

    totals = {method: sum(run.seconds for runs, _ in solved.values() for run in runs[method]) for method in METHODS}
    for method, total in totals.items():
        by_seed = hits(method, set(solved))
        share = float(np.mean(by_seed))
        of_last, mine = total / totals[LAST], method == EM
        table.row(
            method,
            f"{share:.3f}",
            table.at_least(share, HITS_WANTED) if mine else "",
            " ".join(str(sum(seed)) for seed in by_seed),
            f"{total:.1f}",
            f"{total / totals[DEFAULT]:.2f}",
            f"{typical(method, DEFAULT):.2f}",
            f"{of_last:.2f}",
            table.at_most(of_last, CPU_WANTED) if mine else "",
            f"{typical(method, LAST):.2f}",
        )
    if stretched:
        reached, runs = int(np.sum(hits(EM, stretched))), len(stretched) * len(SEEDS)
        table.row("em, stretched clusters", f"{reached} of {runs}", table.at_least(reached, runs), *[""] * 7)
    table.close()


def main(words: list[str]) -> None:
    one_thread()
    only_ours = "ours" in words
    problems = {p.name: p for p in referenced() + generated()}
    names = [name for name in problems if name in chosen(list(problems), [word for word in words if word != "ours"])]
    title = "Search, problem by problem: nats below the best known, seed by seed"
    table = Table(title, ("problem", "rows", "best known", *METHODS, "CPU, s: " + ", ".join(METHODS), "load"))
    for method in METHODS.values():  # what is loaded at the first call is not to be counted
        method(problems[names[0]], 0)
    solved = {}
    for name in names:
        p = problems[name]
        runs, best = solved[name] = solve(p, only_ours)
        seconds = (statistics.median(run.seconds for run in runs[method]) for method in METHODS)
        shape = f"{p.x.shape[1]} × {len(p.x)}, K = {p.k}"
        shown = " / ".join(f"{second:.2f}" for second in seconds)
        table.row(name, shape, f"{best:.2f}", *(gaps(runs[method], best) for method in METHODS), shown, load())
    summarise(solved, {name for name in names if problems[name].stretched})


if __name__ == "__main__":
    main(sys.argv[1:])
