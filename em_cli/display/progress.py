"""How far a run has come: counters that cost little to keep, read by the live view now and then."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace

from em_cli.engine.events import (
    Advanced,
    DataRead,
    Finished,
    FitEvent,
    Improved,
    Iterated,
    ModelChosen,
    PassDone,
    PhaseStarted,
    RowsRead,
    Warned,
)
from em_cli.engine.objectives import LOG_LIKELIHOOD

KEPT = 33  # iterates of each climb
STAY = 2.0  # seconds that a climb is looked at before another may take its place
SPAN = 4.0  # seconds over which a rate is taken
ModelKey = tuple[str, int]  # label, number of components


EARLY = 0.1, 2.0  # share of the work and seconds of a search before which nothing can be said of its end


@dataclass(slots=True)
class Cell:
    """A model of a sweep, so far."""

    best: float = float("-inf")
    of: str = LOG_LIKELIHOOD  # what the best is of
    bic: float | None = None
    climbing: bool = False
    chosen: ModelChosen | None = None


class Progress:
    """The observer of a display. One thread tells it what happens, another may ask how things stand."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.started = clock()
        self.search_began: float | None = None
        self.data: DataRead | None = None
        self.reading: RowsRead | None = None
        self.phase = PhaseStarted("reading", 0)
        self.latest: dict[int, Iterated] = {}
        self.traces: dict[int, deque[float]] = {}
        self.ended: dict[int, Finished] = {}
        self.paused: dict[int, tuple[int, Finished]] = {}  # stopped after that pass: they may yet go on
        self.parts: dict[int, float] = {}  # how much of each is done
        self.improved: dict[ModelKey, Improved] = {}  # of the rows that are seen now
        self.passes = 0
        self._entered = self.started, 0  # the phase, after so many passes
        self.chosen: dict[ModelKey, ModelChosen] = {}
        self.warnings: list[Warned] = []
        self._leader, self._since = -1, 0.0
        self._seen: deque[tuple[float, int]] = deque()

    def __call__(self, event: FitEvent) -> None:
        if isinstance(event, Iterated):
            self.latest[event.candidate] = event
            self.paused.pop(event.candidate, None)
            trace = self.traces.get(event.candidate)
            if trace is None:
                trace = self.traces[event.candidate] = deque(maxlen=KEPT)
            trace.append(event.log_likelihood)
        elif isinstance(event, PassDone):
            self._end_paused()
            self.passes += 1
        elif isinstance(event, Finished):
            self._finished(event)
        elif isinstance(event, PhaseStarted):
            self._enter(event)
        else:
            self._note(event)

    def _note(self, event: DataRead | RowsRead | Advanced | Improved | ModelChosen | Warned) -> None:
        if isinstance(event, Improved):
            self.improved[event.label, event.n_components] = event
        elif isinstance(event, Advanced):
            self.parts[event.part] = event.done
        elif isinstance(event, ModelChosen):
            self.chosen[event.label, event.n_components] = event
        elif isinstance(event, RowsRead):
            self.reading = event
        elif isinstance(event, DataRead):
            self.data, self.reading = event, None
        else:
            self.warnings.append(event)

    def _finished(self, event: Finished) -> None:
        if event.status == "max_iterations":
            self.paused[event.candidate] = self.passes, event
        else:
            self.ended[event.candidate] = event

    def _end_paused(self) -> None:
        """Climbs that did not go on in the pass after they were stopped have been given up."""
        for candidate, (passes, event) in list(self.paused.items()):
            if passes < self.passes:
                del self.paused[candidate]
                self.ended[event.candidate] = event

    def _enter(self, event: PhaseStarted) -> None:
        """Log-likelihoods of other rows are forgotten: they cannot be compared."""
        if event.n_rows not in (0, self.phase.n_rows):
            self.improved = {}
        if event.n_rows == 0:
            event = replace(event, n_rows=self.phase.n_rows)
        if event.ends and (self.search_began is None or not event.begins):
            self.search_began = self.clock()  # a first search, or one more
        self.latest, self.traces, self.ended, self.paused, self.parts = {}, {}, {}, {}, {}
        self.reading = None
        self.phase, self._entered = event, (self.clock(), self.passes)

    @property
    def elapsed(self) -> float:
        return self.clock() - self.started

    def count(self) -> tuple[int, int] | None:
        """How many climbs of the phase have ended, or else how many of its searches, and of how many."""
        if self.phase.n_candidates:
            return min(len(self.ended), self.phase.n_candidates), self.phase.n_candidates
        if self.phase.n_parts > 1:
            return sum(done >= 1 for done in list(self.parts.values())), self.phase.n_parts
        return None

    def share(self) -> float | None:
        """Of the work of the search, how much is done; None before and beyond what was expected."""
        phase = self.phase
        if self.reading is not None:
            return self.reading.share if self.reading.share == self.reading.share else None
        if not phase.ends or phase.begins >= 1:
            return None
        return phase.begins + (phase.ends - phase.begins) * self._within()

    def _within(self) -> float:
        """Of the work of the phase, how much is done."""
        phase, count = self.phase, self.count()
        if phase.n_parts and not phase.n_candidates:
            return sum(list(self.parts.values())) / phase.n_parts
        return count[0] / count[1] if count else 0.0

    def left(self) -> float | None:
        """Seconds that the search may yet take, or the phase that nobody expected, if enough is done to tell."""
        share, begun = self.share(), self._entered[0] if self.reading else self.search_began
        if self.phase.begins >= 1 and self.reading is None:
            share, begun = self._within(), self._entered[0]
        if share is None or begun is None or share < EARLY[0] or share >= 1:
            return None
        spent = self.clock() - begun
        return spent * (1 - share) / share if spent >= EARLY[1] else None

    def standing(self) -> list[Iterated]:
        """The latest iterate of each climb of the phase that has not collapsed."""
        ended = dict(self.ended)
        return [e for c, e in list(self.latest.items()) if c not in ended or ended[c].status != "degenerate"]

    def best(self) -> float:
        """The highest log-likelihood of the rows that are seen now."""
        known = [event.log_likelihood for event in list(self.improved.values())]
        return max([*known, *(event.log_likelihood for event in self.standing())], default=float("-inf"))

    def leading(self) -> Improved | None:
        """The model with the lowest BIC so far."""
        return min(list(self.improved.values()), key=lambda event: event.bic, default=None)

    def leader(self) -> Iterated | None:
        """The climb to look at: the highest that still climbs, held on to for a while."""
        latest, ended, now = dict(self.latest), set(self.ended), self.clock()
        if self._leader in latest and (now - self._since < STAY and self._leader not in ended):
            return latest[self._leader]
        climbing = [event for c, event in latest.items() if c not in ended] or list(latest.values())
        if not climbing:
            return None
        found = max(climbing, key=lambda event: event.log_likelihood)
        self._leader, self._since = found.candidate, now
        return found

    def trace(self, candidate: int) -> tuple[float, ...]:
        return tuple(self.traces.get(candidate, ()))

    def rate(self) -> float | None:
        """Passes over the data per second, of late."""
        seen, now = self._seen, self.clock()
        seen.append((now, self.passes))
        while len(seen) > 2 and now - seen[0][0] > SPAN:
            seen.popleft()
        (then, passes), elapsed = seen[0], now - seen[0][0]
        return (self.passes - passes) / elapsed if elapsed > 0.5 and self.passes > passes and then < now else None

    def rows_read(self) -> tuple[int, float] | None:
        """How many rows have been read so far, and how many each second; None when all are there."""
        if self.reading is None:
            return None
        return self.reading.n_rows, self.reading.n_rows / max(self.clock() - self._entered[0], 1e-9)

    def rows_a_second(self) -> float | None:
        """How many rows the passes of this phase see each second."""
        (begun, before), passes = self._entered, self.passes
        if passes == before or not self.phase.n_rows:
            return None
        return self.phase.n_rows * (passes - before) / max(self.clock() - begun, 1e-9)

    def models(self) -> dict[ModelKey, Cell]:
        """The models of a sweep: by structure as they came, then by number of components."""
        cells: dict[ModelKey, Cell] = {}
        for key, event in list(self.improved.items()):
            cells[key] = Cell(event.log_likelihood, bic=event.bic)
        ended = set(self.ended)
        for climb in self.standing():
            cell = cells.setdefault((climb.label, climb.n_components), Cell())
            cell.best, cell.of = max(cell.best, climb.log_likelihood), climb.of
            cell.climbing |= climb.candidate not in ended
        for (label, k), chosen in list(self.chosen.items()):
            key = ("", k) if ("", k) in cells else (label, k)
            cells.setdefault(key, Cell()).chosen = chosen
        order = {label: place for place, label in enumerate(dict.fromkeys(label for label, _ in cells))}
        return dict(sorted(cells.items(), key=lambda item: (order[item[0][0]], item[0][1])))
