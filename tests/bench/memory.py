"""Memory of a fit in a fresh interpreter: the peak above what the imports take, in sizes of the data.

The data themselves count: 1 is a fit that needs nothing else.
"""

from __future__ import annotations

import resource
from collections.abc import Callable
from pathlib import Path

from bench import Table, afresh
from passes import BIGGEST
from problems import Array
from support import bound_model, climb, default_plan, find_one

from em_cli.engine.stopping import Stopping
from em_cli.families.gaussian.options import Gaussian
from em_cli.sources.in_memory import InMemory

WANTED = 1.5
TWENTY = Stopping(0.01, 20)


def climbed(x: Array) -> None:
    source = InMemory(x)
    model = bound_model(Gaussian(), source, BIGGEST.k)
    climb(model, source, model.from_document(BIGGEST.start("full")), TWENTY)


def searched(x: Array) -> None:
    find_one(Gaussian(), x, BIGGEST.k, default_plan(TWENTY))


FITS = {"a climb from a given start, 20 iterations": climbed, "the default search, at most 20 iterations": searched}


def peak() -> float:
    """Of this process so far, in MB."""
    status = Path("/proc/self/status")
    if status.exists():  # what getrusage says may be the parent's, from before the program was loaded
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def memory_estimate(fit: Callable[[Array], None]) -> tuple[float, float, float]:
    """The peak before the data were made, the size of the data, and the peak at the end, in MB."""
    before, x = peak(), BIGGEST.rows()
    fit(x)
    return before, x.nbytes / 2**20, peak()


def main() -> None:
    table = Table("Memory at 1e6 × 10, K = 10", ("fit", "imports, MB", "data, MB", "peak, MB", "sizes", "wanted"))
    for name, fit in FITS.items():
        before, size, after = afresh(memory_estimate, fit)
        sizes = (after - before) / size
        table.row(name, before, size, after, f"{sizes:.2f}", table.at_most(sizes, WANTED))
    table.close()


if __name__ == "__main__":
    main()
