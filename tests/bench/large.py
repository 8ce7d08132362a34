"""More rows than memory holds: what a pass costs wherever they lie, and what a fit takes of memory.

`large.py 1e6 5e6 2e7` says of how many rows; of more than 5e6 a pass is measured, and no fit. Rows have 10 columns,
K = 10. Peaks are those of whole processes, from CSV to results, beside what `--dry-run` foretells.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from bench import Table, one_thread, timed
from cluster import drawn
from passes import BIGGEST
from program import ENVIRONMENT, QUICK
from support import bound_model

from em_cli.engine.arrays import stack
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.families.gaussian.options import Gaussian
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory
from em_cli.sources.row_blocks import Blocks, Filling
from em_cli.sources.row_file import READ_FILE
from em_cli.sources.store import Store

SIZES = (1_000_000, 5_000_000, 20_000_000)
MOST_FITTED, TURNS, D = 5_000_000, 4, 10
NOT_SLOWER, LINEAR, RIGHT = 1.05, 1.05, 0.2
PROGRAM, OF_DATA, MB = 150, 1.3, 1e6  # MB, and times the data, that a fit may take
WAYS = {"memory": (None, ""), "mapped": (0.0, ""), "read": (0.0, "1")}  # bytes in memory, whether to read
FIT = ("-k", "10", "--covariance", "diag", "--restarts", "1", "--max-iter", "10", "--se", "none", "-q")
FITTED_IN = {"memory": ("--memory", "8GB"), "disk": ("--memory", "0")}
MEASURED = """
import re, resource, sys
sys.argv = ["em", *sys.argv[1:]]
from em_cli.app import main
try:
    main()
finally:
    spent = resource.getrusage(resource.RUSAGE_SELF)
    print("took", re.search(r"VmHWM:\\s+(\\d+)", open("/proc/self/status").read())[1], spent.ru_utime, spent.ru_stime)
"""


def pieces(n: int) -> Iterator[np.ndarray]:
    mixture, rng = BIGGEST.truth()
    for first in range(0, n, 100_000):
        yield mixture.draw(min(100_000, n - first), rng)


def rows_in(way: str, n: int, folder: Path) -> Blocks:
    """So many rows, where they are to lie."""
    most, os.environ[READ_FILE] = WAYS[way]
    filling, first = Filling(Store(most, folder), D, n, False, False), 0
    for x in pieces(n):
        filling.add(np.arange(first, first + x.shape[1]), list(x))
        first += x.shape[1]
    return filling.done()[0]


class Passing:
    """Passes over rows, always at the same parameters."""

    def __init__(self, way: str, n: int, covariance: str, folder: Path) -> None:
        self.source = rows_in(way, n, folder)
        model = bound_model(Gaussian(covariance), InMemory(next(pieces(1_000))), BIGGEST.k)
        self.stack = Stack(model, stack([model.from_document(BIGGEST.start(covariance))]))

    def ns(self) -> float:
        """Of CPU for a row."""
        seconds, _ = timed(lambda: one_pass([self.stack], self.source, Serial()))
        return 1e9 * seconds / self.source.n_rows


def by_way(n: int, folder: Path) -> None:
    table = Table(f"A pass over {n:.0e} rows, ns of CPU a row", ("covariance", *WAYS, "times memory", "wanted"))
    for covariance in ("diag", "full"):
        passing = {way: Passing(way, n, covariance, folder) for way in WAYS}
        turns = [{way: own.ns() for way, own in passing.items()} for _ in range(TURNS)]
        found = {way: min(turn[way] for turn in turns) for way in WAYS}
        ratio = found["mapped"] / found["memory"]
        table.row(covariance, *found.values(), f"{ratio:.3f}", table.at_most(ratio, NOT_SLOWER))
        for own in passing.values():
            own.source.store.close()
    table.close()


def by_size(sizes: list[int], folder: Path) -> None:
    table, first = Table("A pass over rows on the disk, diag", ("rows", "ns a row", "times the first", "wanted")), 0.0
    for n in sizes:
        passing = Passing("mapped", n, "diag", folder)
        ns = min(passing.ns() for _ in range(TURNS))
        first = first or ns
        table.row(f"{n:.0e}", ns, f"{ns / first:.3f}", table.at_most(ns / first, LINEAR))
        passing.source.store.close()
    table.close()


def run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-c", MEASURED, "fit", "rows.csv", *FIT, *arguments]
    environment = ENVIRONMENT | QUICK | {READ_FILE: "1"}  # so that no pages of the file count as taken
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=True).stdout


def fits(sizes: list[int], folder: Path) -> None:
    columns = ("rows", "in", "data, MB", "foretold, MB", "peak, MB", "foretold / peak", "wanted", "user + sys, s")
    table = Table("A fit from CSV to results", columns)
    for n in sizes:
        drawn(folder / "rows.csv", n)
        for place, options in FITTED_IN.items():
            told = run(folder, *options, "--dry-run")
            found = re.search(r"would take about ([\d,.]+) (MiB|GiB) of memory in all", told)
            assert found is not None, told
            foretold = float(found[1].replace(",", "")) * (2**20 if found[2] == "MiB" else 2**30) / MB
            kilobytes, user, system = map(float, run(folder, *options, "--force", "--out", "o").split()[-3:])
            peak, data = 1024 * kilobytes / MB, 8 * D * n / MB
            ratio = foretold / peak
            most = PROGRAM + (OF_DATA * data if place == "memory" else 0)
            wanted = f"{table.at_most(peak, most)}, {table.at_most(abs(ratio - 1), RIGHT)}"
            spent = f"{user:.1f} + {system:.1f}"
            table.row(f"{n:.0e}", place, f"{data:.0f}", f"{foretold:.0f}", f"{peak:.0f}", ratio, wanted, spent)
    table.close()


def main() -> None:
    sizes = [int(float(word)) for word in sys.argv[1:]] or list(SIZES)
    one_thread()
    with tempfile.TemporaryDirectory() as name:
        by_way(min(sizes), Path(name))
        by_size(sizes, Path(name))
        fits([n for n in sizes if n <= MOST_FITTED], Path(name))


if __name__ == "__main__":
    main()
