"""Plain lines for a log: what matters, without flooding it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from typing import TextIO

from em_cli.display.text import counted, duration, message, model, nats
from em_cli.engine.events import (
    FINISHING,
    DataRead,
    Finished,
    FitEvent,
    Iterated,
    ModelChosen,
    Observer,
    PassDone,
    PhaseStarted,
    Warned,
)
from em_cli.printable import safe

MANY_STARTS = 20  # with more of them, only those are told that raise the best
HEARTBEAT = 10.0  # seconds


class Plain:
    """Lines that begin with `em: `. A log that can no longer be written does not stop the run."""

    def __init__(
        self, stream: TextIO, *, sweep: bool, verbose: bool = False, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.stream, self.sweep, self.verbose, self.clock = stream, sweep, verbose, clock
        self.started = self.spoke = clock()
        self.phase = PhaseStarted("", 0)
        self.ended = 0
        self.iteration = 0
        self.best = self.told = float("-inf")

    def __enter__(self) -> Observer:
        return self.observe

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None and self.phase.name:
            self.say(f"done in {self.clock() - self.started:.2f} s")

    def observe(self, event: FitEvent) -> None:
        if isinstance(event, Iterated):
            self.iteration = max(self.iteration, event.iteration)
            self.best = max(self.best, event.log_likelihood)
        elif isinstance(event, PassDone):
            if self.clock() - self.spoke >= HEARTBEAT:
                self.heartbeat()
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
        if event.name != self.phase.name:
            self.best = self.told = float("-inf")  # which may have been on other rows
        self.phase, self.ended, self.iteration = event, 0, 0
        if self.verbose:
            self.say(f"{safe(event.name)}: {event.n_candidates}" if event.n_candidates else safe(event.name))

    def finished(self, event: Finished) -> None:
        self.ended += 1
        if self.phase.name != FINISHING or (self.sweep and not self.verbose):
            return
        if self.phase.n_candidates > MANY_STARTS and not self.verbose:
            if event.status == "degenerate" or event.log_likelihood <= self.told:
                return
            self.told = event.log_likelihood
        which = f"{model(event.label, event.n_components)} " if self.sweep else ""
        status = event.status.replace("_", " ")
        self.say(
            f"{which}start {event.candidate + 1} loglik {nats(event.log_likelihood)} iter {event.iterations} {status}"
        )

    def chosen(self, event: ModelChosen) -> None:
        values = "".join(f" {name.upper()} {nats(value)}" for name, value in event.criteria[:1])
        note = f" ({safe(event.note)})" if event.note else ""
        self.say(f"{model(event.label, event.n_components)}: loglik {nats(event.log_likelihood)}{values}{note}")

    def heartbeat(self) -> None:
        self.say(
            f"{safe(self.phase.name)}: iter {self.iteration}, best loglik {nats(self.best)}, "
            f"{self.ended}/{self.phase.n_candidates} done, {duration(self.clock() - self.started)}"
        )

    def say(self, text: str) -> None:
        self.spoke = self.clock()
        with contextlib.suppress(OSError):
            self.stream.write(f"em: {text}\n")
            self.stream.flush()
