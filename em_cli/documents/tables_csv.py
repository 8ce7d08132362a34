"""What stands in rows of `restarts.csv` and `trace.csv`, as they are read."""

from __future__ import annotations

from typing import NotRequired, TypedDict


class RestartRow(TypedDict):
    """A climb, and what became of it."""

    candidate: int
    covariance: str | None
    k: int
    start: str | None
    seed: int | str | None
    iterations: int | None
    log_likelihood: float | None
    remaining: float | None
    verdict: str | None
    note: str | None


class TraceRow(TypedDict):
    """An iterate of a climb."""

    candidate: int
    covariance: str | None
    k: int
    start: str | None
    iteration: int
    log_likelihood: float | None
    objective: NotRequired[str | None]
    value: NotRequired[float | None]
