"""What a column of numbers is like: told piece by piece, in memory that does not grow with the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.equal_rows import Copies, hashes
from em_cli.sources.examined import Examined

MOST = 1 << 17  # distinct values that are counted one by one
FREQUENT = 64  # of more values those are counted that a share of one in so many bears
TOLD = 1000  # distinct values that are remembered; of more the ends, and the most frequent
ENDS = 2  # values at each end
ENOUGH_DATES = 5


@dataclass(frozen=True, slots=True, eq=False)
class Facts:
    """Of the cells of a column in all rows."""

    n: int  # rows
    n_finite: int
    n_infinite: int
    whole: bool  # all finite cells are whole numbers, and there are some
    first: float  # cell, missing or not
    last: float
    counts_up: bool  # each is one more than the one before
    total: float  # of all cells but the last, missing ones left out
    mean: float
    dates: bool  # the numbers all write a day
    n_distinct: int  # finite values; one more than are counted, where there are more
    values: Array  # of these, in order: all, or the ends and the most frequent
    rows: Integers  # that bear each


@dataclass(frozen=True, slots=True, eq=False)
class _Hashed:
    """The hashes of cells, made when they are asked for."""

    part: Examined

    def read(self) -> Array:
        return hashes(self.part.values[None]).view(np.float64)


class Parts(dict[str, list[Examined]]):
    """Columns, piece by piece, and what they are like."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        super().__init__({name: [] for name in names})
        self._known: dict[str, Facts] = {}

    def facts(self, name: str) -> Facts:
        """Of a column of numbers, found once all rows are there."""
        if name not in self._known:
            self._known[name] = facts_of(part.values for part in self[name])
        return self._known[name]

    def all_differ(self, name: str) -> bool:
        """Whether no two cells of a column of numbers are equal, and none is missing."""
        known = self.facts(name)
        if known.n_distinct <= MOST or known.n_finite < known.n:
            return known.n_distinct == known.n
        return Copies.among([_Hashed(part) for part in self[name]]) is None

    @property
    def n_rows(self) -> int:
        return sum(part.n_rows for part in next(iter(self.values()), []))

    def some(self, names: Sequence[str], rows: Integers) -> Array:
        """The cells (C, m) of some columns in some rows, ascending."""
        taken, first = [], 0
        for cells in self.pieces(names):
            mine = slice(*np.searchsorted(rows, (first, first + cells.shape[1])))
            taken.append(cells[:, rows[mine] - first])
            first += cells.shape[1]
        return np.concatenate(taken, axis=1)

    def pieces(self, names: Sequence[str]) -> Iterator[Array]:
        """The cells (C, m) of some columns, piece by piece."""
        for parts in zip(*(self[name] for name in names), strict=True):
            yield np.array([part.values for part in parts])


class _Tally:
    """Distinct values and how often they come, exact while they are few."""

    def __init__(self) -> None:
        self.values, self.rows = np.empty(0), np.empty(0, np.intp)
        self.too_many = False
        self._waiting: list[Array] = []

    def add(self, values: Array) -> None:
        self._waiting.append(values)
        if sum(map(len, self._waiting)) >= MOST:
            self.settle()

    def settle(self) -> None:
        """Count what waits."""
        if not self._waiting:
            return
        n = sum(map(len, self._waiting))
        values, rows = np.unique(np.concatenate(self._waiting), return_counts=True)
        self._waiting.clear()
        if len(self.values):
            both = np.concatenate([self.values, values])
            self.values, place = np.unique(both, return_inverse=True)
            counts = np.bincount(place, np.concatenate([self.rows, rows]), len(self.values)).astype(np.intp)
            if self.too_many:  # what is frequent in all is so among some
                known = _reduced(values, rows, n)
                kept = np.isin(self.values, both[: len(both) - len(values)]) | np.isin(self.values, known)
                self.values, counts = self.values[kept], counts[kept]
            self.rows = counts
        else:
            self.values, self.rows = values, rows
        if len(self.values) > MOST and not self.too_many:
            self.too_many = True
            kept = np.isin(self.values, _reduced(self.values, self.rows, int(self.rows.sum())))
            self.values, self.rows = self.values[kept], self.rows[kept]


def _reduced(values: Array, rows: Integers, n: int) -> Array:
    """The ends, and the values that a share of n bears."""
    return np.concatenate([values[:ENDS], values[rows >= max(2, n // FREQUENT)], values[-ENDS:]])


def facts_of(pieces: Iterable[Array]) -> Facts:
    """Of a column whose cells come piece by piece; each is read once."""
    n = n_finite = n_infinite = 0
    whole = counts_up = True
    first = last = before = np.nan
    total = finite_sum = 0.0
    tally = _Tally()
    for x in pieces:
        if not len(x):
            continue
        if not n:
            first = float(x[0])
        else:
            counts_up = counts_up and float(x[0]) == before + 1
        counts_up = counts_up and all(bool((some[1:] == some[:-1] + 1).all()) for some in (x[:100], x))
        finite = x[np.isfinite(x)]
        n_infinite += int(np.isinf(x).sum()) if len(finite) < len(x) else 0
        whole = whole and all(bool((some == np.floor(some)).all()) for some in (finite[:100], finite))
        last = before = float(x[-1])
        n, n_finite = n + len(x), n_finite + len(finite)
        with np.errstate(over="ignore"):  # which is refused later, where the cell is known
            finite_sum += float(finite.sum())
        tally.add(finite)
    tally.settle()
    total = finite_sum - (last if np.isfinite(last) else 0.0)
    values, rows = tally.values, tally.rows
    n_distinct = MOST + 1 if tally.too_many else len(values)
    dates = whole and not tally.too_many and _are_dates(values)
    if len(values) > TOLD:
        frequent = values[np.sort(np.argsort(-rows, kind="stable")[:ENDS])]
        kept = np.isin(values, np.concatenate([values[:ENDS], frequent, values[-ENDS:]]))
        values, rows = values[kept], rows[kept]
    mean = finite_sum / n_finite if n_finite else np.nan
    return Facts(
        n, n_finite, n_infinite, whole and n_finite > 0, first, last, counts_up, total, mean, dates, n_distinct,
        values, rows,
    )  # fmt: skip


def _are_dates(distinct: Array) -> bool:
    """Whether whole numbers all write a day, as 20191201 does, or a time of one, as 201912011830 does."""
    if len(distinct) < ENOUGH_DATES:
        return False
    possible = np.ones(len(distinct), np.bool_)
    digits = next((digits for digits in (6, 4, 2) if distinct[0] >= 18e6 * 10.0**digits), 0)  # of the time
    for _ in range(0, digits - 2, 2):
        possible &= distinct % 100 < 60
        distinct = distinct // 100
    if digits:
        possible &= distinct % 100 < 24
        distinct = distinct // 100
    year, month, day = distinct // 10000, distinct // 100 % 100, distinct % 100
    possible &= (year >= 1800) & (year < 2200) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    return bool(possible.all())
