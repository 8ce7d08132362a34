"""What rows are called: the cells of a column that is carried along, kept as the rows are."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.rows import Held
from em_cli.sources.number_formats import written
from em_cli.sources.row_file import NUMBER, Keeper
from em_cli.sources.store import Store


@dataclass(frozen=True, slots=True, eq=False)
class KeptTexts:
    """Texts that are kept where numbers are."""

    held: Held
    n: int

    @staticmethod
    def of(texts: Sequence[str], store: Keeper) -> KeptTexts:
        return KeptTexts(store.keep(_packed(texts)), len(texts))

    def read(self) -> list[str]:
        numbers = self.held.read()
        ends, joined = numbers[: self.n].astype(np.intp).tolist(), numbers[self.n :].tobytes()
        return [joined[a:b].decode(errors="surrogatepass") for a, b in zip([0, *ends], ends, strict=False)]


@dataclass(slots=True, eq=False)
class RowNames:
    """The names of rows, piece by piece."""

    store: Store
    name: str  # of the column
    digits: int = 0  # of numbers, which have zeros before others
    _pieces: list[Callable[[], list[str]]] = field(default_factory=list)
    _bounds: list[int] = field(default_factory=lambda: [0])
    _last: tuple[int, list[str]] = (-1, [])  # piece that was looked at, and its names

    def __reduce__(self) -> tuple[object, ...]:
        return _again, (self.name, self._pieces, self._bounds)

    def add(self, names: KeptTexts) -> None:
        """The names of the next rows."""
        self._add(names.n, names.read)

    def add_numbers(self, numbers: Array) -> None:
        """The same, of names that are whole numbers."""
        self._add(len(numbers), partial(_numbers, self.store.keep(numbers.copy()), self.digits))

    def _add(self, n: int, names: Callable[[], list[str]]) -> None:
        if n:
            self._pieces.append(names)
            self._bounds.append(self._bounds[-1] + n)

    def __len__(self) -> int:
        return self._bounds[-1]

    def tolist(self) -> list[str]:
        """All of them."""
        return self.between(0, len(self))

    def between(self, first: int, stop: int) -> list[str]:
        """Those of the rows from `first` to `stop`."""
        found: list[str] = []
        while first < stop:
            piece = int(np.searchsorted(self._bounds, first, "right")) - 1
            if self._last[0] != piece:
                self._last = piece, self._pieces[piece]()
            upto = min(stop, self._bounds[piece + 1])
            found += self._last[1][first - self._bounds[piece] : upto - self._bounds[piece]]
            first = upto
        return found


def _again(name: str, pieces: list[Callable[[], list[str]]], bounds: list[int]) -> RowNames:
    """The names as another process has them, which adds none."""
    return RowNames(Store(), name, _pieces=pieces, _bounds=bounds)


def _packed(texts: Sequence[str]) -> Array:
    """Where each text ends, and all of them in bytes."""
    data = [text.encode(errors="surrogatepass") for text in texts]
    joined = b"".join(data)
    joined += bytes(-len(joined) % NUMBER)
    ends = np.cumsum([len(own) for own in data], dtype=np.float64)
    return np.concatenate([ends, np.frombuffer(joined, np.float64)])


def _numbers(held: Held, digits: int) -> list[str]:
    return [written(value).zfill(digits) for value in held.read().tolist()]
