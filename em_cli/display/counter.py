"""How many of several things are done: one line of a terminal that is written over, or a line now and then in a log."""

from __future__ import annotations

import sys
import time
from contextlib import suppress

from em_cli.display.text import duration

OFTEN, SELDOM = 0.2, 10.0  # seconds between the lines of a terminal, and of a log


class Counter:
    """Told how many are done, it says so on standard error, and how long the rest may take."""

    def __init__(self, noun: str, quiet: bool) -> None:
        self.noun, self.quiet, self.begun = noun, quiet, time.monotonic()
        self.live = not quiet and sys.stderr.isatty()
        self.spoke = self.begun if not self.live else float("-inf")
        self.first: int | None = None

    def __call__(self, done: int, wanted: int) -> None:
        now = time.monotonic()
        first = self.first = done if self.first is None else self.first
        if self.quiet or now - self.spoke < (OFTEN if self.live else SELDOM):
            return
        self.spoke = now
        rate = (done - first) / (now - self.begun)
        left = f", about {duration((wanted - done) / rate)} left" if rate > 0 and done < wanted else ""
        text = f"em: {done:,} of {wanted:,} {self.noun}{left}"
        self._write(f"\r\033[K{text}" if self.live else f"{text}\n")

    def close(self) -> None:
        """Leave no half line behind."""
        if self.live:
            self._write("\r\033[K")

    def _write(self, text: str) -> None:
        with suppress(OSError):
            sys.stderr.write(text)
            sys.stderr.flush()
