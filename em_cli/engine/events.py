"""What a fit tells whoever watches: plain numbers, no rendering."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

# the phases of a search
STARTS = "starts"  # short runs from a population of starts, of which the best go on
REFINING = "refining"  # by what neighbouring models have found
CROSSOVER = "crossover"  # of the best that were found
SPLIT_AND_MERGE = "split and merge"  # searches by moves of components, and the climbs that they end in
FINISHING = "finishing"  # climbs to the end on all rows, and all those that were asked for by their number


@dataclass(frozen=True, slots=True)
class DataRead:
    """The data are in memory."""

    source: str
    n_rows: int
    n_columns: int
    columns: tuple[str, ...]
    n_dropped: int


@dataclass(frozen=True, slots=True)
class PhaseStarted:
    """A phase of a run: reading, those of its search, scoring, writing."""

    name: str
    n_candidates: int  # that climb in it; 0 if that is not known


@dataclass(frozen=True, slots=True)
class Iterated:
    """One iterate of one climb: the log-likelihood of its current parameters."""

    candidate: int
    label: str
    n_components: int
    iteration: int
    log_likelihood: float


@dataclass(frozen=True, slots=True)
class PassDone:
    """One pass over the data has served all candidates that are still climbing."""

    n_climbing: int
    n_candidates: int


@dataclass(frozen=True, slots=True)
class Finished:
    """One climb has ended."""

    candidate: int
    label: str
    n_components: int
    iterations: int
    log_likelihood: float
    status: str
    remaining: float


@dataclass(frozen=True, slots=True)
class ModelChosen:
    """A model of a sweep has its best fit."""

    label: str
    n_components: int
    log_likelihood: float
    criteria: tuple[tuple[str, float], ...]
    note: str


@dataclass(frozen=True, slots=True)
class Warned:
    code: str
    message: str


FitEvent = DataRead | PhaseStarted | Iterated | PassDone | Finished | ModelChosen | Warned
Observer = Callable[[FitEvent], None]


def ignore(event: FitEvent) -> None:
    """The observer of those who do not watch."""
