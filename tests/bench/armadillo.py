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
from pathlib import Path

import numpy as np
from bench import Table, chosen, load, one_thread, timed
from passes import SIZES, Size, ours_on, start_document

PROGRAM = Path(__file__).with_suffix(".cpp")
BUILD = ["g++", "-std=c++17", "-O3", "-march=native", "-DNDEBUG", "-DARMA_NO_DEBUG", "-DARMA_DONT_USE_OPENMP"]
FEW, MANY = 2, 6  # iterations; the difference is what is counted
TURNS = 3
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
    document = start_document(x, size.k, covariance)
    start = np.concatenate([np.ravel(document[name]) for name in ("weights", "means", "covariances")])
    start.tofile(folder / "start")
    np.ascontiguousarray(x.T).tofile(folder / "data")
    ours, seconds, theirs = ours_on(x, size.k, covariance), [], []
    trace = ours.steps(1)
    for turn in range(TURNS):
        words = [covariance, "data", "start", size.n, size.d, size.k, FEW, MANY, 1]
        answer = subprocess.run([program, *map(str, words)], cwd=folder, check=True, capture_output=True, text=True)
        theirs.append(float(answer.stdout.split()[0]))
        if turn == 0:
            trace += ours.steps(MANY)
        count = max(MANY, size.steps)
        seconds.append(timed(lambda count=count: ours.steps(count))[0] / count)  # type: ignore[misc]
    apart = abs(trace[MANY] / float(answer.stdout.split()[-1]) - 1)
    return statistics.median(seconds), statistics.median(theirs), apart


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
