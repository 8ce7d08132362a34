"""Rows that a run has put into its file, kept for the next command that reads the same data in the same way."""

from __future__ import annotations

import hashlib
import os
import pickle
import stat
import sys
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path

from em_cli import __version__
from em_cli.engine import cache, rows
from em_cli.sources.files import expand, hashed
from em_cli.sources.left_behind import is_own
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.reader import read
from em_cli.sources.row_blocks import Blocks
from em_cli.sources.row_file import held_open
from em_cli.sources.spool import is_plain
from em_cli.sources.store import Store
from em_cli.sources.table import Data

LIBRARIES = ("numpy", "pandas")
BESIDE = (cache, rows)  # modules of which objects are kept, beside those of this folder
OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True, slots=True)
class _Place:
    """Two files in a folder, named by what they hold: the rows, and what is known of them."""

    folder: Path
    key: str

    @property
    def rows(self) -> Path:
        return self.folder / f"em-{self.key}.rows"

    @property
    def about(self) -> Path:
        return self.folder / f"em-{self.key}.data"


def read_or_kept(paths: Sequence[str], options: ReadOptions, store: Store, folder: Path) -> Data:
    """The data, from the rows that were kept in a folder or else from the files; then their rows are kept there."""
    files = expand(paths)
    if not all(is_plain(file) for file in files):
        return read(paths, options)
    place = _Place(folder, _key(files, options))
    found = _found(place)
    if found is not None and isinstance(found.source, Blocks):
        return replace(found, source=replace(found.source, store=store))
    store.name, store.complete = place.rows.name, place.about
    data = read(paths, options)
    if data.on_disk and store.path == place.rows and isinstance(data.source, Blocks):
        _keep(place, data, store)
    return data


def _key(files: Sequence[str], options: ReadOptions) -> str:
    """Of what decides how the rows are read, and what is kept of them; of the files what they hold."""
    how = repr(options.for_others)
    libraries = [version(name) for name in LIBRARIES]
    held = [text for file in files for text in (file, hashed(file).sha256)]
    what = [__version__, sys.byteorder, _code(), *libraries, how, *held]
    return hashlib.sha256("\0".join(what).encode(errors="backslashreplace")).hexdigest()[:32]


def _code() -> str:
    """Of all that reads rows and keeps them, which may change under one version."""
    own, digest = Path(__file__).parent.glob("*.py"), hashlib.sha256()
    for file in sorted([*own, *(Path(str(module.__file__)) for module in BESIDE)]):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _found(place: _Place) -> Data | None:
    """What is kept there, by this user; None if there is nothing that is whole."""
    with suppress(OSError, ValueError, EOFError, pickle.UnpicklingError, AttributeError, ImportError):
        for file in (place.rows, place.about):
            about = file.lstat()
            if not stat.S_ISREG(about.st_mode) or not is_own(about) or about.st_mode & OTHERS_WRITE:
                return None
        size, data = pickle.loads(place.about.read_bytes())
        if isinstance(data, Data) and place.rows.stat().st_size >= size and held_open(place.rows):
            return data
    return None


def _keep(place: _Place, data: Data, store: Store) -> None:
    """Say that the rows are whole; without room for that they go with the run."""
    with suppress(OSError):
        handle, name = tempfile.mkstemp(dir=place.folder)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(pickle.dumps((store.settled(), data)))
            Path(name).replace(place.about)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
        store.kept = True
