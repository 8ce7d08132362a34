"""The stages of a search as they are told to those who watch: which it is, and how much is expected to be done."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from em_cli.engine.events import (
    CROSSOVER,
    REFINING,
    SPLIT_AND_MERGE,
    STARTS,
    Advanced,
    Observer,
    PhaseStarted,
)
from em_cli.engine.fit import Search
from em_cli.search.effort import Effort

WORK = {STARTS: 0.2, REFINING: 0.5, CROSSOVER: 0.1, SPLIT_AND_MERGE: 0.2}  # of one stage, as a rule
LONGER = {STARTS: 0.15, REFINING: 0.1, CROSSOVER: 0.1, SPLIT_AND_MERGE: 2.65}  # of one that comes after another
AGAIN = 0.05  # of a further stage of refining
ON_SAMPLE = 0.8  # what is done before the climbs on all rows begin


@dataclass(slots=True)
class Stages:
    """Told of each stage as it begins. How much work each is can only be expected, from searches of the past."""

    observe: Observer
    n_rows: int
    sampled: bool
    efforts: Sequence[Effort]
    again: int  # stages of refining after the first
    _before: float = field(default=0.0, init=False)  # work of stages past
    _works: Mapping[str, float] | None = field(default=None, init=False)  # of this effort
    _seen: set[str] = field(default_factory=set, init=False)  # in this effort

    def begin(self, name: str, searches: Sequence[Search[None]], n_climbs: int) -> list[Search[None]]:
        """The searches of a stage, which tell when they end."""
        if name == STARTS:
            self._works = WORK if self._works is None else LONGER
            self._seen.clear()
        self._begin(name, n_climbs, len(searches))
        return [self._telling(part, search) for part, search in enumerate(searches)]

    def begin_rounds(self, name: str, n_rounds: int) -> Callable[[int], None]:
        """Of a stage whose searches are made round by round; what tells that a round has ended."""
        self._begin(name, 0, n_rounds)
        return lambda number: self.observe(Advanced(number, 1.0))

    def _begin(self, name: str, n_climbs: int, n_parts: int) -> None:
        work = self._work(name)
        self._seen.add(name)
        begins, self._before = self._share(self._before), self._before + work
        ends = self._share(self._before)
        self.observe(PhaseStarted(name, n_climbs, n_parts, self.n_rows, self.sampled, begins, ends))

    def teller(self, part: int) -> Callable[[float], None]:
        """To tell how much of a part is done."""
        return lambda done: self.observe(Advanced(part, done))

    def _work(self, name: str) -> float:
        """What comes last of refining is short. Others come again for what has come within reach."""
        if name not in self._seen:
            return (self._works or WORK)[name]
        if name != REFINING:
            return 0.0
        return 0.0 if SPLIT_AND_MERGE in self._seen else AGAIN

    def _share(self, work: float) -> float:
        more = len(self.efforts) - 1
        whole = sum(WORK.values()) + more * sum(LONGER.values()) + AGAIN * self.again * (1 + more)
        return (ON_SAMPLE if self.sampled else 1.0) * min(1.0, work / whole)

    def _telling(self, part: int, search: Search[None]) -> Search[None]:
        yield from search
        self.observe(Advanced(part, 1.0))
