"""What is found out of the rows before a search, in one read of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial, reduce
from itertools import pairwise
from operator import add

import numpy as np

from em_cli.engine.arrays import Integers
from em_cli.engine.column_summary import Summary
from em_cli.engine.columns import Columns
from em_cli.engine.equal_rows import Copies, hashes
from em_cli.engine.events import SUMMARIZING, Observer, PhaseStarted, RowsRead, ignore
from em_cli.engine.rows import Block, Held, Source, joined, quanta
from em_cli.sources.in_memory import InMemory
from em_cli.sources.views import View, reweighted

SAMPLE_ROWS = 20_000  # on more rows than this, starts are made and screened on a sample


@dataclass(frozen=True, slots=True, eq=False)
class Survey:
    """The rows to fit, and what there is to know of them."""

    source: Source  # in the order of the patterns of missing cells, if it can be put so
    columns: Columns
    copies: Copies | None  # which rows are equal; None if all differ
    weighted: bool
    block: Block  # the rows that a search looks at: all, or a sample of them in order

    @property
    def n_distinct(self) -> int:
        """Distinct rows."""
        return self.source.n_rows - (0 if self.copies is None else self.copies.more)

    def once(self) -> Source | None:
        """The rows, those that are equal counting as one and all others too; None if they do so already."""
        if self.copies is None and not self.weighted:
            return None
        if self.source.n_rows > SAMPLE_ROWS:
            return View(self.source, partial(_once, self.copies))
        blocks = (_once(self.copies, self.source[index]) for index in range(len(self.source)))
        return reweighted(self.source, np.concatenate([np.asarray(block.weights) for block in blocks]))

    def sampled(self) -> Survey:
        """That of the rows that a search looks at."""
        block = self.block
        if block.n_rows == self.source.n_rows:
            return self
        return survey(InMemory(block.x, block.weights, block.labels, groups=block.groups))


def survey(source: Source, seed: int = 0, observe: Observer = ignore) -> Survey:
    """Read each block once.

    Those of rows that lack cells are read once more, and again if the rows are put in another order; those of
    groups of rows once more, where a sample of them is drawn.
    """
    look = _Look(source.n_rows, seed)
    if len(source) > 1:
        observe(PhaseStarted(SUMMARIZING, 0))
    parts = (
        Summary.of(rows) for block in _watched(look.over(source), source.n_rows, observe) for rows in quanta(block)
    )
    columns = reduce(add, parts).columns(source)
    arranged = source.in_pattern_order() if columns.gaps.any() else source
    copies = Copies.among(look.hashes)
    if arranged is not source:
        look = _Look(source.n_rows, seed)
        for index in range(len(arranged)):
            look.choose(arranged[index])
    return Survey(arranged, columns, copies, look.weighted, look.sample(arranged))


def _watched(blocks: Iterator[Block], n_rows: int, observe: Observer) -> Iterator[Block]:
    """The blocks; of each but the last it is told when it has been looked at."""
    done = 0
    for block in blocks:
        yield block
        done += block.n_rows
        if done < n_rows:
            observe(RowsRead(done, done / n_rows))


def _once(copies: Copies | None, block: Block) -> Block:
    return replace(block, weights=np.ones(block.n_rows) if copies is None else 1 / copies.of(block.x))


class _Look:
    """Blocks as they are read: what tells equal rows, and the rows of a sample."""

    def __init__(self, n_rows: int, seed: int) -> None:
        self.n_rows, self.seed, self.weighted = n_rows, (seed, n_rows), False
        self.places = None if n_rows <= SAMPLE_ROWS else _drawn(np.random.default_rng(self.seed), n_rows)
        self.hashes: list[Held] = []
        self.blocks: list[Block] = []
        self.bounds: list[Integers] = []  # of groups, by block, where a sample of them is drawn

    def over(self, source: Source) -> Iterator[Block]:
        """The blocks, looked at on their way."""
        for index in range(len(source)):
            block = source[index]
            self.hashes.append(source.keep(hashes(block.x).view(np.float64)))
            self.choose(block)
            yield block

    def choose(self, block: Block) -> None:
        """Take the rows of the sample that stand in this block."""
        self.weighted |= block.weights is not None
        if self.places is None:
            self.blocks.append(block)
        elif block.groups is None:
            first = block.first_row
            mine = slice(*np.searchsorted(self.places, (first, first + block.n_rows)))
            self.blocks.append(block.cut(self.places[mine] - first))
        else:
            self.bounds.append(block.groups)

    def sample(self, source: Source) -> Block:
        """The rows of the sample; of groups of rows whole ones in order, as many as fit, and one at least."""
        if not self.bounds:
            return joined(self.blocks)
        lengths = np.concatenate([np.diff(groups) for groups in self.bounds])
        drawn = np.random.default_rng(self.seed).permutation(len(lengths))
        fitting = max(1, int(np.searchsorted(np.cumsum(lengths[drawn]), SAMPLE_ROWS, "right")))
        chosen = np.sort(drawn[:fitting])
        first = np.cumsum([0, *(len(groups) - 1 for groups in self.bounds)])
        mine = [chosen[(chosen >= a) & (chosen < b)] - a for a, b in pairwise(first.tolist())]
        return joined([source[index].take_groups(some) for index, some in enumerate(mine)])


def _drawn(rng: np.random.Generator, n_rows: int) -> Integers:
    return np.sort(rng.choice(n_rows, SAMPLE_ROWS, replace=False))
