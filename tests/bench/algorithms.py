"""Every algorithm from one poor start: an easy problem, an overlapping one, a million rows; and 50 components.

How far below the best end each is after so many passes over the rows, after so many CPU seconds, and at its end.
`algorithms.py WORD …` keeps the problems and algorithms that have all the words, such as `easy cem`.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Generator
from dataclasses import dataclass, field
from functools import cache
from typing import Any, ClassVar

import numpy as np
from bench import Table, afresh, chosen, load
from support import bound_model, responsibilities, start

from em_cli.algorithms import ALGORITHMS
from em_cli.engine.arrays import Array, Integers
from em_cli.engine.climb import Candidate
from em_cli.engine.events import FitEvent, Iterated
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.fit import fit
from em_cli.engine.model import Model
from em_cli.engine.protocols import Algorithm, Query
from em_cli.engine.stopping import Stopping
from em_cli.families.gaussian.options import Gaussian
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory
from em_cli.starts.kmeans import KMeans

PROBLEMS = {  # rows, columns, components, least distance of their means, in standard deviations
    "easy": (10_000, 2, 4, 4.0),
    "overlapping": (10_000, 3, 5, 1.2),
    "1e6": (1_000_000, 5, 5, 2.0),
    "many": (20_000, 4, 50, 2.0),
}
AT = (5, 10, 20, 50)  # passes
SECONDS = {
    "easy": (0.02, 0.05, 0.1, 0.2),
    "overlapping": (0.05, 0.1, 0.2, 0.5),
    "1e6": (1, 2, 5, 10),
    "many": (0.5, 1, 2, 5),
}
LEFT_OUT = {"1e6": ("sem", "saem")}  # 400 passes each
FROM_KMEANS = ("many",)  # where a start that knows little has one component for all rows
TO_THE_END, BRIEFLY = Stopping(0.01, 3000), Stopping(0.01, 150)


@dataclass
class Counted:
    """An algorithm, how many passes it has asked for, and where it stood after how many and how much CPU time."""

    by: Algorithm
    passes: float = 0.0
    begun: float = field(default_factory=time.process_time)
    memoryless: ClassVar[bool] = False  # so that it is asked for every step
    stood: list[tuple[float, float, float]] = field(default_factory=list)  # passes, seconds, log-likelihood

    def __getattr__(self, name: str) -> Any:
        return getattr(self.by, name)

    def iterate(self, model: Model, start: Parameters | Expectation) -> Generator[Query, Expectation, None]:
        asking = self.by.iterate(model, start)
        query = next(asking)
        while True:
            self.passes += 1 / query.rows.of if query.rows else 1
            found = yield query
            try:
                query = asking.send(found)
            except StopIteration:
                return

    def __call__(self, event: FitEvent) -> None:
        if isinstance(event, Iterated):
            self.stood.append((self.passes, time.process_time() - self.begun, event.log_likelihood))


@cache
def problem(name: str) -> tuple[Array, Integers, Model, Parameters]:
    """Rows, their components, the model and a start that knows little of them."""
    n, d, k, apart = PROBLEMS[name]
    rng = np.random.default_rng((n, d, k))
    centres = rng.standard_normal((k, d))
    centres *= apart / np.min(np.linalg.norm(centres[:, None] - centres, axis=2)[np.triu_indices(k, 1)])
    labels = rng.choice(k, n, p=np.arange(1, k + 1) / (k * (k + 1) / 2))
    x = np.ascontiguousarray((centres[labels] + rng.standard_normal((n, d)) * rng.uniform(0.7, 1.3, k)[labels, None]).T)
    model = bound_model(Gaussian("full"), InMemory(x), k)
    begin = (
        np.eye(k)[:, KMeans().labels(x, k, (0, k, 0))] if name in FROM_KMEANS else responsibilities(1, labels, k, 0.97)
    )
    return x, labels, model, start(model, x, begin)


def climbed(name: str, algorithm: str, from_truth: bool = False) -> tuple[list[tuple[float, float, float]], float]:
    """Where a climb stood, and the log-likelihood of its end."""
    x, labels, model, begin = problem(name)
    if from_truth:
        begin = start(model, x, np.eye(model.n_components)[:, labels])
    counted = Counted(ALGORITHMS.load(algorithm)())
    candidate = Candidate(model, counted, begin, 0)
    (end,) = fit([candidate], InMemory(x), Serial(), BRIEFLY if name == "1e6" else TO_THE_END, counted)
    return counted.stood, end.log_likelihood


def compared(name: str, algorithms: list[str]) -> dict[str, tuple[list[tuple[float, float, float]], float]]:
    return {algorithm: climbed(name, algorithm) for algorithm in algorithms} | {"": climbed(name, "lbfgs", True)}


def main(filters: list[str]) -> None:
    pairs = [f"{name} {algorithm}" for name in PROBLEMS for algorithm in ALGORITHMS]
    wanted = [pair.split() for pair in chosen(pairs, filters)]
    for name in dict.fromkeys(name for name, _ in wanted):
        n, d, k, _ = PROBLEMS[name]
        own = [algorithm for at, algorithm in wanted if at == name and algorithm not in LEFT_OUT.get(name, ())]
        found = afresh(compared, name, own)
        best = max(end for _, end in found.values())
        title = f"Nats below the best end, {name}: {n:,} × {d}, K = {k}, one thread"
        after = (*(f"{at} passes" for at in AT), *(f"{at:g} s" for at in SECONDS[name]))
        table = Table(title, ("algorithm", *after, "at its end", "passes", "CPU, s", "load"))
        for algorithm in own:
            stood, end = found[algorithm]
            done = [below(best, [(p, h) for p, _, h in stood], at) for at in AT]
            done += [below(best, [(s, h) for _, s, h in stood], at) for at in SECONDS[name]]
            table.row(algorithm, *done, f"{best - end:,.3g}", f"{stood[-1][0]:.0f}", f"{stood[-1][1]:.2f}", load())
        table.close()


def below(best: float, stood: list[tuple[float, float]], at: float) -> str:
    """Nats below the best after so many passes or seconds; a dash where the climb had ended, or had not begun."""
    if at >= stood[-1][0] or at < stood[0][0]:
        return "–"
    return f"{best - next(height for when, height in reversed(stood) if when <= at):,.4g}"


if __name__ == "__main__":
    main(sys.argv[1:])
