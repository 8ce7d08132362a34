"""Files that are complete or absent: written aside, flushed, renamed."""

from __future__ import annotations

import errno
import hashlib
import os
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from glob import escape
from pathlib import Path
from typing import NamedTuple

from em_cli.errors import OutputError, in_words
from em_cli.sources.left_behind import hold, left_behind

Content = Iterable[str] | Iterable[bytes]
ASIDE = ".partial"  # ends the names of files on their way
OF_WRITING = {
    errno.EACCES: "there is no permission to write there",
    errno.ENOENT: "its folder does not exist, or no file can be made in it",
    errno.EEXIST: "a file has this name already",
}
MOST_HELD = 64  # files that are locked on their way; more of them would be too many to have open
WHOLE = "backslashreplace"  # names of files may hold bytes that are no characters


class Written(NamedTuple):
    """A file that is there."""

    size: int  # bytes
    sha256: str


def write_files(folder: str, files: Mapping[str, Content]) -> None:
    """Write files into a folder, which is made if it is not there: all of them or none, and no folder then."""
    place = Path(folder)
    made = [one for one in (place, *place.parents) if not os.path.lexists(one)]
    try:
        with explained(folder):
            place.mkdir(parents=True, exist_ok=True)
        write_together({str(place / name): content for name, content in files.items()})
    except BaseException:
        for one in made:
            with suppress(OSError):
                one.rmdir()
        raise


def check_writable(path: str, made: bool = False) -> None:
    """Refuse, before any work is done, a file that has no place in the end; folders on its way may be `made`."""
    with explained(path, ""):
        folder = Path(os.path.realpath(path)).parent
        if made:
            folder = next(one for one in (folder, *folder.parents) if one.exists())
        if not folder.exists():
            raise FileNotFoundError(errno.ENOENT, "no folder")
        if not folder.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, "no folder")
        if not os.access(folder, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "no permission")


def write_file(path: str, content: Content) -> None:
    """Write one file, or standard output for '-'; what is no file (a FIFO, /dev/stdout) is written to as it goes."""
    if path == "-":
        write_stdout(content)
    else:
        write_together({path: content})


def write_together(files: Mapping[str, Content]) -> None:
    """Write files, which get their names when all of them are there; what is no file is written to as it goes."""
    with ExitStack() as stack:
        ready = []
        for path, content in files.items():
            target = Path(os.path.realpath(path))  # a symlink is written through
            if os.path.isdir(target):  # noqa: PTH112 (that of a path raises where its name is too long)
                raise OutputError(f"{path} is a folder, not a file.")
            if is_stream(path):
                with explained(path, ""), Path(path).open("ab") as stream:
                    stream.writelines(as_bytes(content))
                continue
            aside, handle = _written_aside(path, target, content)
            stack.callback(aside.unlink, missing_ok=True)
            ready.append((path, aside, target))
            if len(ready) <= MOST_HELD:
                stack.callback(os.close, handle)
            else:
                os.close(handle)
        for path, aside, target in ready:
            with explained(path):
                aside.replace(target)


def _written_aside(path: str, target: Path, content: Content) -> tuple[Path, int]:
    """A file beside the target that holds the content, and the handle by which it is locked."""
    with explained(path):
        _clear(target)
        handle, name = tempfile.mkstemp(ASIDE, f".{target.name}.", target.parent)
        try:
            hold(handle)
            write_flushed(Path(name), content)
            Path(name).chmod(0o666 & ~umask())
        except BaseException:
            Path(name).unlink(missing_ok=True)
            os.close(handle)
            raise
    return Path(name), handle


def _clear(target: Path) -> None:
    """Remove what killed runs have left of this file: written by this user, and held by nobody."""
    for left in target.parent.glob(f".{escape(target.name)}.{'[a-z0-9_]' * 8}{ASIDE}"):
        with suppress(OSError), left_behind(left) as abandoned:
            if abandoned:
                left.unlink()


def is_stream(path: str) -> bool:
    """Whether a path leads to something that is open already, or is no file: nothing may take its place."""
    if os.path.abspath(path).startswith(("/dev/fd/", "/dev/std", "/proc/")):  # noqa: PTH100 (no symlink is followed)
        return True
    return os.path.exists(path) and not os.path.isfile(path)  # noqa: PTH110, PTH113


def write_stdout(content: Content) -> None:
    """Write to standard output, each piece as it comes."""
    for piece in content:
        if isinstance(piece, bytes):
            sys.stdout.flush()
            sys.stdout.buffer.write(piece)
            sys.stdout.buffer.flush()
        else:
            sys.stdout.write(piece)
            sys.stdout.flush()


def write_flushed(path: Path, content: Content) -> Written:
    """Write, and see to it that the disk has it."""
    digest, size = hashlib.sha256(), 0
    with path.open("wb") as file:
        for piece in as_bytes(content):
            digest.update(piece)
            size += file.write(piece)
        file.flush()
        os.fsync(file.fileno())
    return Written(size, digest.hexdigest())


def as_bytes(content: Content) -> Iterator[bytes]:
    """Each piece in UTF-8, unless it is bytes already."""
    for piece in content:
        yield piece if isinstance(piece, bytes) else piece.encode(errors=WHOLE)


@contextmanager
def explained(path: str, consolation: str = " Nothing was left half-written.") -> Iterator[None]:
    """Why something cannot be written, for whoever asked for it."""
    try:
        yield
    except OSError as error:
        why = OF_WRITING.get(error.errno or 0) or in_words(error)
        raise OutputError(f"{path} cannot be written: {why}.{consolation}") from None


def umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
