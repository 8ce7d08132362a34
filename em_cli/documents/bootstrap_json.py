"""What stands in `bootstrap.json`."""

from __future__ import annotations

from typing import TypedDict


class OneInterval(TypedDict):
    """Of a number, counted from one as in `rates[2][1]`."""

    parameter: str
    component: int | None
    column: str | None
    level: str | None
    estimate: float
    se_observed: float | None
    se_robust: float | None
    share_lost: float  # of the replicates
    se_bootstrap: float | None
    mc_error: float | None
    low: float | None
    high: float | None
    scale: str | None
    verdict: str


class Intervals(TypedDict):
    kind: str
    level: float
    wanted: int
    stopped: str | None
    replicates: int
    kept: int
    ambiguous: int
    lost: int
    unfinished: int
    searched: int
    better_elsewhere: int
    withheld: str | None
    intervals: list[OneInterval]
