"""Rows held in memory."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.cache import SUM_ROWS, FeatureCache
from em_cli.engine.patterns import pattern_order
from em_cli.engine.rows import Block, Here, Source, bounds_of_pieces

BLOCK_ROWS = SUM_ROWS


@dataclass(frozen=True, slots=True, eq=False)
class InMemory:
    """Columns × rows in one array; a block is a view of it.

    Sums over the rows have the same bits for all `block_rows` that are multiples of SUM_ROWS.
    """

    place: ClassVar[None] = None

    x: Array  # (D, n)
    weights: Array | None = None  # (n,)
    labels: Integers | None = None  # (n,) known components; -1 where none is known
    block_rows: int = BLOCK_ROWS
    groups: Integers | None = None  # (G + 1,) where each group of rows that belong together begins, and n at last

    cache: FeatureCache = field(default_factory=FeatureCache, init=False, repr=False)
    _bounds: list[int] = field(init=False, repr=False)  # of the blocks

    def __post_init__(self) -> None:
        object.__setattr__(self, "_bounds", _bounds(self.n_rows, self.groups, self.block_rows))

    @property
    def n_rows(self) -> int:
        return int(self.x.shape[1])

    @property
    def n_columns(self) -> int:
        return int(self.x.shape[0])

    def __len__(self) -> int:
        return len(self._bounds) - 1

    def __getitem__(self, index: int) -> Block:
        rows = slice(self._bounds[index], self._bounds[index + 1])
        return Block(index, self.x, self.weights, self.labels, groups=self.groups).cut(rows)

    def keep(self, numbers: Array) -> Here:
        return Here(numbers)

    def in_pattern_order(self) -> Source:
        order = pattern_order(self.x) if self.groups is None and np.isnan(self.x).any() else None
        if order is None:
            return self
        ordered = Block(0, self.x, self.weights, self.labels).cut(order)
        return replace(self, x=ordered.x, weights=ordered.weights, labels=ordered.labels)


def _bounds(n_rows: int, groups: Integers | None, block_rows: int) -> list[int]:
    """Of blocks of at most so many rows; where there are groups, of whole ones, and of whole sums over them."""
    if groups is None:
        return [*range(0, n_rows, block_rows), n_rows]
    assert groups[0] == 0 and groups[-1] == n_rows and (np.diff(groups) > 0).all(), "groups are bounds of rows"
    if block_rows % SUM_ROWS:
        return bounds_of_pieces(groups, block_rows)
    bounds = bounds_of_pieces(groups, SUM_ROWS)
    return [*bounds[: -1 : block_rows // SUM_ROWS], n_rows]
