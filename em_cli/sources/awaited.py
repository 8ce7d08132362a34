"""Rows that come for as long as they like: the first of them to decide by, the others one piece after the other."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from em_cli.sources.frames import Found
from em_cli.sources.pieces import Piece, pieces
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.records import after_lines
from em_cli.sources.table import InputFile


@dataclass(slots=True, eq=False)
class Awaited:
    """A stream whose first rows are read as a file is, and whose others are handed out as they come."""

    first: int  # rows
    kept: Path | None = None  # their text, where a run goes on that has read them before
    text: bytes = b""  # the same of those that were read
    _left: list[Piece] = field(default_factory=list)
    _rest: Iterator[Piece] = field(default_factory=lambda: iter(()))

    def first_pieces(self, path: str, options: ReadOptions, done: Callable[[InputFile], None]) -> Iterator[Piece]:
        """The first rows, and no more of them, however they come; `done` is told of their text."""
        found = pieces(path if self.kept is None else str(self.kept), options)
        n, texts = 0, []
        for piece in found:
            head, tail = _cut(piece, self.first - n)
            n += len(head.frame)
            texts.append(_text_of(head))
            yield head
            if tail is not None:
                self._left.append(tail)
            if n == self.first:
                break
        self.text = b"".join(texts)
        self._rest = found if self.kept is None else pieces(path, options)
        done(InputFile(path, len(self.text), hashlib.sha256(self.text).hexdigest()))

    def others(self) -> Iterator[Piece]:
        """The rows that follow."""
        yield from self._left
        self._left.clear()
        yield from self._rest


def _text_of(piece: Piece) -> bytes:
    assert piece.text is not None, "standard input holds text"
    raw = piece.text.raw
    return raw.marks.encode(raw.codec) + raw.encoded(raw.text)


def parted(piece: Piece, n: int) -> tuple[Piece, Piece]:
    """The first n rows, and the others; without the text that they stand in."""

    def find(row: int, column: str) -> Found:
        return piece.find(row + n, column)

    tail = piece.frame.iloc[n:].reset_index(drop=True)
    return (
        replace(piece, frame=piece.frame.iloc[:n], text=None),
        replace(piece, frame=tail, first_row=piece.first_row + n, find=find, text=None),
    )


def _cut(piece: Piece, n: int) -> tuple[Piece, Piece | None]:
    """The first n rows at most with their text, and the others, if there are any."""
    if len(piece.frame) <= n:
        return piece, None
    assert piece.text is not None, "standard input holds text"
    line = piece.find(n, piece.names[0]).line
    assert line is not None, "rows of text stand in lines"
    raw, (head, tail) = piece.text.raw, parted(piece, n)
    above = raw.text[: len(raw.text) - len(after_lines(raw.text, line - raw.first_line))]
    raw = replace(raw, text=above, ends=raw.ends[: above.count("\n")])
    return replace(head, text=replace(piece.text, raw=raw)), tail
