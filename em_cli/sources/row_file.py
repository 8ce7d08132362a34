"""Numbers in a file, which every process that sees it can read."""

from __future__ import annotations

import errno
import math
import mmap
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from em_cli import memory
from em_cli.engine.arrays import Array
from em_cli.errors import OutputError

NUMBER = 8  # bytes
PAGE = mmap.ALLOCATIONGRANULARITY
LARGE = 1 << 17  # bytes; what is larger has pages of its own, which go back to the system at once
PROBE = 1 << 24  # bytes that are read to see how fast a disk is
READ_FILE = "EM_READ_ROWS"  # a variable that makes rows be read where they could be mapped


@dataclass(frozen=True, slots=True)
class Place:
    """Numbers in a file; where that lies every process can read them."""

    path: str
    offset: int
    shape: tuple[int, ...]

    def read(self) -> Array:
        return file_of(self.path).read(self)


class Kept:
    """Numbers in memory, or in the file where they have been moved."""

    __slots__ = ("__weakref__", "numbers", "passing", "place")

    def __init__(self, numbers: Array | None, place: Place | None, passing: bool = False) -> None:
        self.numbers, self.place, self.passing = numbers, place, passing

    def read(self) -> Array:
        if self.numbers is not None:
            return self.numbers
        assert self.place is not None, "they are somewhere"
        return self.place.read()

    def changing(self) -> Array:
        """The numbers, to be filled in."""
        if self.numbers is not None:
            return self.numbers
        assert self.place is not None, "they are somewhere"
        return file_of(self.place.path).window(self.place)

    def __reduce__(self) -> tuple[type[Kept], tuple[Array | None, Place | None]]:
        return Kept, (self.numbers, self.place)


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """Some rows of a matrix that is kept as a whole, or one of them."""

    of: Kept
    rows: slice | int

    def read(self) -> Array:
        place = self.of.place
        if place is None:
            part: Array = self.of.read()[self.rows]
            return part
        m, n = place.shape
        first, stop, _ = (self.rows if isinstance(self.rows, slice) else slice(self.rows, self.rows + 1)).indices(m)
        shape = (stop - first, n) if isinstance(self.rows, slice) else (n,)
        return Place(place.path, place.offset + NUMBER * n * first, shape).read()


class Keeper(Protocol):
    """What takes numbers over."""

    def keep(self, numbers: Array, passing: bool = False) -> Kept: ...


def lines_kept(store: Keeper, numbers: Array) -> list[Part]:
    """The lines of a matrix, taken over together for as long as rows are read."""
    kept = store.keep(numbers, passing=True)
    return [Part(kept, number) for number in range(len(numbers))]


@dataclass(slots=True, eq=False)
class Allotment:
    """A stretch of a file, which this process fills for another."""

    path: str
    first: int  # bytes
    end: int

    def keep(self, numbers: Array, passing: bool = False) -> Kept:
        """Take over numbers, whether `passing` or not as the file says; `OSError` where there is no room."""
        data = np.ascontiguousarray(numbers)
        place, self.first = Place(self.path, self.first, data.shape), whole_pages(self.first + data.nbytes)
        if self.first > self.end:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        file = RowFile(self.path, os.open(self.path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0)))
        try:
            file.write(data, place.offset)
        finally:
            file.close()
        return Kept(None, place)


class RowFile:
    """A file of numbers, opened once in a process: mapped where there is room for its addresses, else read."""

    def __init__(self, path: str, handle: int | None = None) -> None:
        self.handle = os.open(path, os.O_RDONLY) if handle is None else handle
        self.mapped: mmap.mmap | None = None
        self.maps = memory.address_limit() is None and not os.environ.get(READ_FILE)

    def lengthen(self, first: int, n_bytes: int) -> int:
        """Take so many bytes of the disk from this place on; where what follows may begin."""
        end = whole_pages(first + n_bytes)
        if hasattr(os, "posix_fallocate") and end > first:
            os.posix_fallocate(self.handle, first, end - first)  # so that no page is missing when it is written to
        else:
            os.truncate(self.handle, end)
        return end

    def window(self, place: Place) -> Array:
        """The numbers at a place, to be changed there."""
        n = math.prod(place.shape)
        if not n:
            return np.empty(place.shape)
        window = mmap.mmap(self.handle, NUMBER * n, offset=place.offset)
        return np.frombuffer(window, np.float64).reshape(place.shape)

    def write(self, numbers: Array, offset: int) -> None:
        data = numbers.reshape(-1).data.cast("B") if numbers.size else memoryview(b"")
        while data:
            written = os.pwrite(self.handle, data, offset)
            data, offset = data[written:], offset + written

    def read(self, place: Place) -> Array:
        n, n_bytes = math.prod(place.shape), NUMBER * math.prod(place.shape)
        if self.maps and n_bytes >= LARGE:
            if self.mapped is None or len(self.mapped) < place.offset + n_bytes:
                self.mapped = mmap.mmap(self.handle, 0, access=mmap.ACCESS_READ)
            return np.frombuffer(self.mapped, np.float64, n, place.offset).reshape(place.shape)
        numbers = np.empty(place.shape)
        data, offset = numbers.reshape(-1).data.cast("B") if n else memoryview(b""), place.offset
        while data:
            taken = os.preadv(self.handle, [data], offset)
            if not taken:
                raise OutputError(f"the rows kept in {place.path} are not there any more.")
            data, offset = data[taken:], offset + taken
        return numbers

    def close(self) -> None:
        os.close(self.handle)


def disk_speed(path: str) -> float | None:
    """Bytes in a second of a read from the beginning of a file that goes past what the system remembers of it.

    None where there is no such read.
    """
    if not hasattr(os, "O_DIRECT"):
        return None
    try:
        handle = os.open(path, os.O_RDONLY | os.O_DIRECT)
        try:
            with mmap.mmap(-1, PROBE) as pages:
                begun = time.perf_counter()
                n_bytes = os.preadv(handle, [pages], 0)
                return n_bytes / max(time.perf_counter() - begun, 1e-9) if n_bytes else None
        finally:
            os.close(handle)
    except OSError:  # some file systems have none
        return None


def whole_pages(n_bytes: int) -> int:
    return -(-n_bytes // PAGE) * PAGE


files: dict[str, RowFile] = {}


def file_of(path: str) -> RowFile:
    """The file of rows at a path, opened once by this process."""
    found = files.get(path)
    if found is None:
        found = files[path] = RowFile(path)
    return found


def held_open(path: Path) -> bool:
    """Open a file for reading, so that it stays for as long as this process lasts."""
    return bool(file_of(str(path)))


def forget(path: str) -> None:
    """Close the file at a path, if it is open."""
    found = files.pop(path, None)
    if found is not None:
        found.close()
