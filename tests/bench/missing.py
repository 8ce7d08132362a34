"""One pass of EM over rows with missing cells, beside one over the same rows complete: CPU time on one thread.

A fifth of the cells is missing, in 200 patterns, or in as many as chance makes; rows of one pattern
stand together, as a search puts them. `missing.py WORD …` keeps the rows that have all the words.
"""

from __future__ import annotations

import statistics
import sys
from functools import partial

import numpy as np
from bench import Table, afresh, chosen, load, timed
from passes import TURNS, Ours, Size, ours_on
from problems import CHECK_SEED, Array

from em_cli.engine.scoring import score_rows
from em_cli.sources.in_memory import InMemory

SIZE = Size(100_000, 10, 5, {})
SHARE = 0.2
PATTERNS = 200
SHARE_BEFORE = 0.25  # of missing cells, so that a fifth are in the patterns of most rows
MOST = 6.0  # passes over complete rows
STRUCTURES = ("full", "tied", "diag")
ALIKE = 1e-10  # log-likelihoods, relative, in any order of the rows


def with_gaps(x: Array, n_patterns: int | None) -> Array:
    """The rows with a fifth of their cells missing, in so many patterns; None for as many as chance makes."""
    rng = np.random.default_rng((CHECK_SEED, 20))
    d, n = x.shape
    missing = rng.random((n, d)) < (SHARE if n_patterns is None else SHARE_BEFORE)
    if n_patterns is not None:
        _, pattern, rows = np.unique(missing, axis=0, return_inverse=True, return_counts=True)
        common = (np.argsort(np.argsort(-rows)) < n_patterns)[pattern.ravel()]
        missing[~common] = missing[rng.choice(np.flatnonzero(common), n - common.sum())]
    missing[missing.all(axis=1)] = False
    return np.where(missing.T, np.nan, x)


def compare(covariance: str, n_patterns: int | None) -> tuple[float, float, float, int, float]:
    """Seconds per pass, over complete rows and those with gaps; the ratio; patterns; the share of missing cells."""
    x = SIZE.rows()
    gaps = with_gaps(x, n_patterns)
    ordered = InMemory(gaps).in_pattern_order()
    assert isinstance(ordered, InMemory)
    complete, lacking = ours_on(x, SIZE, covariance), ours_on(ordered.x, SIZE, covariance)
    check(lacking, gaps)
    turns = []
    for _ in range(1 + TURNS):
        turns.append([timed(partial(one.steps, 2))[0] / 2 for one in (complete, lacking)])
    ratio = statistics.median(b / a for a, b in turns[1:])
    mine, its = (statistics.median(turn[i] for turn in turns[1:]) for i in (0, 1))
    return mine, its, ratio, len(np.unique(np.isnan(gaps), axis=1).T), float(np.isnan(gaps).mean())


def check(lacking: Ours, gaps: Array) -> None:
    """The pass finds the log-likelihood that the rows have when they are scored as they come."""
    model = lacking.model
    alone = score_rows(model, model.from_document(lacking.document()), gaps).log_density.sum()
    assert abs(lacking.step() / alone - 1) < ALIKE


def main(filters: list[str]) -> None:
    columns = ("pass", "patterns", "missing", "complete, ms CPU", "with gaps, ms CPU", "times", "wanted", "load")
    table = Table(f"One pass of EM where cells are missing, {SIZE.name}, one thread", columns)
    rows = {f"{c} {p or 'any'}": (c, p) for c in STRUCTURES for p in (PATTERNS, None)}
    for name in chosen(list(rows), filters):
        covariance, n_patterns = rows[name]
        complete, lacking, ratio, patterns, share = afresh(compare, covariance, n_patterns)
        wanted = table.at_most(ratio, MOST) if n_patterns and covariance == "full" else ""
        table.row(covariance, patterns, f"{share:.0%}", 1e3 * complete, 1e3 * lacking, f"{ratio:.1f}", wanted, load())
    table.close()


if __name__ == "__main__":
    main(sys.argv[1:])
