"""What passes over the same data need again and again."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array

SUM_ROWS = 1 << 14  # rows whose sums are formed by one worker, whatever the blocks
FAMILIES = 8  # that a source remembers
KEPT_FLOATS = 1 << 18  # of the features of all rows, for one family; where they are more, they are made anew


class FeatureCache:
    """Features of the rows of one source, and sums of features that no parameter changes, by family."""

    def __init__(self) -> None:
        self._families: dict[int, tuple[Any, dict[Any, Array]]] = {}

    def of(self, family: Any) -> dict[Any, Array]:
        """The arrays kept for a family, which stays alive so long."""
        known = self._families.get(id(family))
        if known is None or known[0] is not family:
            while len(self._families) >= FAMILIES:
                del self._families[next(iter(self._families))]
            known = self._families[id(family)] = (family, {})
        return known[1]


class _Scratch(threading.local):
    def __init__(self) -> None:
        self.arrays: dict[str, Array] = {}


_scratch = _Scratch()


def scratch(name: str, *shape: int) -> Array:
    """An array of this thread's own, whose contents last until the name is asked for again."""
    size = 1
    for length in shape:
        size *= length
    flat = _scratch.arrays.get(name)
    if flat is None or flat.size < size:
        flat = _scratch.arrays[name] = np.empty(size)
    return flat[:size].reshape(shape)
