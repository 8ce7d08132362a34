"""What is read and what is written must not be the same file."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from em_cli.errors import OutputError, UsageError
from em_cli.outputs.folder import check_writable, is_stream
from em_cli.outputs.packing import check_packing
from em_cli.sources.files import expand, label

STDIN, STDOUT = 0, 1


def check_places(inputs: Sequence[str | None], outputs: Mapping[str, str | None]) -> None:
    """`UsageError` if an output is an input, or two outputs are one file.

    What is no file (a terminal, a FIFO, /dev/null) may be many things at once.
    """
    for option, path in outputs.items():
        if path == "":
            raise UsageError(f"{option} '' names no file.")
    read = {path: _place(path, STDIN) for given in inputs if given is not None for path in expand([given])}
    written = {option: path for option, path in outputs.items() if path not in (None, "-")}
    taken = {place: f"{label(path)}, which is to be read" for path, place in read.items()}
    for option, path in {"standard output": "-", **written}.items():
        place = _place(str(path), STDOUT)
        if place is not None and place in taken:
            raise UsageError(f"{option} would overwrite {taken[place]}. Name another file.")
        taken[place] = f"what {option} writes there"


def check_free(option: str, out: str | None, force: bool, kind: str = "") -> None:
    """Refuse, before any work is done, a file that is there already, has no place, or is by its name no CSV, or of this
    kind."""
    check_packing(option, out, kind)
    _check_free(out, force, made=False)


def is_taken(path: str) -> bool:
    """Whether there is a file that only --force replaces."""
    return path != "-" and os.path.lexists(path) and not is_stream(path)


def check_all_free(folder: str, names: Iterable[str], force: bool) -> None:
    """The same of files of these names in a folder."""
    for name in names:
        _check_free(str(Path(folder) / name), force, made=True)


def _check_free(out: str | None, force: bool, made: bool) -> None:
    if out is not None and is_taken(out) and not force:
        raise OutputError(f"{out} exists. Use --force to replace it.")
    check_has_place(out, made)


def check_has_place(path: str | None, made: bool = False) -> None:
    """The same of what is replaced where it is there; folders on its way may be `made`."""
    if path not in (None, "-") and not is_stream(str(path)):
        check_writable(str(path), made)


def _place(path: str, number: int) -> object:
    """The same for all names of a file; None of what is no file. '-' is the stream of that number."""
    try:
        if path == "-":
            found = os.fstat(number)
        elif number == STDIN and Path(path).is_dir():
            return _place(f"{path}/params.json", number)
        elif is_stream(path):
            return None
        else:
            found = Path(path).stat()
    except OSError:
        return os.path.realpath(path)
    return (found.st_dev, found.st_ino) if stat.S_ISREG(found.st_mode) else None
