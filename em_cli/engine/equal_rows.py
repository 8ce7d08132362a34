"""Which rows are equal, told by a hash of each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.rows import Held, Here, Source

FACTORS = np.array([0x9E3779B97F4A7C15, 0xD1342543DE82EF95], np.uint64)  # odd, their bits without a pattern
SHIFT = np.uint64(32)

AT_ONCE = 1 << 22  # hashes that are compared with each other
MOST_KEPT = 1 << 21  # that several rows have; where there are more, those of the most rows

Hashes = NDArray[np.uint64]


def hashes(x: Array) -> Hashes:
    """(n,) of the rows x (D, n); a missing cell is a value of its own."""
    found = np.zeros((2, x.shape[1]), np.uint64)
    for values in x:
        cells = np.where(np.isnan(values), np.nan, values + 0.0).view(np.uint64)  # one NaN for all; -0.0 is 0.0
        for own, factor in zip(found, FACTORS, strict=True):
            own ^= cells
            own *= factor
            own ^= own >> SHIFT
    both: Hashes = found[0] + found[1] * FACTORS[0]
    return both


@dataclass(frozen=True, slots=True, eq=False)
class Copies:
    """Which rows are equal to others: told by hashes that several rows have, and the number of these rows."""

    hashes: Hashes  # in order
    rows: Integers
    more: int  # so many rows are there again

    @staticmethod
    def among(parts: Sequence[Held]) -> Copies | None:
        """Those of rows whose hashes are kept in parts, in as many rounds as they are many; None if all differ."""
        n = sum(len(part.read()) for part in parts)
        n_rounds = -(-n // AT_ONCE)
        known, rows, more = np.empty(0, np.uint64), np.empty(0, np.intp), 0
        for turn in range(n_rounds):
            own, of_own = _repeated(np.concatenate(list(_of_round(parts, turn, n_rounds))))
            more += int((of_own - 1).sum())
            known, rows = _most(np.concatenate([known, own]), np.concatenate([rows, of_own]))
        return Copies(known, rows, more) if len(known) else None

    def of(self, x: Array) -> Array:
        """(n,) How many rows are equal to each of the rows x (D, n)."""
        own, counts = hashes(x), np.ones(x.shape[1])
        place = np.searchsorted(self.hashes, own).clip(max=len(self.hashes) - 1)
        there = self.hashes[place] == own
        counts[there] = self.rows[place[there]]
        return counts


def _of_round(parts: Sequence[Held], turn: int, n_rounds: int) -> Iterator[Hashes]:
    """The hashes of one of so many ranges of equal width."""
    width = (1 << 64) // n_rounds + 1
    for part in parts:
        own = part.read().view(np.uint64)
        yield own if n_rounds == 1 else own[own // np.uint64(width) == np.uint64(turn)]


def _repeated(own: Hashes) -> tuple[Hashes, Integers]:
    """Those that come more than once, in order, and how often."""
    own.sort()
    same = own[1:] == own[:-1]
    if not same.any():
        return own[:0], np.empty(0, np.intp)
    starts = np.flatnonzero(np.concatenate([[True], ~same]))
    rows = np.diff(np.append(starts, len(own)))
    several = rows > 1
    return own[starts[several]], rows[several]


def _most(known: Hashes, rows: Integers) -> tuple[Hashes, Integers]:
    """As many as are kept, those of the most rows; of alike ones the first. In order, as they are given."""
    if len(known) <= MOST_KEPT:
        return known, rows
    kept = np.sort(np.argsort(-rows, kind="stable")[:MOST_KEPT])
    return known[kept], rows[kept]


def multiplicity(source: Source) -> Array | None:
    """(n,) How many rows are equal to each; None if no two are. Each block is read twice."""
    kept = [Here(hashes(source[index].x).view(np.float64)) for index in range(len(source))]
    found = Copies.among(kept)
    return None if found is None else np.concatenate([found.of(source[index].x) for index in range(len(source))])
