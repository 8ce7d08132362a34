"""Some of the rows of a source: those that an algorithm looks at in one of its smaller steps."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.assignment import uniform
from em_cli.engine.cache import SUM_ROWS, FeatureCache
from em_cli.engine.rows import Block, Held, Source

REMEMBERED = 128  # parts


@dataclass(frozen=True, slots=True)
class Part:
    """One of so many parts into which the rows fall by lot; which row falls into which follows from the seed alone.

    Without a seed, rows that follow each other are a part.
    """

    number: int  # from 0
    of: int
    seed: int | None


class Parts:
    """The parts of one source, each made once as long as it is remembered."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self._made: dict[Part, Source] = {}
        self._lots: dict[tuple[int, int | None], list[tuple[int, slice, Integers]]] = {}

    def __call__(self, part: Part | None) -> Source:
        if part is None or part.of == 1:
            return self.source
        if part not in self._made:
            if len(self._made) >= REMEMBERED:
                self._made.pop(next(iter(self._made)))
            lots = self._cast(part.of, part.seed)
            own = [(index, rows.start + np.flatnonzero(lot == part.number)) for index, rows, lot in lots]
            self._made[part] = SomeRows(self.source, [(index, rows) for index, rows in own if len(rows)] or own[:1])
        return self._made[part]

    def _cast(self, of: int, seed: int | None) -> list[tuple[int, slice, Integers]]:
        """The part of each row, quantum by quantum: the block that it is in, its rows there, and their lots."""
        if (of, seed) not in self._lots:
            blocks = (self.source[index] for index in range(len(self.source)))
            self._lots.clear()
            self._lots[of, seed] = [
                (block.index, rows, self._lots_of(block.first_row + rows.start, rows.stop - rows.start, of, seed))
                for block in blocks
                for rows in block.pieces(SUM_ROWS)
            ]
        return self._lots[of, seed]

    def _lots_of(self, first: int, n: int, of: int, seed: int | None) -> Integers:
        if seed is None:
            return np.arange(first, first + n) * of // self.source.n_rows
        lots: Integers = (uniform(seed, first, n) * of).astype(np.intp)
        return lots


@dataclass(frozen=True, slots=True, eq=False)
class SomeRows:
    """A source of some rows of another: its blocks are what is left of the quanta of that one, whatever its blocks."""

    place: ClassVar[None] = None

    source: Source
    rows: list[tuple[int, Integers]]  # of which block, at which places in it

    cache: FeatureCache = field(default_factory=FeatureCache, init=False, repr=False)

    @property
    def n_rows(self) -> int:
        return sum(len(rows) for _, rows in self.rows)

    @property
    def n_columns(self) -> int:
        return self.source.n_columns

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Block:
        place, rows = self.rows[index]
        return replace(self.source[place].cut(rows), index=index)

    def keep(self, numbers: Array) -> Held:
        return self.source.keep(numbers)

    def in_pattern_order(self) -> Source:
        return self
