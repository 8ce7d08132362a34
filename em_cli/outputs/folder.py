"""Files that are complete or absent: written aside, flushed, renamed."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from em_cli.errors import OutputError, ReaderGone


def write_file(path: str, content: Iterable[str]) -> None:
    """Write one file, or standard output for '-'."""
    if path == "-":
        write_stdout(content)
        return
    target = Path(path)
    if target.is_dir():
        raise OutputError(f"{path} is a folder, not a file.")
    with explained(path):
        handle, aside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.absolute().parent)
        os.close(handle)
        try:
            write_flushed(Path(aside), content)
            Path(aside).chmod(0o666 & ~umask())
            Path(aside).replace(target)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise


def write_stdout(content: Iterable[str]) -> None:
    """Write to standard output, each piece as it comes; `ReaderGone` if nobody reads on."""
    try:
        for text in content:
            sys.stdout.write(text)
            sys.stdout.flush()
    except BrokenPipeError:
        raise ReaderGone from None


def write_flushed(path: Path, content: Iterable[str | bytes]) -> None:
    """Write, and see to it that the disk has it."""
    with path.open("wb") as file:
        for piece in content:
            file.write(piece if isinstance(piece, bytes) else piece.encode())
        file.flush()
        os.fsync(file.fileno())


@contextmanager
def explained(path: str) -> Iterator[None]:
    """Why something cannot be written, for whoever asked for it."""
    try:
        yield
    except OSError as error:
        reason = {
            errno.ENOSPC: "the disk is full",
            errno.EACCES: "there is no permission to write there",
            errno.EROFS: "the file system is read-only",
            errno.ENOENT: "its folder does not exist",
            errno.ENOTDIR: "a part of its path is not a folder",
            errno.EFBIG: "it would be larger than the system allows",
        }.get(error.errno or 0, error.strerror or str(error))
        raise OutputError(f"{path} cannot be written: {reason}. Nothing was left half-written.") from None


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
