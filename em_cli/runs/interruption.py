"""A signal, or the end of its time, ends a run early and in order: the best so far is written, and marked."""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from time import monotonic
from types import FrameType

from em_cli.config.durations import parse_duration
from em_cli.errors import ExitStatus, Interrupted, UsageError


@dataclass(slots=True)
class Interruption:
    """Whether a signal has asked the run to end.

    The first one ends it at once while nobody asks for it: data are awaited, and there is no fit to write. A second
    one always does.
    """

    number: int = 0
    heeded: bool = False  # the search has begun, and asks after every pass

    def __call__(self) -> bool:
        self.heeded = True
        return self.number != 0

    @contextmanager
    def awaiting(self, deadline: float = float("inf")) -> Iterator[None]:
        """Where others are waited for: a signal, or the deadline, ends it by `Interrupted`."""
        self.heeded = False
        if self.number:
            raise Interrupted(self.status)
        timed = deadline < float("inf") and threading.current_thread() is threading.main_thread()
        before = signal.signal(signal.SIGALRM, self._late) if timed else None
        try:
            if timed:
                signal.setitimer(signal.ITIMER_REAL, max(deadline - monotonic(), 1e-3))
            yield
        finally:
            if timed:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, before)
            self.heeded = True

    def _late(self, number: int, frame: FrameType | None) -> None:
        raise Interrupted(self.status)

    def note(self, number: int, frame: FrameType | None) -> None:
        """The handler of signals."""
        first, self.number = self.number == 0, number
        if not (first and self.heeded):
            raise Interrupted(self.status)

    @property
    def status(self) -> ExitStatus:
        if self.number == signal.SIGTERM:
            return ExitStatus.TERMINATED
        return ExitStatus.INTERRUPTED if self.number in (0, signal.SIGINT) else ExitStatus.HUNG_UP


@dataclass(slots=True)
class Halt:
    """Whether the search is to end early, asked after every pass; and why."""

    interruption: Interruption
    deadline: float  # of the monotonic clock
    reason: str = ""  # the first there was: interrupted or time_limit

    def __call__(self) -> bool:
        if not self.reason and self.interruption():
            self.reason = "interrupted"
        elif not self.reason and monotonic() >= self.deadline:
            self.reason = "time_limit"
        return bool(self.reason)


@contextmanager
def halting(time_limit: str | None) -> Iterator[Halt]:
    """Work that ends in order when its time is up, or by a signal, by which the status is then told."""
    with interruptible() as interruption:
        try:
            seconds = float("inf") if time_limit is None else parse_duration(time_limit)
        except ValueError as error:
            raise UsageError(f"--time-limit: {error}") from None
        yield Halt(interruption, monotonic() + seconds)
        if interruption.number:
            raise Interrupted(interruption.status)


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Note SIGINT and SIGTERM, where signals can be had, and leave them as they were."""
    interruption = Interruption()
    if threading.current_thread() is not threading.main_thread():
        yield interruption
        return
    before = {number: signal.signal(number, interruption.note) for number in _heeded()}
    try:
        yield interruption
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _heeded() -> list[signal.Signals]:
    """Ctrl-C, what systems send to end a program, and that the terminal is gone, which nohup has a program ignore."""
    heeded = [signal.SIGINT, signal.SIGTERM]
    if sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        heeded.append(signal.SIGHUP)
    return heeded
