"""From paths to bytes: globs, standard input, compression, and a digest on the way."""

from __future__ import annotations

import glob
import hashlib
import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, cast

from em_cli.errors import DataError, in_words
from em_cli.printable import safe
from em_cli.sources.quoting import quoted
from em_cli.sources.remote import is_address, matching, opened_at, shown_address, suffix_of
from em_cli.sources.spool import STDIN, Partial, Spool, is_plain
from em_cli.sources.table import InputFile

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

COLUMNAR = (".parquet", ".feather")
COMPRESSED = (".gz", ".bz2", ".xz", ".zst", ".zip")
_MAGIC = {
    b"\x1f\x8b": ".gz",
    b"\xfd7zXZ\0": ".xz",
    b"(\xb5/\xfd": ".zst",
    b"PK\3\4": ".zip",
    b"PK\5\6": ".zip",
}
_BZIP2 = re.compile(rb"BZh[1-9](1AY&SY|\x17rE8P\x90)")
LONGEST_MAGIC = 10  # bytes
FIRST = 1 << 20  # bytes

Pull = Callable[[int], bytes]  # at most so many bytes, as soon as there are any; none at the end


def label(path: str) -> str:
    """A file's name in messages."""
    return "standard input" if path == STDIN else shown_address(path) if is_address(path) else safe(path)


def packing(beginning: bytes) -> str | None:
    """The usual suffix of compressed data that begin like this; no text does."""
    if _BZIP2.match(beginning):
        return ".bz2"
    return next((suffix for magic, suffix in _MAGIC.items() if beginning.startswith(magic)), None)


def expand(paths: Sequence[str]) -> list[str]:
    """The files that are meant; globs that the shell left alone are expanded, in sorted order."""
    found: list[str] = []
    for path in paths:
        if not path:
            raise DataError("the name of a data file is empty.")
        if is_address(path):
            found += matching(path, COLUMNAR)
            continue
        if path != STDIN and os.path.isdir(path) and (parts := _columnar_in(path)):  # noqa: PTH112 (names may be no names)
            found += parts
            continue
        if path != STDIN and any(mark in path for mark in "*?[") and not os.path.lexists(path):
            matches = sorted(glob.glob(path, recursive=True))  # noqa: PTH207 (patterns may be absolute)
            if not matches:
                raise DataError(f"no file matches {quoted(path)}.")
            found += matches
        else:
            found.append(path)
    if not found:
        raise DataError("no data file is given.")
    if found.count(STDIN) > 1:
        raise DataError("standard input ('-') can be read only once.")
    return found


def _columnar_in(folder: str) -> list[str]:
    """The Parquet and Feather files in a folder and below it, but for hidden ones and those of no data."""
    files = (file for file in Path(folder).rglob("*") if file.suffix.lower() in COLUMNAR and file.is_file())
    shown = [file for file in files if not any(part[0] in "._" for part in file.relative_to(folder).parts)]
    return sorted(map(str, shown))


class Meter(io.RawIOBase):
    """Passes bytes on as they come; measures them. `DataError` if they cannot be read."""

    def __init__(self, inner: Partial, shown: str) -> None:
        self._inner = inner
        self._shown = shown
        self._digest = hashlib.sha256()
        self._size = 0
        self._ahead = memoryview(b"")

    def readable(self) -> bool:
        return True

    def beginning(self) -> bytes:
        """What comes first, without taking it."""
        self._ahead = memoryview(self._read(FIRST))
        return bytes(self._ahead[:LONGEST_MAGIC])

    def pull(self, size: int) -> bytes:
        if not self._ahead:
            return self._read(size)
        data = bytes(self._ahead[:size])
        self._ahead = self._ahead[size:]
        return data

    def _read(self, size: int) -> bytes:
        try:
            data = self._inner.read1(size)
        except OSError as error:
            raise DataError(f"{self._shown} cannot be read: {in_words(error)}.") from None
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
    place: str | None = None  # of a file on the disk whose bytes these are


def _raw(path: str, stack: ExitStack) -> Partial:
    if is_address(path):
        return stack.enter_context(opened_at(path))
    return cast(Partial, sys.stdin.buffer if path == STDIN else stack.enter_context(Path(path).open("rb")))


@contextmanager
def opened(path: str, spool: Spool | None = None) -> Iterator[Opened]:
    """The bytes of a file, decompressed if they are compressed, whatever its name; `DataError` if it cannot be read."""
    shown = label(path)
    if path == STDIN and sys.stdin is None:
        raise DataError("standard input is closed.")
    with ExitStack() as stack:
        try:
            known = spool is not None and path in spool.copies
            partial = cast(Partial, spool.again(path)) if spool is not None and known else _raw(path, stack)
        except FileNotFoundError:
            raise DataError(f"{shown} does not exist.") from None
        except IsADirectoryError:
            raise DataError(
                f"{shown} is a folder, not a file. To read all in it: '{shown.rstrip('/')}/*.csv'."
            ) from None
        except OSError as error:
            raise DataError(f"{shown} cannot be read: {in_words(error)}.") from None
        except ValueError:
            raise DataError(f"{shown} is no name of a file.") from None
        if spool is not None and not known:
            partial = spool.stream(path, partial)
        meter, name = Meter(partial, shown), shown if is_address(path) else path
        beginning, named = meter.beginning(), suffix_of(path)
        packed = packing(beginning)
        if not packed and beginning and named in COMPRESSED:
            raise DataError(
                f"{shown} is not a valid {named} file: it does not begin like one. "
                f"If it holds plain text, name it without {named}."
            )
        if packed:
            from em_cli.sources.compression import decompress

            stream = stack.enter_context(decompress(meter, packed, shown))
            yield Opened(shown, stream.read, lambda: meter.measured(name))
        else:
            yield Opened(shown, meter.pull, lambda: meter.measured(name), path if is_plain(path) else None)


def hashed(path: str) -> InputFile:
    """A file as it lies on disk."""
    with opened(path) as file:
        return file.measured()


def digest(inputs: Sequence[InputFile]) -> str:
    """One hash for all the data."""
    if len(inputs) == 1:
        return inputs[0].sha256
    return hashlib.sha256("".join(file.sha256 for file in inputs).encode()).hexdigest()
