"""Rows of the data, and where they come from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Protocol

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.cache import SUM_ROWS, FeatureCache
from em_cli.errors import DataError


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows of the data, in the user's units."""

    index: int  # place in the source, 0 … B-1
    x: Array  # (D, n), NaN where a cell is missing
    weights: Array | None = None  # (n,) case weights; None means ones
    labels: Integers | None = None  # (n,) component of each row where it is known, else -1; None means nowhere
    first_row: int = 0  # its place among all rows of the source
    groups: Integers | None = None  # (G + 1,) where each group of rows that belong together begins, and n at last

    @property
    def n_rows(self) -> int:
        return int(self.x.shape[1])

    def cut(self, rows: slice | Integers) -> Block:
        """Some of the rows; where there are groups, a slice of whole ones."""
        first, stop, _ = rows.indices(self.x.shape[1]) if isinstance(rows, slice) else (0, 0, 1)
        if stop - first == self.x.shape[1]:
            return self
        weights = None if self.weights is None else self.weights[rows]
        labels = None if self.labels is None else self.labels[rows]
        if not isinstance(rows, slice):
            assert self.groups is None, "rows that belong together are taken by group"
            return Block(self.index, self.x.take(rows, axis=1), weights, labels)  # the columns stay contiguous
        groups = None if self.groups is None else _between(self.groups, first, stop)
        return Block(self.index, self.x[:, rows], weights, labels, self.first_row + first, groups)

    def pieces(self, rows: int) -> list[slice]:
        """Where to cut into pieces of at most so many rows; a group is never cut, but may be longer."""
        if self.groups is not None:
            bounds = bounds_of_pieces(self.groups, rows)
            return [slice(first, stop) for first, stop in pairwise(bounds)]
        n = self.x.shape[1]
        return [slice(0, n)] if n <= rows else [slice(first, min(first + rows, n)) for first in range(0, n, rows)]

    def take_groups(self, chosen: Integers) -> Block:
        """Some of the groups, one behind the other."""
        assert self.groups is not None, "there are groups"
        first, lengths = self.groups[chosen], np.diff(self.groups)[chosen]
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        rows = np.arange(bounds[-1]) + np.repeat(first - bounds[:-1], lengths)
        some = Block(self.index, self.x, self.weights, self.labels).cut(rows)
        return Block(self.index, some.x, some.weights, some.labels, groups=bounds)


def checked_groups(block: Block) -> Integers:
    """The bounds of the groups; `DataError` if the block has none."""
    if block.groups is None:
        raise DataError("this latent structure needs to know which rows belong together, and nothing says so.")
    return block.groups


def _between(groups: Integers, first: int, stop: int) -> Integers:
    """The groups of the rows from `first` to `stop`, which are bounds of groups."""
    a, b = np.searchsorted(groups, [first, stop]).tolist()
    assert groups[a] == first and groups[b] == stop, "rows that belong together are not cut apart"
    some: Integers = groups[a : b + 1] - first
    return some


def bounds_of_pieces(groups: Integers, rows: int) -> list[int]:
    """Where pieces of as many whole groups as fit into so many rows begin, and the end of the last.

    Each begins anew where the one before ends: it does not matter from which of them one sets out.
    """
    bounds, last = [int(groups[0])], len(groups) - 1
    group = 0
    while group < last:
        group = max(int(np.searchsorted(groups, bounds[-1] + rows, "right")) - 1, group + 1)
        bounds.append(int(groups[group]))
    return bounds


class RowWeights(Protocol):
    """(n,) what rows count for a candidate, read where they are asked for: an array, or what makes them then."""

    def __getitem__(self, rows: slice, /) -> Array: ...


class Held(Protocol):
    """Numbers that are kept, wherever that is."""

    def read(self) -> Array: ...


@dataclass(frozen=True, slots=True, eq=False)
class Here:
    """Numbers in memory."""

    numbers: Array

    def read(self) -> Array:
        return self.numbers


class Source(Protocol):
    """The data, cut into blocks that can be read in any order, any number of times.

    Rows that belong together stand in one block.
    """

    @property
    def n_rows(self) -> int: ...
    @property
    def n_columns(self) -> int: ...
    @property
    def cache(self) -> FeatureCache:
        """What passes over these rows remember of them."""

    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Block: ...

    @property
    def place(self) -> str | None:
        """The file that holds all of it, from which other processes can read; None if it is in memory."""

    def keep(self, numbers: Array) -> Held:
        """Numbers of the rows of a block, kept where the rows are."""
        ...

    def in_pattern_order(self) -> Source:
        """The rows that lack the same cells one behind the other: so each pattern is gone through once in a pass.

        A source that cannot put its rows in another order gives itself.
        """
        ...


def quanta(block: Block) -> Iterator[Block]:
    """The rows that are summed in one go, whatever the blocks."""
    return (block.cut(rows) for rows in block.pieces(SUM_ROWS))


def picked(source: Source, rows: Integers) -> Block:
    """Some rows (m,), ascending, in one block without groups; each block is read once."""
    blocks = list[Block]()
    for index in range(len(source)):
        block = replace(source[index], groups=None)
        first = block.first_row
        mine = slice(*np.searchsorted(rows, (first, first + block.n_rows)))
        blocks.append(block.cut(rows[mine] - first))
    return joined(blocks)


def joined(blocks: Sequence[Block]) -> Block:
    """The rows of several blocks in one."""
    if len(blocks) == 1:
        return blocks[0]
    weights = [block.weights for block in blocks if block.weights is not None]
    labels = [block.labels for block in blocks if block.labels is not None]
    lengths = [np.diff(block.groups) for block in blocks if block.groups is not None]
    return Block(
        0,
        np.concatenate([block.x for block in blocks], axis=1),
        np.concatenate(weights) if weights else None,
        np.concatenate(labels) if labels else None,
        groups=np.cumsum(np.concatenate([[0], *lengths])) if lengths else None,
    )


def cells(source: Source, columns: Sequence[int]) -> Array:
    """Those of some columns (C, n), in memory; each block is read once."""
    return np.concatenate([source[index].x[list(columns)] for index in range(len(source))], axis=1)
