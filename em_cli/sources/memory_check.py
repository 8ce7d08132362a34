"""Whether there is room in memory for the rest of the data, as far as can be told from what is read of them."""

from __future__ import annotations

from collections.abc import Sequence
from math import nan
from pathlib import Path
from stat import S_ISREG

from em_cli import memory
from em_cli.engine.columns import WIDE
from em_cli.engine.events import Observer, RowsRead, ignore
from em_cli.sources.files import COMPRESSED, label
from em_cli.sources.quoting import plural
from em_cli.sources.remote import suffix_of
from em_cli.sources.spool import STDIN
from em_cli.sources.store import Store
from em_cli.sources.taken import Taken

NUMBER = 8  # bytes
IDENTIFIER = 24  # bytes
MATRICES = 4  # of columns by columns, that summarise them
AGAIN = 1.2  # times what was found to fit: then it is looked at again


class Room:
    """Told of every piece; `DataError` where the rows will not fit.

    Of plain files it is known how long they are. Of others only what is there is counted.
    """

    def __init__(self, files: Sequence[str], has_ids: bool, store: Store, observe: Observer = ignore) -> None:
        self.sizes = {label(path): _size(path) for path in files}
        self.total = sum(self.sizes[label(path)] for path in files) if all(self.sizes.values()) else None
        self.has_ids, self.store, self.observe = has_ids, store, observe
        self.rows = self.characters = 0
        self.found = 0.0  # bytes

    def check(self, file: str, taken: Taken, n_columns: int, shown: str) -> None:
        """The cells of further pieces, and what summarises them; what will not fit goes to the disk, if it may."""
        self.rows += taken.n_rows
        self.characters += taken.n_characters or round(taken.share * self.sizes.get(file, 0))
        rows = float(self.rows)
        if self.total is not None and self.characters:
            rows = max(rows, rows * self.total / self.characters)
        own = NUMBER * n_columns + IDENTIFIER * self.has_ids  # bytes of a row
        self.store.expect(own * rows, own * (rows - self.rows))
        more = (0.0 if self.store.on_disk else own * (rows - self.rows)) + NUMBER * MATRICES * n_columns * min(
            n_columns, WIDE
        )
        if self.rows > taken.n_rows:  # of small files there is nothing to tell
            known = self.total is not None and self.characters > 0
            share = min(1.0, self.characters / float(self.total or 1)) if known else nan
            self.observe(RowsRead(self.rows, share))
        if more > AGAIN * self.found:
            memory.check(more, f"{shown}: reading about {plural(int(rows), 'row')} of {plural(n_columns, 'column')}")
            self.found = more


def _size(path: str) -> int:
    """In bytes; 0 if it does not say how much there is to read."""
    if path == STDIN or suffix_of(path) in COMPRESSED:
        return 0
    try:
        found = Path(path).stat()
    except (OSError, ValueError):  # what is wrong with it is told when it is opened
        return 0
    return found.st_size if S_ISREG(found.st_mode) else 0
