"""Rows need not be in memory: any source gives the same bits, and each of its blocks is read no more than told."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from support import default_plan, with_gaps

from em_cli.engine.cache import SUM_ROWS, FeatureCache
from em_cli.engine.events import PassDone
from em_cli.engine.rows import Block, Held, Source
from em_cli.engine.scoring import score_source
from em_cli.models.groups import Group
from em_cli.models.variants import models, variants
from em_cli.runners.serial import Serial
from em_cli.search.search import Task, search
from em_cli.search.survey import survey
from em_cli.sources.in_memory import InMemory
from em_cli.sources.schema import Column, Schema
from em_cli.sources.views import View, relabelled, reweighted

SCHEMA = Schema((Column("x", "numeric"), Column("y", "numeric")))


@dataclass(frozen=True, eq=False)
class Elsewhere:
    """Rows that are somewhere else: each block is a copy, made when it is asked for, and that is counted."""

    rows: InMemory
    reads: Counter[int] = field(default_factory=Counter)
    cache: FeatureCache = field(default_factory=FeatureCache)

    @property
    def n_rows(self) -> int:
        return self.rows.n_rows

    @property
    def n_columns(self) -> int:
        return self.rows.n_columns

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: int) -> Block:
        self.reads[index] += 1
        block = self.rows[index]
        return replace(block, x=block.x.copy())

    @property
    def place(self) -> None:
        return None

    def keep(self, numbers: np.ndarray) -> Held:
        return self.rows.keep(numbers)

    def in_pattern_order(self) -> Source:
        return self


@dataclass(frozen=True)
class Passes:
    """A runner that counts how often it is sent over the rows of a source, or of a view of it."""

    over: Source
    sent: list[int] = field(default_factory=list)
    at_once: int = 1

    def map(self, task, source, shared, items):
        self.sent.append(self.over in (source, source.source if isinstance(source, View) else None))
        return Serial().map(task, source, shared, items)

    def sums(self, task, add, source, shared, items):
        self.sent.append(self.over in (source, source.source if isinstance(source, View) else None))
        return Serial().sums(task, add, source, shared, items)


def two_groups(n: int, rounded: bool = False):
    x = np.random.default_rng(n).normal(size=(2, n))
    x[:, ::3] += 5
    return np.round(x, 1) if rounded else x


def fitted(source: Source, runner, seen=lambda event: None):
    """What `em fit -k 2` does between reading and writing: the fit and its score."""
    known = survey(source)
    found = variants({"gaussian": (Group("gaussian", (0, 1)),)}, ["full"])
    [(label, model)] = models(SCHEMA, source, known.columns, found, (2,))
    (end,) = search([Task(label, model)], known, runner, default_plan(effort="low"), seen)
    assert end.chosen is not None
    totals = score_source(model, end.chosen.parameters, relabelled(source, np.array([0, 1, -1])), runner)
    return end.chosen, totals


def test_each_block_is_read_once_for_the_survey_and_once_a_pass():
    """A pass is one E-step of all candidates that climb side by side; scoring is another.

    Here there is no sample: whatever the search does, it does in such passes.
    """
    source, passes = Elsewhere(InMemory(two_groups(SUM_ROWS + 1000))), []
    fitted(source, Serial(), lambda event: passes.append(event) if isinstance(event, PassDone) else None)
    assert source.reads == dict.fromkeys(range(2), 1 + len(passes) + 1)


@pytest.mark.parametrize("rounded", [False, True], ids=["all rows differ", "some are equal"])
def test_a_search_on_a_sample_reads_the_rows_for_nothing_but_the_last_climbs(rounded):
    """Where rows are equal there is one more pass, for the distinct rows on which each component rests."""
    source = Elsewhere(InMemory(two_groups(5 * SUM_ROWS, rounded)))
    runner = Passes(source)
    fitted(source, runner)
    assert source.reads == dict.fromkeys(range(5), 1 + sum(runner.sent))
    assert sum(runner.sent) < 30


@pytest.mark.parametrize("gaps", [0.0, 0.1])
def test_where_the_rows_are_changes_no_bit(gaps):
    x = two_groups(SUM_ROWS + 1000, rounded=True)
    x = with_gaps(x, gaps, 3) if gaps else x
    rows = InMemory(x).in_pattern_order()
    (one, here), (other, there) = fitted(rows, Serial()), fitted(Elsewhere(rows), Serial())
    assert one.trace == other.trace
    assert here.log_likelihood == there.log_likelihood


def test_a_view_changes_what_it_says_and_nothing_else():
    rows = InMemory(np.arange(20.0)[None], labels=np.arange(20) % 3 - 1, block_rows=8)
    other = relabelled(rows, np.array([7, 8, -1]))
    assert [rows[2].labels.tolist(), other[2].labels.tolist()] == [[0, 1, -1, 0], [7, 8, -1, 7]]
    heavy = reweighted(rows, np.repeat([2.0, 3.0, 4.0], [8, 8, 4]))
    assert [heavy[b].weights.sum() for b in range(len(heavy))] == [16, 24, 16]
    assert all(np.array_equal(heavy[b].x, rows[b].x) for b in range(len(rows)))
