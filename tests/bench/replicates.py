"""One pass of bootstrap replicates: with weights of each one's own, and without, on one thread."""

from __future__ import annotations

import statistics
import sys
from dataclasses import dataclass

import numpy as np
from bench import Table, afresh, chosen, load, timed
from support import bound_model, responsibilities, start

from em_cli.engine.arrays import stack
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.families.gaussian.options import Gaussian
from em_cli.inference.row_weights import weights_of
from em_cli.runners.serial import Serial
from em_cli.sources.in_memory import InMemory

WANTED = 1.15  # times a pass without weights
TURNS = 15


@dataclass(frozen=True)
class Size:
    n: int
    d: int
    k: int
    replicates: int

    @property
    def name(self) -> str:
        return f"{self.replicates} of {self.n} × {self.d}, K = {self.k}"


SIZES = [Size(272, 2, 2, 999), Size(272, 2, 3, 999), Size(20_000, 4, 4, 50)]


def compare(size: Size, covariance: str) -> tuple[float, float]:
    """Seconds per pass without weights of their own, and how many times as many with them."""
    rng = np.random.default_rng((size.n, size.d))
    labels = rng.integers(size.k, size=size.n)
    x = rng.standard_normal((size.d, size.n)) + 2 * labels
    source = InMemory(x)
    model = bound_model(Gaussian(covariance), source, size.k)
    points = [start(model, x, responsibilities(seed, labels, size.k, 0.5)) for seed in range(8)]
    at = stack([points[r % 8] for r in range(size.replicates)])
    own = [weights_of("nonparametric", size.n, number, 0) for number in range(size.replicates)]
    plain, weighted = Stack(model, at), Stack(model, at, weights=own)
    turns = []
    for _ in range(1 + TURNS):
        without, _ = timed(lambda: one_pass([plain], source, Serial()))
        under, _ = timed(lambda: one_pass([weighted], source, Serial()))
        turns.append((without, under / without))
    seconds, ratios = zip(*turns[1:], strict=True)  # the first warms both
    return statistics.median(seconds), statistics.median(ratios)


def main(filters: list[str]) -> None:
    table = Table("A pass of replicates, one thread", ("pass", "without weights, ms CPU", "times", "wanted", "load"))
    rows = {
        f"{covariance} {size.name}": (size, covariance) for covariance in ("full", "diag", "tied") for size in SIZES
    }
    for name in chosen(list(rows), filters):
        seconds, ratio = afresh(compare, *rows[name])
        table.row(name, 1e3 * seconds, f"{ratio:.2f}", table.at_most(ratio, WANTED), load())
    table.close()


if __name__ == "__main__":
    main(sys.argv[1:])
