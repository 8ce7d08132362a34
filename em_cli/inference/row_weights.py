"""How much each row counts in a replicate; it depends on the seed and the number of the replicate alone.

Nonparametric (Efron 1979), weighted likelihood (Newton & Raftery 1994) and the jackknife (Tukey 1958).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.cache import SUM_ROWS
from em_cli.engine.rows import RowWeights, Source, checked_groups


def weights_of(kind: str, n: int, number: int, seed: int) -> Array:
    """(n,) how much each unit counts in a replicate; they sum to n, but in the jackknife."""
    if kind == "jackknife":
        kept = np.ones(n)
        kept[number] = 0.0
        return kept
    rng = np.random.default_rng((seed, number))
    return _shares(rng, n, n) if kind == "weighted" else _counts(rng, n, n)


def row_weights(kind: str, source: Source, number: int, seed: int) -> RowWeights:
    """(n,) the same of rows, which count alike in a group."""
    if source[0].groups is not None:
        lengths = lengths_of_groups(source)
        return np.repeat(weights_of(kind, len(lengths), number, seed), lengths)
    if source.n_rows <= SUM_ROWS:
        return weights_of(kind, source.n_rows, number, seed)
    return BlockWeights(kind, source.n_rows, number, seed)


def lengths_of_groups(source: Source) -> Integers:
    """(G,) rows of each group, where rows are in groups."""
    return np.concatenate([np.diff(checked_groups(source[index])) for index in range(len(source))])


@dataclass(slots=True, eq=False, weakref_slot=True)
class BlockWeights:
    """(n,) how much each of many rows counts, drawn by the block whenever it is asked for.

    What falls to a block is drawn first: multinomial counts, or the gamma variables that sums of exponential ones are.
    """

    kind: str
    n: int
    number: int
    seed: int
    _totals: Array = field(init=False)  # (B,) of the blocks
    _last: tuple[int, Array] = field(default=(-1, np.empty(0)), init=False)

    def __post_init__(self) -> None:
        rng = np.random.default_rng((self.seed, self.number))
        sizes = np.array([min(SUM_ROWS, self.n - first) for first in range(0, self.n, SUM_ROWS)])
        if self.kind == "weighted":
            drawn = rng.standard_gamma(sizes)
            self._totals = drawn * (self.n / drawn.sum())
        else:
            self._totals = rng.multinomial(self.n, sizes / self.n).astype(np.float64)

    def __getitem__(self, rows: slice) -> Array:
        first, stop, _ = rows.indices(self.n)
        parts = []
        for index in range(first // SUM_ROWS, -(-stop // SUM_ROWS)):
            begin = index * SUM_ROWS
            parts.append(self._block(index)[max(0, first - begin) : stop - begin])
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    def _block(self, index: int) -> Array:
        last, numbers = self._last
        if last != index:
            numbers = self._drawn(index)
            self._last = index, numbers
        return numbers

    def _drawn(self, index: int) -> Array:
        first = index * SUM_ROWS
        n = min(SUM_ROWS, self.n - first)
        if self.kind == "jackknife":
            kept = np.ones(n)
            kept[np.arange(first, first + n) == self.number] = 0.0
            return kept
        rng, total = np.random.default_rng((self.seed, self.number, index)), self._totals[index]
        return _shares(rng, n, float(total)) if self.kind == "weighted" else _counts(rng, n, int(total))


def _shares(rng: np.random.Generator, n: int, total: float) -> Array:
    drawn: Array = rng.standard_exponential(n)
    shares: Array = drawn * (total / drawn.sum())
    return shares


def _counts(rng: np.random.Generator, n: int, total: int) -> Array:
    counted: Array = np.bincount(rng.integers(0, n, total), minlength=n).astype(np.float64)
    return counted
