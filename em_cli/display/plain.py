"""Plain lines for a log: what matters, without flooding it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from datetime import datetime
from math import isfinite
from typing import TextIO

from em_cli.display.progress import Progress
from em_cli.display.text import counted, duration, message, model, nats, objective
from em_cli.engine.events import (
    FINISHING,
    Advanced,
    DataRead,
    Finished,
    FitEvent,
    ModelChosen,
    Observer,
    PassDone,
    PhaseStarted,
    RowsRead,
    Warned,
)
from em_cli.printable import safe

MANY_STARTS = 20  # with more of them, only those are told that raise the best
HEARTBEAT = 10.0  # seconds; twice as many after each that had nothing new to tell
LOOKS = 1.0  # seconds, after which a thread looks whether one is due
MANY_ROWS = 100_000  # of which a pass takes so long that its speed is told


def time_of_day() -> str:
    """Here and now."""
    return datetime.now().astimezone().strftime("%H:%M:%S")


class Plain:
    """Lines that begin with `em: ` and the time of day. A log that can no longer be written does not stop the run."""

    def __init__(
        self,
        stream: TextIO,
        *,
        sweep: bool,
        verbose: bool = False,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], str] = time_of_day,
    ) -> None:
        self.stream, self.sweep, self.verbose, self.clock, self.now = stream, sweep, verbose, clock, now
        self.progress = Progress(clock)
        self.started = self.spoke = clock()
        self.told = float("-inf")
        self.pause = HEARTBEAT
        self.lock = threading.RLock()
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self._watch, name="em-log", daemon=True)

    def __enter__(self) -> Observer:
        self.thread.start()
        return self.observe

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.stopped.set()
        self.thread.join(1)
        if kind is None and self.progress.phase.name:
            self.say(f"done in {self.clock() - self.started:.2f} s")

    def observe(self, event: FitEvent) -> None:
        self.progress(event)
        self.pause = HEARTBEAT
        if isinstance(event, PassDone | RowsRead | Advanced):
            self.beat()
        elif isinstance(event, Finished):
            self.finished(event)
        elif isinstance(event, PhaseStarted):
            self.enter(event)
        elif isinstance(event, DataRead):
            self.read(event)
        elif isinstance(event, ModelChosen):
            self.chosen(event)
        elif isinstance(event, Warned):
            self.say(f"warning: {message(event.message)}")

    def read(self, event: DataRead) -> None:
        dropped = f", {counted(event.n_dropped, 'row')} left out" if event.n_dropped else ""
        self.say(f"{safe(event.source)}: {counted(event.n_rows, 'row')}, {counted(event.n_columns, 'column')}{dropped}")
        if self.verbose:
            self.say(f"columns: {', '.join(safe(name) for name in event.columns)}")

    def enter(self, event: PhaseStarted) -> None:
        self.told = float("-inf")
        if self.verbose and (event.ends or not event.n_rows):
            sample = f" on a sample of {event.n_rows:,} rows" if event.sampled else ""
            self.say(f"{safe(event.name)}{f': {event.n_candidates}' if event.n_candidates else ''}{sample}")

    def finished(self, event: Finished) -> None:
        phase = self.progress.phase
        if phase.name != FINISHING or (self.sweep and not self.verbose):
            return
        if phase.n_candidates > MANY_STARTS and not self.verbose:
            if event.status == "degenerate" or event.log_likelihood <= self.told:
                return
            self.told = event.log_likelihood
        which = f"{model(event.label, event.n_components)} " if self.sweep else ""
        status = event.status.replace("_", " ")
        self.say(
            f"{which}start {event.candidate + 1} {objective(event.label, event.of)} {nats(event.log_likelihood)} "
            f"iter {event.iterations} {status}"
        )

    def chosen(self, event: ModelChosen) -> None:
        if not isfinite(event.log_likelihood) and event.note:
            self.say(f"{model(event.label, event.n_components)}: {safe(event.note)}")
            return
        known = [(name, value) for name, value in event.criteria if isfinite(value)]
        values = "".join(f" {name.upper()} {nats(value)}" for name, value in known[:1])
        note = f" ({safe(event.note)})" if event.note else ""
        value = f"{objective(event.label)} {nats(event.log_likelihood)}"
        self.say(f"{model(event.label, event.n_components)}: {value}{values}{note}")

    def _watch(self) -> None:
        """Let no work go on in silence that has nothing to tell between its beginning and its end."""
        while not self.stopped.wait(LOOKS):
            self.beat()

    def beat(self) -> None:
        """Tell how things stand, if nothing has been said for so long."""
        with self.lock:
            if self.clock() - self.spoke >= self.pause:
                self.heartbeat()
                self.pause *= 2

    def heartbeat(self) -> None:
        """The phase, how much of it is done, the best so far, how long it has taken and may yet take."""
        progress, count, left = self.progress, self.progress.count(), self.progress.left()
        read, speed = progress.rows_read(), progress.rows_a_second()
        parts = [f"{count[0]} of {count[1]} done"] if count else []
        parts += [f"{read[0]:,} rows, {read[1]:,.0f} a second"] if read else []
        parts += [f"{speed:,.0f} rows a second"] if speed is not None and progress.phase.n_rows >= MANY_ROWS else []
        parts += [self._best()] if isfinite(progress.best()) else []
        parts += [f"{duration(progress.elapsed)} so far"]
        parts += [f"about {duration(left)} left"] if left is not None else []
        self.say(f"{safe(progress.phase.name)}: {', '.join(parts)}")

    def _best(self) -> str:
        progress, leading = self.progress, self.progress.leading()
        sample = f" on a sample of {progress.phase.n_rows:,} rows" if progress.phase.sampled else ""
        if leading is None:
            leader = progress.leader()
            name = objective(leader.label, leader.of) if leader else "loglik"
            return f"best {name} {nats(progress.best())}{sample}"
        which = f" ({model(leading.label, leading.n_components)})" if self.sweep else ""
        return f"BIC so far {nats(leading.bic)}{which}{sample}"

    def say(self, text: str) -> None:
        with self.lock, contextlib.suppress(OSError):
            self.spoke = self.clock()
            self.stream.write(f"em: {self.now()} {text}\n")
            self.stream.flush()
