"""Whole runs on files of kinds that people have: what `em fit` and `em select` cost, after the start of the process.

`everyday.py NAME …` keeps some of them: carcinoma, penguins, returns, gaps, mixed. The last three are generated:
returns of a share with days on which nothing happened, a table with a third of its cells missing, and one of 54,000
rows with columns of every kind.
"""

from __future__ import annotations

import contextlib
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from bench import Table, load, one_thread, timed
from program import SAMPLES, in_process
from support import REFERENCE

TURNS = 3


def stored(path: Path) -> pd.DataFrame:
    return pd.read_csv(path)


def returns() -> pd.DataFrame:
    """6,146 daily returns in hundredths of a per cent; one in sixteen is 0."""
    rng = np.random.default_rng(1)
    calm = rng.random(6_146) < 0.7
    change = rng.standard_t(5, 6_146) * np.where(calm, 0.6, 1.8)
    return pd.DataFrame({"change": np.where(rng.random(6_146) < 1 / 16, 0.0, change.round(2))})


def gaps() -> pd.DataFrame:
    """469 × 6 with 884 missing cells, in three groups."""
    rng = np.random.default_rng(2)
    centres = 2.0 * rng.standard_normal((3, 6))
    x = centres[rng.integers(3, size=469)] + rng.standard_normal((469, 6)) @ (np.eye(6) + 0.4)
    x.flat[rng.choice(x.size, 884, replace=False)] = np.nan
    return pd.DataFrame(x.round(2), columns=list("abcdef"))


def mixed() -> pd.DataFrame:
    """54,000 × 10: seven numbers that hang together, three categories."""
    rng = np.random.default_rng(3)
    group = rng.integers(4, size=54_000)
    x = np.exp(0.4 * rng.standard_normal((4, 7)))[group] * np.exp(0.3 * rng.standard_normal((54_000, 7)))
    x[:, 3:] *= x[:, :1]
    table = pd.DataFrame(x.round(2), columns=list("abcdefg"))
    for name, levels in (("cut", 5), ("colour", 7), ("clarity", 8)):
        chances = np.cumsum(rng.dirichlet(np.ones(levels), 4), axis=1)[group]
        table[name] = [f"{name}{level}" for level in (rng.random((54_000, 1)) > chances[:, :-1]).sum(axis=1)]
    return table


@dataclass(frozen=True)
class Run:
    rows: Callable[[], pd.DataFrame]
    command: str
    seconds: float  # of CPU, for the search alone


RUNS = {
    "carcinoma": Run(partial(stored, REFERENCE / "data" / "carcinoma.csv"), "select {file} --k-range 1-6", 0.3),
    "penguins": Run(partial(stored, SAMPLES / "penguins.csv"), "fit {file} -k 3", 0.15),
    "returns": Run(returns, "fit {file} -k 3", 0.5),
    "gaps": Run(gaps, "fit {file} -k 3", 3.0),
    "mixed": Run(mixed, "select {file} --k-range 1-9", 15.0),
}


def main(names: list[str]) -> None:
    one_thread()
    columns = ("data", "command", "whole run, CPU s", "of a fit with one component", "wanted between", "load")
    table = Table("Everyday files", columns)
    with tempfile.TemporaryDirectory() as place, contextlib.chdir(place):
        for name in [name for name in RUNS if name in names] or RUNS:
            run, file = RUNS[name], f"{name}.csv"
            run.rows().to_csv(file, index=False)
            cost = {"whole": run.command.format(file=file), "floor": f"fit {file} -k 1 --restarts 1"}
            seconds = {part: list[float]() for part in cost}
            for _ in range(TURNS):
                for part, command in cost.items():
                    taken, outcome = timed(partial(in_process, [*command.split(), "--out", "run.em", "--force"]))
                    assert outcome.status == 0, outcome.err
                    seconds[part].append(taken)
            whole, floor = (statistics.median(seconds[part]) for part in cost)
            bound = table.at_most(whole - floor, run.seconds)
            table.row(name, f"`em {run.command.format(file=file)}`", f"{whole:.2f}", f"{floor:.2f}", bound, load())
    table.close()


if __name__ == "__main__":
    main(sys.argv[1:])
