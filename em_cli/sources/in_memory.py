"""Rows held in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.cache import SUM_ROWS, FeatureCache
from em_cli.engine.patterns import pattern_order
from em_cli.engine.rows import Block, Source

BLOCK_ROWS = SUM_ROWS


@dataclass(frozen=True, slots=True, eq=False)
class InMemory:
    """Columns × rows in one array; a block is a view of it.

    Sums over the rows have the same bits for all `block_rows` that are multiples of SUM_ROWS.
    """

    x: Array  # (D, n)
    weights: Array | None = None  # (n,)
    labels: Integers | None = None  # (n,) known components; -1 where none is known
    block_rows: int = BLOCK_ROWS

    cache: FeatureCache = field(default_factory=FeatureCache, init=False, repr=False)

    @property
    def n_rows(self) -> int:
        return int(self.x.shape[1])

    @property
    def n_columns(self) -> int:
        return int(self.x.shape[0])

    def __len__(self) -> int:
        return -(-self.n_rows // self.block_rows)

    def __getitem__(self, index: int) -> Block:
        rows = slice(index * self.block_rows, (index + 1) * self.block_rows)
        return Block(index, self.x, self.weights, self.labels).cut(rows)


def in_pattern_order(source: Source) -> Source:
    """The rows that lack the same cells one behind the other: so each pattern is gone through once in a pass.

    Rows that are not in memory stay as they are.
    """
    if not isinstance(source, InMemory) or not np.isnan(source.x).any():
        return source
    order = pattern_order(source.x)
    if order is None:
        return source
    whole = Block(0, source.x, source.weights, source.labels).cut(order)
    return InMemory(whole.x, whole.weights, whole.labels, source.block_rows)
