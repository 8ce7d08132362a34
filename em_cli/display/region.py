"""A few lines of a terminal that are drawn again and again in their place."""

from __future__ import annotations

import os
import shutil
from typing import TextIO

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
TO_END_OF_LINE, TO_END_OF_SCREEN = "\x1b[K", "\x1b[J"


def size_of(stream: TextIO) -> tuple[int, int]:
    """Columns and lines of the terminal."""
    try:
        columns, lines = os.get_terminal_size(stream.fileno())
    except (OSError, ValueError, AttributeError):
        columns, lines = shutil.get_terminal_size((80, 24))
    return columns or 80, lines or 24


Size = tuple[int, int]  # columns and lines


class Region:
    """The cursor rests, hidden, at the start of the last line: what the terminal echoes does no harm there.

    Every redraw is one write that blanks nothing it does not have to, so nothing flickers. If the
    terminal has become narrower, the lines of before were folded: the way up is the longer for it. What
    has left the screen at the top, because it became smaller, may be back when it grows.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.above: list[int] | None = None  # cells of each line above the cursor; None if nothing is drawn
        self.size: Size | None = None  # when it was drawn
        self.gone: list[int] = []  # cells of lines drawn before that have left the screen

    def draw(self, lines: list[tuple[str, int]], size: Size) -> None:
        """Show these lines, each with the cells it takes: fewer than the terminal has."""
        text = HIDE + self._top(size)
        text += f"{TO_END_OF_LINE}\n".join(line for line, _ in lines) + TO_END_OF_SCREEN + "\r"
        self.above = [cells for _, cells in lines[:-1]]
        self._write(text)

    def print(self, text: str, size: Size) -> None:
        """Write something that stays, above what is drawn next."""
        self._write(self._top(size) + TO_END_OF_SCREEN + text)
        self.above, self.gone = [], []

    def erase(self, size: Size) -> None:
        """Leave the terminal as it was."""
        if self.above is not None:
            self._write(self._top(size) + TO_END_OF_SCREEN + SHOW)
            self.above = None

    def _top(self, size: Size) -> str:
        columns, lines = size
        above = list(self.above or ())
        room = lines - self.size[1] - 1 if self.size else 0  # rather one row too few: the next may be another's
        while self.gone and _rows(self.gone[-1:], columns) <= room:
            room -= _rows(self.gone[-1:], columns)
            above.insert(0, self.gone.pop())
        while _rows(above, columns) >= lines:
            self.gone.append(above.pop(0))
        self.size = size
        rows = _rows(above, columns)
        return f"\x1b[{rows}A\r" if rows else "\r"

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()


def _rows(cells: list[int], columns: int) -> int:
    """Of lines of so many cells."""
    return sum(max(1, -(-each // columns)) for each in cells)
