"""Numbers that are kept until a run ends: in memory while they fit there, else in a file of the run's own."""

from __future__ import annotations

import math
import mmap
import os
import shutil
import stat
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from em_cli import memory
from em_cli.engine.arrays import Array
from em_cli.engine.rows import Held, Here
from em_cli.errors import DataError, OutputError, in_words

NUMBER = 8  # bytes
PAGE = mmap.ALLOCATIONGRANULARITY
LARGE = 1 << 17  # bytes; what is larger has pages of its own, which go back to the system at once
PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
COPIES = 2  # of rows on the disk, while they are read
OF_MEMORY = 0.5  # of what is available, that rows may take
SPARE = 1 << 26  # bytes of the disk that are left alone
BEGINNING, ENDING = ".em-", ".rows"  # of the names of files
READ_FILE = "EM_READ_ROWS"  # a variable that makes rows be read where they could be mapped


def room(*shape: int) -> Array:
    """Place for numbers that stays apart from what comes and goes, so that no gaps are left between them."""
    n_bytes = NUMBER * math.prod(shape)
    if n_bytes < LARGE:
        return np.empty(shape)
    pages = mmap.mmap(-1, n_bytes, **PRIVATE)
    return np.frombuffer(pages, np.float64).reshape(shape)


@dataclass(frozen=True, slots=True)
class Place:
    """Numbers in a file; where that lies every process can read them."""

    path: str
    offset: int
    shape: tuple[int, ...]

    def read(self) -> Array:
        return _file_of(self.path).read(self)


class Kept:
    """Numbers in memory, or in the file where they have been moved."""

    __slots__ = ("__weakref__", "numbers", "place")

    def __init__(self, numbers: Array | None, place: Place | None) -> None:
        self.numbers, self.place = numbers, place

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
        return _file_of(self.place.path).window(self.place)

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


@dataclass(slots=True, eq=False)
class Store:
    """Where the rows of a run are; `most` bytes of them may be in memory, None as many as there are.

    The file lies in a folder that is there, or else among temporary files.
    """

    most: float | None = None
    folder: Path | None = None
    asked: bool = False  # whether somebody has said how many bytes
    fixed: bool = False  # whether they must be in memory, as those of rows that belong together
    path: Path | None = None  # of the file, once there is one
    name: str | None = None  # that it is to have, if it may be kept beyond the run
    complete: Path | None = None  # what says that a file of that name is whole
    kept: bool = False  # beyond the run
    _expected: bool = field(default=False, init=False)  # whether it was told how much is to come
    _settled: int = field(default=0, init=False)  # bytes of the file that are kept
    _size: int = field(default=0, init=False)  # bytes of the file
    _here: weakref.WeakSet[Kept] = field(default_factory=weakref.WeakSet, init=False)

    @property
    def on_disk(self) -> bool:
        return self.path is not None

    def in_memory(self) -> Store:
        """The same of rows that cannot be anywhere else."""
        return replace(self, fixed=True)

    def expect(self, n_bytes: float, more: float = 0.0) -> None:
        """What is going to be kept, so much more than there is, goes to the disk if it is too much for memory.

        `OutputError` if it will not do.
        """
        if self.path is not None and not self._expected:  # the first piece may have opened the file
            self._check_room(self.path.parent, COPIES * n_bytes - self._size)
        self._expected = True
        there = None if self.asked or self.fixed else memory.available()  # libraries have taken their part by now
        crowded = there is not None and more > OF_MEMORY * there
        if self.most is None or (n_bytes <= self.most and not crowded) or self.on_disk:
            return
        if not self.fixed:
            self._open(COPIES * n_bytes)
        elif self.asked:
            raise DataError(
                f"rows that belong together, in sequences or groups, are held in memory: they need about "
                f"{memory.size(n_bytes)}, and --memory allows {memory.size(self.most)}. Use a larger --memory."
            )

    def keep(self, numbers: Array) -> Kept:
        """Take over numbers, which nobody changes any more."""
        if self.most is not None and not self.on_disk and not self.fixed:
            here = sum(kept.numbers.nbytes for kept in self._here if kept.numbers is not None)
            if here + numbers.nbytes > self.most:
                self._open(here + numbers.nbytes)
        kept = Kept(numbers, None)
        if self.on_disk:
            self._move(kept)
        else:
            self._here.add(kept)
        return kept

    def rows(self, numbers: Array) -> list[Part]:
        """The rows of a matrix, taken over together."""
        kept = self.keep(numbers)
        return [Part(kept, number) for number in range(len(numbers))]

    def reserve(self, *shape: int) -> Kept:
        """Place for a matrix that is still to be filled."""
        if self.path is None:
            return self.keep(room(*shape))
        kept = Kept(None, Place(str(self.path), self._size, shape))
        with self._explained(NUMBER * math.prod(shape)):
            self._size = _file_of(str(self.path)).lengthen(self._size, NUMBER * math.prod(shape))
        return kept

    def close(self) -> None:
        """Give the room on the disk back."""
        if self.path is not None:
            _forget(str(self.path))
            for beside in self.path.parent.glob(f"{self.path.name}.*"):
                beside.unlink(missing_ok=True)
            if self.kept:
                with suppress(OSError):
                    os.truncate(self.path, self._settled)
            else:
                self.path.unlink(missing_ok=True)

    def settled(self) -> int:
        """How many bytes there are now, which the disk is made to have."""
        assert self.path is not None, "there is a file"
        os.fsync(_file_of(str(self.path)).handle)
        self._settled = self._size
        return self._size

    def _open(self, n_bytes: float) -> None:
        folder = Path(tempfile.gettempdir()) if self.folder is None else self.folder
        self._check_room(folder, n_bytes)
        _clear(folder)
        try:
            handle, name = self._named(folder) or tempfile.mkstemp(ENDING, BEGINNING, folder)
        except OSError as error:
            raise OutputError(f"the rows cannot be kept in {folder}: {in_words(error)}.") from None
        _lock(handle)
        self.path, _files[name] = Path(name), _File(name, handle)
        for kept in list(self._here):
            self._move(kept)
        self._here.clear()

    def _named(self, folder: Path) -> tuple[int, str] | None:
        """The file by the name that it is to have; None if another run has it, or has made it."""
        if self.name is None or self.complete is None:
            return None
        path = str(folder / self.name)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        if is_own(os.fstat(handle)) and _lock(handle) and not self.complete.exists():
            os.truncate(handle, 0)
            return handle, path
        os.close(handle)
        return None

    def _check_room(self, folder: Path, n_bytes: float) -> None:
        free = shutil.disk_usage(folder).free - SPARE
        if n_bytes > free:
            raise OutputError(
                f"the rows need about {memory.size(n_bytes)} beside memory, and {folder} has "
                f"{memory.size(max(0, free))} left. Make room there, name another folder with "
                "--cache, or raise --memory."
            )

    def _move(self, kept: Kept) -> None:
        assert kept.numbers is not None and self.path is not None, "there is something to move"
        data = np.ascontiguousarray(kept.numbers)
        place = Place(str(self.path), self._size, data.shape)
        with self._explained(data.nbytes):
            self._size = _file_of(place.path).lengthen(self._size, data.nbytes)
            _file_of(place.path).write(data, place.offset)
        kept.place, kept.numbers = place, None

    @contextmanager
    def _explained(self, n_bytes: int) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            folder = self.path.parent if self.path else ""
            raise OutputError(
                f"the rows cannot be kept in {folder}: {in_words(error)}. They need "
                f"{memory.size(self._size + n_bytes)} and more; make room there, or name another folder with --cache."
            ) from None


class _File:
    """A file of numbers, opened once in a process: mapped where there is room for its addresses, else read."""

    def __init__(self, path: str, handle: int | None = None) -> None:
        self.handle = os.open(path, os.O_RDONLY) if handle is None else handle
        self.mapped: mmap.mmap | None = None
        self.maps = memory.address_limit() is None and not os.environ.get(READ_FILE)

    def lengthen(self, first: int, n_bytes: int) -> int:
        """Take so many bytes of the disk from this place on; where what follows may begin."""
        end = first + -(-n_bytes // PAGE) * PAGE
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


_files: dict[str, _File] = {}


def _file_of(path: str) -> _File:
    found = _files.get(path)
    if found is None:
        found = _files[path] = _File(path)
    return found


def is_own(about: os.stat_result) -> bool:
    """Whether a file is this user's, as far as the system tells."""
    return not hasattr(os, "geteuid") or about.st_uid == os.geteuid()


def held_open(path: Path) -> bool:
    """Open a file for reading, so that it stays for as long as this process lasts."""
    return bool(_file_of(str(path)))


def _forget(path: str) -> None:
    found = _files.pop(path, None)
    if found is not None:
        found.close()


def _lock(handle: int) -> bool:
    """Hold a file for as long as it is open; whether that could be done."""
    try:
        import fcntl
    except ImportError:  # where there are no such locks
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _clear(folder: Path) -> None:
    """Remove what killed runs of this user have left in a folder."""
    for left in folder.glob(f"{BEGINNING}{'[a-z0-9_]' * 8}{ENDING}"):
        with suppress(OSError):
            handle = os.open(left, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0))
            try:
                about = os.fstat(handle)
                if stat.S_ISREG(about.st_mode) and is_own(about) and _lock(handle):
                    left.unlink()
            finally:
                os.close(handle)


def on_disk(held: Held) -> bool:
    """Whether every process can read these numbers."""
    kept = held.of if isinstance(held, Part) else held
    return isinstance(kept, Kept) and kept.place is not None


def instead(held: Held, numbers: Array) -> Held:
    """Numbers in the place of others, which are not needed any more."""
    if isinstance(held, Part) and isinstance(held.rows, int):
        held.of.changing()[held.rows] = numbers
        return held
    return Here(numbers)
