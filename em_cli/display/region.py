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


class Region:
    """The cursor rests, hidden, at the start of the last line: what the terminal echoes does no harm there.

    Every redraw is one write that blanks nothing it does not have to, so nothing flickers. If the
    terminal has become narrower, the lines of before were folded: the way up is the longer for it.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        self.above: list[int] | None = None  # cells of each line above the cursor; None if nothing is drawn

    def draw(self, lines: list[tuple[str, int]], columns: int) -> None:
        """Show these lines, each with the cells it takes: fewer than the terminal has."""
        text = HIDE + self._top(columns)
        text += f"{TO_END_OF_LINE}\n".join(line for line, _ in lines) + TO_END_OF_SCREEN + "\r"
        self.above = [cells for _, cells in lines[:-1]]
        self._write(text)

    def print(self, text: str, columns: int) -> None:
        """Write something that stays, above what is drawn next."""
        self._write(self._top(columns) + TO_END_OF_SCREEN + text)
        self.above = []

    def erase(self, columns: int) -> None:
        """Leave the terminal as it was."""
        if self.above is not None:
            self._write(self._top(columns) + TO_END_OF_SCREEN + SHOW)
            self.above = None

    def _top(self, columns: int) -> str:
        rows = sum(max(1, -(-cells // columns)) for cells in self.above or ())
        return f"\x1b[{rows}A\r" if rows else "\r"

    def _write(self, text: str) -> None:
        self.stream.write(text)
        self.stream.flush()
