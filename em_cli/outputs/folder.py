"""Files that are complete or absent: written aside, flushed, renamed."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from glob import escape
from pathlib import Path

from em_cli.errors import OutputError

Content = Iterable[str] | Iterable[bytes]
ASIDE = ".partial"  # ends the names of files on their way
WHOLE = "backslashreplace"  # names of files may hold bytes that are no characters


def write_files(folder: str, files: Mapping[str, Content]) -> None:
    """Write each file into a folder, which is made if it is not there."""
    with explained(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        _put(str(Path(folder) / name), content)


def write_file(path: str, content: Iterable[str]) -> None:
    """Write one file, or standard output for '-'; what is no file (a FIFO, /dev/stdout) is written to as it goes."""
    if path == "-":
        write_stdout(content)
    else:
        _put(path, content)


def _put(path: str, content: Content) -> None:
    target = Path(os.path.realpath(path))  # a symlink is written through
    if target.is_dir():
        raise OutputError(f"{path} is a folder, not a file.")
    if is_stream(path):
        with explained(path, ""), Path(path).open("ab") as stream:
            stream.writelines(_bytes(content))
        return
    with explained(path):
        _clear(target)
        handle, aside = tempfile.mkstemp(ASIDE, f".{target.name}.", target.parent)
        try:
            _lock(handle)
            write_flushed(Path(aside), content)
            Path(aside).chmod(0o666 & ~umask())
            Path(aside).replace(target)
        except BaseException:
            Path(aside).unlink(missing_ok=True)
            raise
        finally:
            os.close(handle)


def _clear(target: Path) -> None:
    """Remove what killed runs have left of this file: written by this user, and held by nobody."""
    for left in target.parent.glob(f".{escape(target.name)}.{'[a-z0-9_]' * 8}{ASIDE}"):
        with suppress(OSError):
            handle = os.open(left, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
            try:
                about = os.fstat(handle)
                if stat.S_ISREG(about.st_mode) and about.st_nlink == 1 and _mine(about) and _lock(handle):
                    left.unlink()
            finally:
                os.close(handle)


def _mine(about: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or about.st_uid == os.geteuid()


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


def is_stream(path: str) -> bool:
    """Whether a path leads to something that is open already, or is no file: nothing may take its place."""
    if os.path.abspath(path).startswith(("/dev/fd/", "/dev/std", "/proc/")):  # noqa: PTH100 (no symlink is followed)
        return True
    return os.path.exists(path) and not os.path.isfile(path)  # noqa: PTH110, PTH113


def write_stdout(content: Iterable[str]) -> None:
    """Write to standard output, each piece as it comes."""
    for text in content:
        sys.stdout.write(text)
        sys.stdout.flush()


def write_flushed(path: Path, content: Content) -> tuple[int, str]:
    """Write, and see to it that the disk has it; the size and SHA-256."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for piece in _bytes(content):
            digest.update(piece)
            size += file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return size, digest.hexdigest()


def _bytes(content: Content) -> Iterator[bytes]:
    for piece in content:
        yield piece if isinstance(piece, bytes) else piece.encode(errors=WHOLE)


@contextmanager
def explained(path: str, consolation: str = " Nothing was left half-written.") -> Iterator[None]:
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
            errno.EPIPE: "its reader has gone away",
        }.get(error.errno or 0, error.strerror or str(error))
        raise OutputError(f"{path} cannot be written: {reason}.{consolation}") from None


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
