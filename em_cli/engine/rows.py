"""Rows of the data, and where they come from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from em_cli.engine.arrays import Array, Integers

if TYPE_CHECKING:
    pass


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows of the data, in the user's units."""

    index: int  # place in the source, 0 … B-1
    x: Array  # (D, n), NaN where a cell is missing
    weights: Array | None = None  # (n,) case weights; None means ones
    labels: Integers | None = None  # (n,) component of each row where it is known, else -1; None means nowhere

    def cut(self, rows: slice | Integers) -> Block:
        """Some of the rows."""
        weights = None if self.weights is None else self.weights[rows]
        labels = None if self.labels is None else self.labels[rows]
        x = self.x[:, rows] if isinstance(rows, slice) else self.x.take(rows, axis=1)  # the columns stay contiguous
        return Block(self.index, x, weights, labels)


class Source(Protocol):
    """The data, cut into blocks that can be read in any order, any number of times."""

    @property
    def n_rows(self) -> int: ...
    @property
    def n_columns(self) -> int: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Block: ...
