"""Rows of another source under weights of their own."""

from __future__ import annotations

from dataclasses import dataclass, replace

from em_cli.engine.arrays import Array
from em_cli.engine.rows import Block, Source


@dataclass(frozen=True, slots=True, eq=False)
class Reweighted:
    """These weights stand in for those of the source."""

    source: Source
    weights: Array  # (n,)

    @property
    def n_rows(self) -> int:
        return self.source.n_rows

    @property
    def n_columns(self) -> int:
        return self.source.n_columns

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, index: int) -> Block:
        block = self.source[index]
        return replace(block, weights=self.weights[block.first_row : block.first_row + block.n_rows])
