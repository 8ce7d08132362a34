"""What passes over the same data need again and again."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, side_by_side

SUM_ROWS = 1 << 14  # rows whose sums are formed by one worker, whatever the blocks
FAMILIES = 8  # that a source remembers
KEPT_FLOATS = 1 << 18  # of the features of all rows, for one family; where they are more, they are made anew


class FeatureCache:
    """Features of the rows of one source, and sums of features that no parameter changes, by family."""

    def __init__(self) -> None:
        self._families: dict[int, tuple[Any, dict[Any, Array]]] = {}
        self._under: dict[tuple[int, int], tuple[weakref.ref[Array], Any, Array]] = {}

    def of(self, family: Any) -> dict[Any, Array]:
        """The arrays kept for a family, which stays alive so long."""
        known = self._families.get(id(family))
        if known is None or known[0] is not family:
            while len(self._families) >= FAMILIES:
                del self._families[next(iter(self._families))]
            known = self._families[id(family)] = (family, {})
        return known[1]

    def common_sums(self, family: Any, weights: Sequence[Array] | None) -> Array | None:
        """(C,) the sums that are kept for a family; (R, C) those under each of these weights, if all are known."""
        if weights is None:
            return self.of(family).get("common")
        known = [self._under.get((id(family), id(own))) for own in weights]
        sums = [each[2] for each in known if each is not None]
        return side_by_side(sums) if len(sums) == len(weights) else None

    def keep_common_sums(self, family: Any, weights: Sequence[Array] | None, sums: Array) -> None:
        """Those under weights are forgotten with them: neither family nor weights can be taken for others."""
        if weights is None:
            self.of(family)["common"] = sums
            return
        for own, of_own in zip(weights, sums, strict=True):
            key = id(family), id(own)
            self._under[key] = weakref.ref(own, self._forget(key)), family, of_own

    def _forget(self, key: tuple[int, int]) -> Callable[[object], None]:
        def forget(_: object) -> None:
            self._under.pop(key, None)

        return forget


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
