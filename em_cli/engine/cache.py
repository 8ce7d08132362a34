"""What is needed again and again: every cache by identity is one of these, and holds what it keys by."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import numpy as np

from em_cli.engine.arrays import Array, side_by_side

SUM_ROWS = 1 << 14  # rows whose sums are formed by one worker, whatever the blocks
FAMILIES = 20  # that a source remembers
KEPT_FLOATS = 1 << 18  # of the features of all rows, for one family, where climbs go together on few rows
MOST_KEPT = 1 << 20, 1 << 22  # of one family, and of all that a source remembers; else they are made anew
RECENT_FLOATS = 1 << 23  # that a thread remembers

T = TypeVar("T")
TileKey = tuple[int, int, int]  # number of features, block, first row


class Cache(Generic[T]):
    """Values by the identity of an object, which stays alive so long; the oldest are forgotten."""

    def __init__(self, most: float = float("inf"), floats: float = float("inf")) -> None:
        self.most, self.floats = most, floats
        self._kept: dict[int, tuple[object, T, int]] = {}
        self._size = 0

    def of(self, key: object) -> T | None:
        known = self._kept.get(id(key))
        return known[1] if known is not None else None

    def keep(self, key: object, value: T, size: int = 0) -> T:
        """Remember a value of so many floats, and the key with it."""
        self._drop(id(key))
        while self._kept and (self._size + size > self.floats or len(self._kept) >= self.most):
            self._drop(next(iter(self._kept)))
        self._kept[id(key)] = key, value, size
        self._size += size
        return value

    def _drop(self, key: int) -> None:
        if key in self._kept:
            self._size -= self._kept.pop(key)[2]


class Recent(threading.local, Generic[T]):
    """What was computed from parameters a moment ago, and may be wanted again; each thread has its own.

    It goes with the parameters, which no pass looks at again, and where it is too much, the oldest first.
    """

    def __init__(self) -> None:
        self._kept: dict[int, tuple[weakref.ref[Any], T, int]] = {}
        self._at_most = 0  # floats that are kept, when nothing has been forgotten since they were counted

    def of(self, parameters: object) -> T | None:
        known = self._kept.get(id(parameters))
        return known[1] if known is not None and known[0]() is parameters else None

    def keep(self, parameters: object, value: T, size: int) -> T:
        """Remember a value of so many floats, for as long as there are the parameters."""
        key, kept = id(parameters), self._kept

        def forget(gone: object) -> None:
            if (known := kept.get(key)) is not None and known[0] is gone:
                kept.pop(key, None)

        kept.pop(key, None)
        self._at_most += size
        if self._at_most > RECENT_FLOATS:
            self._at_most = size + sum(own for _, _, own in list(kept.values()))
        while kept and self._at_most > RECENT_FLOATS:
            _, _, own = kept.pop(next(iter(kept)))
            self._at_most -= own
        kept[key] = weakref.ref(parameters, forget), value, size
        return value


class FeatureCache:
    """Features of the rows of one source, and what sums over these no parameter changes, by family.

    Every source has its own.
    """

    def __init__(self) -> None:
        self._features = Cache[dict[TileKey, Array]](FAMILIES, MOST_KEPT[1])
        self._common = Cache[Array](FAMILIES)
        self.base_measures = Cache[float]()  # the log base measure of all rows
        self._under: dict[int, _UnderWeights] = {}  # by the id of the family

    def features(self, family: object, size: int = 0) -> dict[TileKey, Array]:
        """Those kept for a family, of so many floats in all."""
        known = self._features.of(family)
        return self._features.keep(family, {}, size) if known is None else known

    def common_sums(self, family: object, weights: Sequence[object] | None) -> Array | None:
        """(C,) the sums that are kept for a family; (R, C) those under each of these weights, if all are known."""
        if weights is None:
            return self._common.of(family)
        under = self._under.get(id(family))
        return None if under is None else under.of(weights)

    def keep_common_sums(self, family: object, weights: Sequence[object] | None, sums: Array) -> None:
        """Those under weights are forgotten with them: neither family nor weights can be taken for others."""
        if weights is None:
            self._common.keep(family, sums)
            return
        under = self._under.setdefault(id(family), _UnderWeights(family))
        for own, of_own in zip(weights, sums, strict=True):
            under.keep(own, of_own)


class _UnderWeights:
    """Sums of a family under the weights of candidates' own, until these are gone."""

    def __init__(self, family: object) -> None:
        self.family = family  # which is held, so that no other has its id
        self._sums: dict[int, Array] = {}  # by the id of the weights
        self._held: dict[int, weakref.ref[Any]] = {}
        self._latest: tuple[list[int], Array] | None = None  # most passes ask for those of the pass before

    def of(self, weights: Sequence[object]) -> Array | None:
        """(R, C) those under each of these, if all are known."""
        own, latest = [*map(id, weights)], self._latest
        if latest is not None and latest[0] == own:
            return latest[1]
        if not self._sums.keys() >= set(own):
            return None
        sums = side_by_side([self._sums[each] for each in own])
        self._latest = own, sums
        return sums

    def keep(self, weights: object, sums: Array) -> None:
        own = id(weights)
        self._sums[own], self._held[own] = sums, weakref.ref(weights, lambda _: self._forget(own))

    def _forget(self, own: int) -> None:
        self._latest = None
        self._sums.pop(own, None)
        self._held.pop(own, None)


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
