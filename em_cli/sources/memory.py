"""Rows held in memory."""

from __future__ import annotations

from dataclasses import dataclass, field

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.kept import QUANTUM, Kept
from em_cli.engine.protocols import Block

BLOCK_ROWS = QUANTUM


@dataclass(frozen=True, slots=True, eq=False)
class InMemory:
    """Columns × rows in one array; a block is a view of it.

    Sums over the rows have the same bits for all `block_rows` that are multiples of QUANTUM.
    """

    x: Array  # (D, n)
    weights: Array | None = None  # (n,)
    labels: Integers | None = None  # (n,) known components; -1 where none is known
    block_rows: int = BLOCK_ROWS

    kept: Kept = field(default_factory=Kept, init=False, repr=False)

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
