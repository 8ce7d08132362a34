"""One pass of EM beside Armadillo's gmm_full and gmm_diag in C++, from the same start; CPU time on one thread.

`armadillo.py WORD …` keeps the rows that have all the words: full or diag; 1e5, 1e6. It needs a C++
compiler and Armadillo (Debian: g++, libarmadillo-dev), and is skipped where they are not.
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
from bench import Table, chosen, load, one_thread, timed
from passes import SIZES, Size, ours_on

PROGRAM = Path(__file__).with_suffix(".cpp")
BUILD = ["g++", "-std=c++17", "-O3", "-march=native", "-DNDEBUG", "-DARMA_NO_DEBUG", "-DARMA_DONT_USE_OPENMP"]
FEW = 2  # iterations; what more of them take is what counts
MORE_ROWS = 4_000_000  # of all the iterations more, so that they can be timed
TURNS = 5
WANTED = 6.0  # times our pass


def built(folder: Path) -> Path | None:
    """The program, if it can be built here."""
    program = folder / "armadillo"
    if shutil.which(BUILD[0]) is None:
        return None
    made = subprocess.run([*BUILD, str(PROGRAM), "-o", str(program), "-larmadillo"], capture_output=True)
    return program if made.returncode == 0 else None


def compare(program: Path, folder: Path, size: Size, covariance: str) -> tuple[float, float, float]:
    """Seconds per pass, ours and theirs, and how far the log-likelihoods are apart, relative."""
    x = size.rows()
    document = size.start(covariance)
    start = np.concatenate([np.ravel(document[name]) for name in ("weights", "means", "covariances")])
    start.tofile(folder / "start")
    np.ascontiguousarray(x.T).tofile(folder / "data")
    more = MORE_ROWS // size.n
    words = [covariance, "data", "start", size.n, size.d, size.k, FEW, FEW + more]
    ours, turns = ours_on(x, size, covariance), []
    trace = ours.steps(FEW)
    for _ in range(TURNS):
        seconds, found = timed(partial(ours.steps, more))
        trace += found
        answer = subprocess.run([program, *map(str, words)], cwd=folder, check=True, capture_output=True, text=True)
        their_seconds, their_end = map(float, answer.stdout.split())
        turns.append((seconds / more, their_seconds))
    trace += ours.steps(1)
    mine, yours = (statistics.median(turn[i] for turn in turns) for i in (0, 1))
    return mine, yours, abs(trace[FEW + more] / their_end - 1)


def main(filters: list[str]) -> None:
    one_thread()
    with tempfile.TemporaryDirectory(prefix="em-bench-") as name:
        folder = Path(name)
        program = built(folder)
        if program is None:
            print("\narmadillo: skipped; no C++ compiler, or no Armadillo (Debian: g++, libarmadillo-dev)")
            return
        columns = ("pass", "em, ms CPU", "Armadillo, ms CPU", "times", "wanted", "log-likelihoods differ by", "load")
        table = Table("One pass of EM beside Armadillo, one thread", columns)
        rows = {f"{c} {size.name}": (size, c) for c in ("full", "diag") for size in (SIZES[1], SIZES[3])}
        for row in chosen(list(rows), filters):
            ours, theirs, apart = compare(program, folder, *rows[row])
            ratio = theirs / ours
            wanted = table.at_least(ratio, WANTED)
            table.row(row, 1e3 * ours, 1e3 * theirs, f"{ratio:.1f}", wanted, f"{apart:.0e}", load())
        table.close()


if __name__ == "__main__":
    main(sys.argv[1:])
