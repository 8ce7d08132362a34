"""What was reckoned from parameters a moment ago, and may be wanted again."""

from __future__ import annotations

import threading
from typing import Any, Generic, TypeVar

T = TypeVar("T")

FLOATS = 1 << 23  # that a thread remembers


class Recent(threading.local, Generic[T]):
    """By the parameters' identity, the most recent last; each thread has its own."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[Any, T, int]] = {}
        self._size = 0

    def of(self, parameters: Any) -> T | None:
        known = self._kept.get(id(parameters))
        return known[1] if known is not None else None

    def keep(self, parameters: Any, value: T, size: int) -> T:
        """Remember a value of so many floats, and the parameters with it; the oldest are forgotten."""
        self._drop(id(parameters))
        while self._kept and self._size + size > FLOATS:
            self._drop(next(iter(self._kept)))
        self._kept[id(parameters)] = parameters, value, size
        self._size += size
        return value

    def _drop(self, key: int) -> None:
        if key in self._kept:
            self._size -= self._kept.pop(key)[2]
