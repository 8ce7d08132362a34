"""Rows in the place of others: as many, in the same groups or blocks."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.rows import Source, joined
from em_cli.sources.in_memory import InMemory
from em_cli.sources.row_blocks import Blocks
from em_cli.sources.store import Store


def refilled(source: Source, cells: Iterable[Array]) -> Source:
    """With these cells (D, n) of each block and the same weights, where those are, for as long as anyone has them.

    Labels are left out.
    """
    if source.place is None:
        rows = joined([replace(source[index], x=own) for index, own in enumerate(cells)])
        return InMemory(rows.x, rows.weights, groups=rows.groups)
    store = Store(0.0, Path(source.place).parent)
    kept = [store.keep(np.ascontiguousarray(own)) for own in cells]
    weights = [source[index].weights for index in range(len(source))]
    own = [store.keep(each) for each in weights if each is not None]
    found = Blocks(source.n_rows, source.n_columns, kept, own or None, None, store)
    weakref.finalize(found, store.close)
    return found
