"""Numbers that are kept until a run ends: in memory while they fit there, else in a file of the run's own."""

from __future__ import annotations

import math
import mmap
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from math import inf
from pathlib import Path

import numpy as np

from em_cli import memory
from em_cli.engine.arrays import Array
from em_cli.engine.rows import Held, Here
from em_cli.errors import DataError, OutputError, in_words
from em_cli.sources.left_behind import hold, is_own, left_behind
from em_cli.sources.row_file import (
    LARGE,
    NUMBER,
    Allotment,
    Kept,
    Part,
    Place,
    RowFile,
    disk_speed,
    file_of,
    files,
    forget,
    whole_pages,
)

PRIVATE = {"flags": mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS} if hasattr(mmap, "MAP_PRIVATE") else {}
COPIES = 2  # of rows on the disk, while they are read
OF_MEMORY = 0.5  # of what is available, that rows may take
LOOK_AGAIN = 1 / 64  # of the memory that there was: so much may be taken before it is looked at again
SLOW = 2e8  # bytes a second of a disk; a pass takes 0.5 to 1e9 with one core
SPARE = 1 << 26  # bytes of the disk that are left alone
BEGINNING, ENDING = ".em-", ".rows"  # of the names of files
PASSING = ".read"  # behind the name of the file of what is needed only while rows are read


def room(*shape: int) -> Array:
    """Place for numbers that stays apart from what comes and goes, so that no gaps are left between them."""
    n_bytes = NUMBER * math.prod(shape)
    if n_bytes < LARGE:
        return np.empty(shape)
    pages = mmap.mmap(-1, n_bytes, **PRIVATE)
    return np.frombuffer(pages, np.float64).reshape(shape)


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
    _there: tuple[float, float] | None = field(default=None, init=False)  # bytes when memory was looked at, and then
    _expected: bool = field(default=False, init=False)  # whether it was told how much is to come
    _settled: int = field(default=0, init=False)  # bytes of the file that are kept
    _sizes: dict[str, int] = field(default_factory=dict, init=False)  # bytes of each file
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
        first, self._expected = not self._expected, True
        if self.path is not None and first:  # the first piece may have opened the file
            self._check_room(self.path.parent, COPIES * n_bytes - sum(self._sizes.values()))
        if self.most is None or self.on_disk or (n_bytes <= self.most and not self._crowded(n_bytes, more)):
            return
        if not self.fixed:
            self._open(COPIES * n_bytes)
        elif self.asked:
            raise DataError(
                f"rows that belong together, in sequences or groups, are held in memory: they need about "
                f"{memory.size(n_bytes)}, and --memory allows {memory.size(self.most)}. Use a larger --memory."
            )

    def _crowded(self, n_bytes: float, more: float) -> bool:
        """Whether memory has no room for so many bytes more, as it was when last looked at."""
        if self.asked or self.fixed:
            return False
        if (there := self._there) is None or abs(n_bytes - more - there[0]) > LOOK_AGAIN * there[1]:
            available = memory.available()  # libraries have taken their part by now
            there = self._there = n_bytes - more, inf if available is None else available
        return more > OF_MEMORY * there[1]

    def keep(self, numbers: Array, passing: bool = False) -> Kept:
        """Take over numbers, which nobody changes any more; those that are `passing` until `let_go`."""
        if self.most is not None and not self.on_disk and not self.fixed:
            here = sum(kept.numbers.nbytes for kept in self._here if kept.numbers is not None)
            if here + numbers.nbytes > self.most:
                self._open(here + numbers.nbytes)
        kept = Kept(numbers, None, passing)
        if self.on_disk:
            self._move(kept)
        else:
            self._here.add(kept)
        return kept

    def allot(self, n_bytes: int, passing: bool = False) -> Allotment:
        """A stretch of the disk of so many bytes at most, which another process fills."""
        if self.path is None:
            self._open(n_bytes)
        path = self._file(passing)
        first = self._sizes[path]
        with self._explained(n_bytes):
            self._sizes[path] = end = whole_pages(first + n_bytes)
            os.truncate(file_of(path).handle, end)
        return Allotment(path, first, end)

    def let_go(self) -> None:
        """Give the room on the disk back of what was kept in passing."""
        path = f"{self.path}{PASSING}"
        if self._sizes.pop(path, None) is not None:
            forget(path)
            Path(path).unlink(missing_ok=True)

    def reserve(self, *shape: int) -> Kept:
        """Place for a matrix that is still to be filled."""
        if self.path is None:
            return self.keep(room(*shape))
        path = self._file(passing=False)
        kept = Kept(None, Place(path, self._sizes[path], shape))
        with self._explained(NUMBER * math.prod(shape)):
            self._sizes[path] = file_of(path).lengthen(self._sizes[path], NUMBER * math.prod(shape))
        return kept

    def close(self) -> None:
        """Give the room on the disk back."""
        if self.path is not None:
            self.let_go()
            forget(str(self.path))
            for beside in self.path.parent.glob(f"{self.path.name}.*"):
                beside.unlink(missing_ok=True)
            if self.kept:
                with suppress(OSError):
                    os.truncate(self.path, self._settled)
            else:
                self.path.unlink(missing_ok=True)

    def slow(self) -> str | None:
        """What to say of a disk that delivers the rows more slowly than they are added up; None if it does not.

        What the system can hold in memory it need not deliver.
        """
        there, n_bytes = memory.available(), self._sizes.get(str(self.path), 0)
        if self.path is None or there is None or n_bytes < OF_MEMORY * there:
            return None
        speed = disk_speed(str(self.path))
        if speed is None or speed >= SLOW:
            return None
        return (
            f"the rows are read from {self.path.parent} at about {speed / 1e6:,.0f} MB/s: a pass over them takes "
            f"{n_bytes / speed:,.0f} s or more; --cache DIR puts them on another disk"
        )

    def settled(self) -> int:
        """How many bytes there are now, which the disk is made to have."""
        assert self.path is not None, "there is a file"
        os.fsync(file_of(str(self.path)).handle)
        self._settled = self._sizes.get(str(self.path), 0)
        return self._settled

    def _open(self, n_bytes: float) -> None:
        folder = Path(tempfile.gettempdir()) if self.folder is None else self.folder
        self._check_room(folder, n_bytes)
        _clear(folder)
        try:
            handle, name = self._named(folder) or tempfile.mkstemp(ENDING, BEGINNING, folder)
        except OSError as error:
            raise OutputError(f"the rows cannot be kept in {folder}: {in_words(error)}.") from None
        hold(handle)
        self.path, files[name] = Path(name), RowFile(name, handle)
        for kept in list(self._here):
            self._move(kept)
        self._here.clear()

    def _named(self, folder: Path) -> tuple[int, str] | None:
        """The file by the name that it is to have; None if another run has it, or has made it."""
        if self.name is None or self.complete is None:
            return None
        path = str(folder / self.name)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
        if is_own(os.fstat(handle)) and hold(handle) and not self.complete.exists():
            os.truncate(handle, 0)
            return handle, path
        os.close(handle)
        return None

    def _check_room(self, folder: Path, n_bytes: float) -> None:
        free = shutil.disk_usage(folder).free - SPARE
        if n_bytes > free:
            about = "about" if self._expected else "at least"
            raise OutputError(
                f"the rows need {about} {memory.size(n_bytes)} beside memory, and {folder} has "
                f"{memory.size(max(0, free))} left. Make room there, name another folder with "
                "--cache, or raise --memory."
            )

    def _move(self, kept: Kept) -> None:
        assert kept.numbers is not None and self.path is not None, "there is something to move"
        data = np.ascontiguousarray(kept.numbers)
        with self._explained(data.nbytes):
            path = self._file(kept.passing)
            place = Place(path, self._sizes[path], data.shape)
            self._sizes[path] = file_of(path).lengthen(place.offset, data.nbytes)
            file_of(path).write(data, place.offset)
        kept.place, kept.numbers = place, None

    def _file(self, passing: bool) -> str:
        """The name of one of the two files, the second of which is made when it is needed."""
        path = f"{self.path}{PASSING if passing else ''}"
        if path not in self._sizes:
            self._sizes[path] = 0
            if passing:
                flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0)
                files[path] = RowFile(path, os.open(path, flags, 0o600))
        return path

    @contextmanager
    def _explained(self, n_bytes: int) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            folder = self.path.parent if self.path else ""
            needed = memory.size(sum(self._sizes.values()) + n_bytes)
            raise OutputError(
                f"the rows cannot be kept in {folder}: {in_words(error)}. They need {needed} and more; make room "
                "there, or name another folder with --cache."
            ) from None


def _clear(folder: Path) -> None:
    """Remove what killed runs of this user have left in a folder."""
    for left in folder.glob(f"{BEGINNING}{'[a-z0-9_]' * 8}{ENDING}"):
        with suppress(OSError), left_behind(left) as abandoned:
            if abandoned:
                for beside in folder.glob(f"{left.name}.*"):
                    beside.unlink()
                left.unlink()


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
