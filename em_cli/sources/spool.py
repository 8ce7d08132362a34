"""What can be read only once, kept so that it can be read again."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Protocol

from em_cli.errors import OutputError, in_words

STDIN = "-"


def is_plain(path: str) -> bool:
    """Whether this is a file that can be read as often as one likes."""
    try:
        return path != STDIN and Path(path).is_file()
    except OSError:  # of which reading it tells
        return False


class Partial(Protocol):
    def read1(self, size: int, /) -> bytes: ...


@dataclass(slots=True)
class Spool:
    """Copies of what can be read only once (standard input, a FIFO), so that it can be read again."""

    copies: dict[str, IO[bytes]] = field(default_factory=dict)

    def close(self) -> None:
        """Give the room back."""
        for copy in self.copies.values():
            copy.close()

    def again(self, path: str) -> IO[bytes]:
        """The copy, from its beginning."""
        self.copies[path].seek(0)
        return self.copies[path]

    def stream(self, path: str, raw: Partial) -> Partial:
        """What to read in place of a stream that is opened for the first time."""
        if is_plain(path):
            return raw
        self.copies[path] = copy = tempfile.TemporaryFile()  # noqa: SIM115 (it lasts as long as the spool)
        return _Copying(raw, copy)


@dataclass(frozen=True, slots=True)
class _Copying:
    """A stream of which everything that is read is written into a copy."""

    inner: Partial
    copy: IO[bytes]

    def read1(self, size: int, /) -> bytes:
        data = self.inner.read1(size)
        try:
            self.copy.write(data)
        except OSError as error:
            place = tempfile.gettempdir()
            raise OutputError(f"no copy of the data, to label their rows, in {place}: {in_words(error)}.") from None
        return data
