"""How many values of a column differ, and by how little: told by sums over blocks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from em_cli.engine.arrays import Array, Integers

MOST = 1 << 17  # values that are kept; where there are more, they are only counted, by a hash
MARKS = 20  # binary digits of a hash
HASH = np.uint64(0x9E3779B97F4A7C15)  # 2⁶⁴ over the golden ratio


Bits = NDArray[np.uint8]  # eight flags each


@dataclass(frozen=True, eq=False)
class Distinct:
    """The distinct values of some cells of a column; they add over cells.

    While they are few they are kept, and all is exact. Of more only hashes are remembered, which tell their
    number to a few percent (linear counting, Whang et al. 1990), beside what is known of those that came first: the
    smallest difference of these is that of all, where values are rounded to a grid.
    """

    cells: tuple[Array, ...]  # none missing, some repeated; those not yet hashed, where there are too many
    first: tuple[int, float] | None = None  # of the values that came first, where there are too many: number and gap
    marks: Bits | None = None  # of the hashes of cells that are not kept

    def __add__(self, other: Distinct) -> Distinct:
        marks = other.marks if self.marks is None else self.marks
        if self.marks is not None and other.marks is not None:
            marks = self.marks | other.marks
        both = Distinct(self.cells + other.cells, other.first if self.first is None else self.first, marks)
        return both if sum(map(len, both.cells)) <= 2 * MOST else both.settled

    @cached_property
    def settled(self) -> Distinct:
        """The same with each value once, or hashed if they are too many."""
        if self.marks is None:
            values = _each_once(np.concatenate(self.cells))
            if len(values) <= MOST:
                return Distinct((values,))
            return Distinct((), (len(values), _gap(values)), _marked(values))
        return Distinct((), self.first, self.marks | _marked(*self.cells)) if self.cells else self

    @property
    def at_least(self) -> int:
        """So many values differ, or more."""
        found = self.settled
        if found.first is None or found.marks is None:
            return len(found.cells[0])
        return max(found.first[0], _n_marked(found.marks))

    @property
    def about(self) -> float:
        """How many values differ: exact while they are kept, infinite where no hash is left."""
        marks = self.settled.marks
        if marks is None:
            return self.at_least
        left = 1 - _n_marked(marks) / (1 << MARKS)
        return -(1 << MARKS) * float(np.log(left)) if left else float("inf")

    @property
    def gap(self) -> float:
        """The smallest difference between two values; 0 if there is only one."""
        found = self.settled
        return _gap(found.cells[0]) if found.first is None else found.first[1]


def _gap(values: Array) -> float:
    return float(np.diff(values).min()) if len(values) > 1 else 0.0


def _each_once(values: Array) -> Array:
    ordered = np.sort(values)
    steps = np.ones(len(ordered), np.bool_)
    np.not_equal(ordered[1:], ordered[:-1], out=steps[1:])
    return ordered[steps]


def _marked(*parts: Array) -> Bits:
    flags = np.zeros(1 << MARKS, np.bool_)
    for values in parts:
        flags[_hashes(values)] = True
    return np.packbits(flags)


def _n_marked(marks: Bits) -> int:
    return int(np.bitwise_count(marks).sum())


def _hashes(values: Array) -> Integers:
    hashes = (values + 0.0).view(np.uint64)  # -0.0 is no value of its own
    hashes *= HASH
    hashes >>= np.uint64(64 - MARKS)
    return hashes.view(np.intp)
