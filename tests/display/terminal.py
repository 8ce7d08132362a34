"""A terminal to draw on: what a person would see of a stream."""

from __future__ import annotations

import pyte


class Terminal:
    """A stream that is a terminal of some size."""

    encoding = "utf-8"

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        self.screen = pyte.HistoryScreen(columns, lines, history=1000)
        self.screen.set_mode(pyte.modes.LNM)  # as a tty does: a line end returns the carriage
        self.parser = pyte.Stream(self.screen)
        self.written: list[str] = []

    def write(self, text: str) -> int:
        self.written.append(text)
        self.parser.feed(text)
        return len(text)

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True

    def resize(self, columns: int, lines: int) -> None:
        self.screen.resize(lines, columns)

    @property
    def size(self) -> tuple[int, int]:
        return self.screen.columns, self.screen.lines

    @property
    def shown(self) -> list[str]:
        """The lines of the screen that are not blank."""
        return [line.rstrip() for line in self.screen.display if line.strip()]

    @property
    def scrolled(self) -> int:
        return len(self.screen.history.top)
