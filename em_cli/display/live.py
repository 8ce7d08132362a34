"""The live view: a thread that draws, a few times a second, how far a run has come."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable
from typing import Any, TextIO, cast

from em_cli.display.frame import Frame
from em_cli.display.progress import Progress
from em_cli.display.region import Region, size_of
from em_cli.display.text import message
from em_cli.display.text_page import Page
from em_cli.engine.events import Observer
from em_cli.printable import words

INTERVAL = 0.125  # seconds
WRITES = ("write", "writelines", "buffer")


class Live:
    """What is drawn is gone in the end; only warnings stay, above it."""

    def __init__(self, stream: TextIO, *, sweep: bool, colored: bool, progress: Progress | None = None) -> None:
        self.stream = stream
        self.progress = progress or Progress()
        self.frame = Frame(self.progress, sweep=sweep, colored=colored)
        self.region = Region(stream)
        self.lock = threading.Lock()
        self.stopped = threading.Event()
        self.said = 0
        self.thread = threading.Thread(target=self._run, name="em-display", daemon=True)
        self.stdout: TextIO | None = sys.stdout
        self.guard = cast(TextIO, _Guard(self.stdout, self.close))

    def __enter__(self) -> Observer:
        if self.stdout is not None and self.stdout.isatty():
            sys.stdout = self.guard
        self.thread.start()
        return self.progress

    def __exit__(self, *_: object) -> None:
        if sys.stdout is self.guard and self.stdout is not None:
            sys.stdout = self.stdout
        self.close()
        self.thread.join(1)

    def close(self) -> None:
        """Draw no more; give the terminal back."""
        self.stopped.set()
        with self.lock, contextlib.suppress(OSError):
            self._warn()
            self.region.erase(size_of(self.stream))

    def draw(self) -> None:
        """Show how things stand, unless the terminal has changed its size meanwhile."""
        size = columns, lines = size_of(self.stream)
        shown = self.frame.lines(columns - 1, lines - 1)
        with self.lock:
            if not self.stopped.is_set() and size == size_of(self.stream):
                self._warn()
                self.region.draw(shown, size)

    def _warn(self) -> None:
        """Print the warnings that are new."""
        fresh = self.progress.warnings[self.said :]
        self.said += len(fresh)
        if fresh:
            size = columns, _ = size_of(self.stream)
            self.region.print("".join(folded(message(warned.message), columns - 1) for warned in fresh), size)

    def _run(self) -> None:
        with contextlib.suppress(OSError):  # a terminal that is gone does not stop the run
            while not self.stopped.wait(INTERVAL):
                self.draw()


def folded(warning: str, width: int) -> str:
    """A warning as lines that end between words."""
    page, begin = Page(width, color=False), "em: warning: "
    for line in warning.split("\n"):
        page.flow(words(line.strip()), " ", begin, hanging=4)
        begin = "    "
    return page.text()


class _Guard:
    """Standard output on a terminal: whoever writes there ends the live view first, so that they never mix."""

    def __init__(self, target: TextIO | None, before: Callable[[], None]) -> None:
        self._target, self._before = target, before

    def __getattr__(self, name: str) -> Any:
        if name in WRITES:
            self._before()
        return getattr(self._target, name)
