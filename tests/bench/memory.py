"""Memory of a fit in a fresh interpreter: the peak above what the imports take, in sizes of the data.

The data themselves count: 1 is a fit that needs nothing else.
"""

from __future__ import annotations

import resource
import subprocess
import sys
from pathlib import Path

from bench import Table

WANTED = 1.5
FITS = {"a climb from a given start, 20 iterations": "climb", "the default search, at most 20 iterations": "search"}


def peak() -> float:
    """Of this process so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says may be the parent's, from before the program was loaded
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def child(kind: str) -> None:
    """Print the peak before the data were made, the size of the data, and the peak at the end."""
    from bench import one_thread
    from passes import BIGGEST, start_document
    from support import bound_model, climb, default_plan, find_one

    from em_cli.engine.stopping import Stopping
    from em_cli.families.gaussian import Gaussian
    from em_cli.sources.memory import InMemory

    one_thread()
    before, k, twenty = peak(), BIGGEST.k, Stopping(0.01, 20)
    x = BIGGEST.rows()
    begin = start_document(x[:, :10_000], k, "full")
    if kind == "climb":
        model = bound_model(Gaussian(), InMemory(x), k)
        climb(model, InMemory(x), model.from_document(begin), twenty)
    else:
        find_one(Gaussian(), x, k, default_plan(twenty))
    print(before, x.nbytes / 2**20, peak())


def main() -> None:
    table = Table("Memory at 1e6 × 10, K = 10", ("fit", "imports, MB", "data, MB", "peak, MB", "sizes", "wanted"))
    for name, kind in FITS.items():
        answer = subprocess.run([sys.executable, __file__, kind], check=True, capture_output=True, text=True).stdout
        before, size, after = (float(word) for word in answer.split())
        sizes = (after - before) / size
        table.row(name, before, size, after, f"{sizes:.2f}", table.at_most(sizes, WANTED))
    table.close()


if __name__ == "__main__":
    if sys.argv[1:]:
        child(sys.argv[1])
    else:
        main()
