"""What is known of rows until all have been seen: in memory while it is little, else in a file without a name."""

from __future__ import annotations

import pickle
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import TracebackType
from typing import IO

import numpy as np
from numpy.typing import NDArray

from em_cli.engine import patterns
from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.errors import OutputError, in_words

IN_MEMORY = 1 << 24  # bytes


@dataclass(frozen=True, slots=True, eq=False)
class SomeRows:
    """Rows (n,) that follow each other."""

    places: Integers  # among all rows
    ids: NDArray[np.object_] | None
    log_density: Array
    component: Integers  # the likeliest, from 1; 0 is none
    pattern: Integers  # of missing cells

    def only(self, kept: Flags) -> SomeRows:
        ids = None if self.ids is None else self.ids[kept]
        rest = self.log_density[kept], self.component[kept], self.pattern[kept]
        return SomeRows(self.places[kept], ids, *rest)


@dataclass(slots=True)
class RowsAside:
    """Rows in the order they came, with the patterns of missing cells that they have."""

    file: IO[bytes] = field(default_factory=lambda: tempfile.SpooledTemporaryFile(IN_MEMORY))  # noqa: SIM115 (see exit)
    n_parts: int = 0
    n_rows: int = 0
    codes: dict[bytes, int] = field(default_factory=dict)  # of patterns, and their places
    lowest: list[float] = field(default_factory=list)  # log-density in a row of each pattern

    def __enter__(self) -> RowsAside:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.file.close()

    def put(
        self, places: Integers, ids: NDArray[np.object_] | None, log_density: Array, component: Integers, codes: Array
    ) -> None:
        """Some rows more, of which the missing cells have the codes (C, n); `OutputError` if there is no room."""
        pattern = np.empty(len(places), np.intp)
        groups = patterns.grouped(codes)
        order = np.arange(len(places)) if groups.order is None else groups.order
        for code, part in zip(groups.codes.T, groups.slices, strict=True):
            place = self.codes.setdefault(code.tobytes(), len(self.lowest))
            self.lowest += [np.inf] * (place == len(self.lowest))
            pattern[order[part]] = place
            self.lowest[place] = min(self.lowest[place], float(log_density[order[part]].min()))
        self.n_rows, self.n_parts = self.n_rows + len(places), self.n_parts + 1
        try:
            pickle.dump(SomeRows(places, ids, log_density, component, pattern), self.file, pickle.HIGHEST_PROTOCOL)
        except OSError as error:
            said = f"no room for what is known of the rows in {tempfile.gettempdir()}: {in_words(error)}. "
            raise OutputError(f"{said}Set TMPDIR to a folder with more.") from None

    def patterns(self, n_columns: int) -> Flags:
        """(P, D) which cells are missing."""
        codes = np.array([np.frombuffer(code) for code in self.codes]).reshape(len(self.codes), -1)
        return patterns.decoded(codes.T, n_columns)

    def __iter__(self) -> Iterator[SomeRows]:
        self.file.seek(0)
        for _ in range(self.n_parts):
            some: SomeRows = pickle.load(self.file)
            yield some
