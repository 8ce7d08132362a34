"""What a fit tells whoever watches: plain numbers, no rendering."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


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
    """A phase of the search: starts, climb, finish, scoring."""

    name: str
    n_candidates: int


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
