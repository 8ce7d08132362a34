"""From paths to bytes: globs, standard input, compression, and a digest on the way."""

from __future__ import annotations

import glob
import hashlib
import io
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, cast

from em_cli.errors import DataError
from em_cli.sources.quoting import plain
from em_cli.sources.table import InputFile

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

STDIN = "-"
COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip")

Pull = Callable[[int], bytes]  # at most so many bytes, as soon as there are any; none at the end


def label(path: str) -> str:
    """A file's name in messages."""
    return "standard input" if path == STDIN else plain(path)


def expand(paths: Sequence[str]) -> list[str]:
    """The files that are meant; globs that the shell left alone are expanded, in sorted order."""
    found: list[str] = []
    for path in paths:
        if path != STDIN and any(mark in path for mark in "*?[") and not Path(path).exists():
            matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 (patterns may be absolute)
            if not matches:
                raise DataError(f"no file matches {path!r}.")
            found += matches
        else:
            found.append(path)
    if not found:
        raise DataError("no data file is given.")
    if found.count(STDIN) > 1:
        raise DataError("standard input ('-') can be read only once.")
    return found


class Partial(Protocol):
    def read1(self, size: int, /) -> bytes: ...


class Meter(io.RawIOBase):
    """Passes bytes on as they come; measures them."""

    def __init__(self, inner: Partial) -> None:
        self._inner = inner
        self._digest = hashlib.sha256()
        self._size = 0

    def readable(self) -> bool:
        return True

    def pull(self, size: int) -> bytes:
        data = self._inner.read1(size)
        self._digest.update(data)
        self._size += len(data)
        return data

    def readinto(self, buffer: WriteableBuffer) -> int:
        view = memoryview(buffer)
        data = self.pull(len(view))
        view[: len(data)] = data
        return len(data)

    def measured(self, name: str) -> InputFile:
        """The whole file; what was not asked for is read now."""
        while self.pull(1 << 20):
            pass
        return InputFile(name, self._size, self._digest.hexdigest())


@dataclass(slots=True)
class Opened:
    """A file being read."""

    label: str
    pull: Pull
    measured: Callable[[], InputFile] = field(repr=False)


@contextmanager
def opened(path: str) -> Iterator[Opened]:
    """The bytes of a file, decompressed; `DataError` if it cannot be read."""
    shown = label(path)
    with ExitStack() as stack:
        try:
            raw = sys.stdin.buffer if path == STDIN else stack.enter_context(Path(path).open("rb"))
        except FileNotFoundError:
            raise DataError(f"{shown} does not exist.") from None
        except IsADirectoryError:
            raise DataError(
                f"{shown} is a folder, not a file. To read all in it: '{shown.rstrip('/')}/*.csv'."
            ) from None
        except OSError as error:
            raise DataError(f"{shown} cannot be read: {error.strerror}.") from None
        meter = Meter(cast(Partial, raw))
        suffix = Path(path).suffix.lower()
        if suffix in COMPRESSED and path != STDIN:
            from em_cli.sources.compression import decompress

            stream = stack.enter_context(decompress(meter, suffix, shown))
            yield Opened(shown, stream.read, lambda: meter.measured(path))
        else:
            yield Opened(shown, meter.pull, lambda: meter.measured(path))


def digest(inputs: Sequence[InputFile]) -> str:
    """One hash for all the data."""
    if len(inputs) == 1:
        return inputs[0].sha256
    return hashlib.sha256("".join(file.sha256 for file in inputs).encode()).hexdigest()
