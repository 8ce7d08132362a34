"""How far a run has come: counters that cost little to keep, read by the live view now and then."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from em_cli.engine.events import DataRead, Finished, FitEvent, Iterated, ModelChosen, PassDone, PhaseStarted, Warned

KEPT = 33  # iterates of each climb
STAY = 2.0  # seconds that a climb is looked at before another may take its place
SPAN = 4.0  # seconds over which a rate is taken
ModelKey = tuple[str, int]  # label, number of components


@dataclass(slots=True)
class Cell:
    """A model of a sweep, so far."""

    best: float = float("-inf")
    climbs: int = 0
    ended: int = 0
    chosen: ModelChosen | None = None


class Progress:
    """The observer of a live view. One thread tells it what happens, another asks how things stand."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.clock = clock
        self.started = self.phase_started = self.last_end = clock()
        self.data: DataRead | None = None
        self.phase = PhaseStarted("reading", 0)
        self.latest: dict[int, Iterated] = {}
        self.traces: dict[int, deque[float]] = {}
        self.ended: dict[int, Finished] = {}
        self.paused: dict[int, tuple[int, Finished]] = {}  # stopped after that pass: they may yet go on
        self.before: dict[int, Iterated] = {}  # the latest of phases before
        self.passes = 0
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
        elif isinstance(event, Finished) and event.status == "max_iterations":
            self.paused[event.candidate] = self.passes, event
        elif isinstance(event, Finished):
            self._end(event)
        elif isinstance(event, PhaseStarted):
            self._enter(event)
        elif isinstance(event, ModelChosen):
            self.chosen[event.label, event.n_components] = event
        elif isinstance(event, DataRead):
            self.data = event
        elif isinstance(event, Warned):
            self.warnings.append(event)

    def _end(self, event: Finished) -> None:
        self.ended[event.candidate] = event
        self.last_end = self.clock()

    def _end_paused(self) -> None:
        """Climbs that did not go on in the pass after they were stopped have been given up."""
        for candidate, (passes, event) in list(self.paused.items()):
            if passes < self.passes:
                del self.paused[candidate]
                self._end(event)

    def _enter(self, event: PhaseStarted) -> None:
        if self.latest:
            self.before = {**self.before, **self.latest} if event.name == self.phase.name else self.latest
        self.latest, self.traces, self.ended, self.paused = {}, {}, {}, {}
        self.phase_started = self.clock()
        self.phase = event

    @property
    def elapsed(self) -> float:
        return self.clock() - self.started

    def standing(self) -> list[Iterated]:
        """The latest iterate of each climb that has not collapsed.

        Of a model that has none in this phase yet, those of the phase before.
        """
        ended = dict(self.ended)
        found = [e for c, e in list(self.latest.items()) if c not in ended or ended[c].status != "degenerate"]
        models = {(event.label, event.n_components) for event in found}
        return found + [e for e in list(self.before.values()) if (e.label, e.n_components) not in models]

    def best(self) -> float:
        return max((event.log_likelihood for event in self.standing()), default=float("-inf"))

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

    def left(self) -> float | None:
        """Seconds that the phase may yet take, if enough of its climbs have ended to tell."""
        done, total, now = len(self.ended), self.phase.n_candidates, self.clock()
        spent = now - self.phase_started
        if not total > done >= max(2, total / 5) or spent < 2:
            return None
        return max(spent * (total - done) / done, now - self.last_end)

    def models(self) -> dict[ModelKey, Cell]:
        """The models of a sweep: by structure as they came, then by number of components."""
        cells: dict[ModelKey, Cell] = {}
        for event in self.standing():
            cell = cells.setdefault((event.label, event.n_components), Cell())
            cell.best = max(cell.best, event.log_likelihood)
        ended = set(self.ended)
        for event in list(self.latest.values()):
            cell = cells.setdefault((event.label, event.n_components), Cell())
            cell.climbs += 1
            cell.ended += event.candidate in ended
        for (label, k), chosen in list(self.chosen.items()):
            key = ("", k) if ("", k) in cells else (label, k)
            cells.setdefault(key, Cell()).chosen = chosen
        order = {label: place for place, label in enumerate(dict.fromkeys(label for label, _ in cells))}
        return dict(sorted(cells.items(), key=lambda item: (order[item[0][0]], item[0][1])))
