"""Files and run folders that are complete or absent: written aside, flushed, renamed."""

from __future__ import annotations

import errno
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from em_cli.errors import OutputError, ReaderGone


def check_folder(path: str, force: bool) -> None:
    """Refuse, before any work is done, a folder that could not be written at the end."""
    folder = Path(path)
    if os.path.lexists(folder):
        if not force:
            raise OutputError(f"{path} exists. Use --force to replace it, or --out to write elsewhere.")
        if not folder.is_dir() or (any(folder.iterdir()) and not (folder / "params.json").exists()):
            raise OutputError(f"{path} is not a run folder: it will not be replaced. Use --out to write elsewhere.")
    parent = folder.absolute().parent
    nearest = next(p for p in (parent, *parent.parents) if p.exists())
    if not nearest.is_dir() or not os.access(nearest, os.W_OK | os.X_OK):
        raise OutputError(f"{path} cannot be written: there is no permission to write in {nearest}. Use --out.")


def write_folder(path: str, files: Mapping[str, Iterable[str]], force: bool) -> list[str]:
    """Write the files into a new folder beside its place, then rename it there; their names."""
    folder = Path(path)
    with _explained(path):
        folder.absolute().parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.absolute().parent))
        try:
            aside.chmod(0o777 & ~_umask())
            for name, content in files.items():
                _write(aside / name, content)
            _move(aside, folder, force)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
    return list(files)


def write_file(path: str, content: Iterable[str]) -> None:
    """Write one file, or standard output for '-'."""
    if path == "-":
        write_stdout(content)
        return
    target = Path(path)
    if target.is_dir():
        raise OutputError(f"{path} is a folder, not a file.")
    with _explained(path):
        handle, aside = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.absolute().parent)
        os.close(handle)
        try:
            _write(Path(aside), content)
            Path(aside).chmod(0o666 & ~_umask())
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


def _write(path: Path, content: Iterable[str]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        for text in content:
            file.write(text)
        file.flush()
        os.fsync(file.fileno())


def _move(aside: Path, folder: Path, force: bool) -> None:
    if not os.path.lexists(folder):
        aside.rename(folder)
        return
    if not force:
        raise OutputError(f"{folder} exists. Use --force to replace it, or --out to write elsewhere.")
    old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=aside.parent))
    folder.rename(old / "old")
    aside.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _explained(path: str) -> Iterator[None]:
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


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
