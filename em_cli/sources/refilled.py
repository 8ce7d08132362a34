"""Rows in the place of others: as many, in the same blocks."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.rows import Source
from em_cli.sources.in_memory import InMemory
from em_cli.sources.row_blocks import Blocks
from em_cli.sources.store import Store


def refilled(source: Source, cells: Iterable[Array]) -> Source:
    """With these cells (D, n) of each block and the same weights, where those are, for as long as anyone has them.

    Labels are left out.
    """
    if isinstance(source, InMemory):
        return InMemory(np.concatenate(list(cells), axis=1), source.weights, None, source.block_rows, source.groups)
    store = Store() if source.place is None else Store(0.0, Path(source.place).parent)
    kept = [store.keep(np.ascontiguousarray(own)) for own in cells]
    weights = [source[index].weights for index in range(len(source))]
    own = [store.keep(each) for each in weights if each is not None]
    found = Blocks(source.n_rows, source.n_columns, kept, own or None, None, store)
    weakref.finalize(found, store.close)
    return found
