"""What stands in `tests.json`."""

from __future__ import annotations

from typing import TypedDict


class OneTest(TypedDict):
    """The bootstrap likelihood-ratio test of K components against K + 1."""

    k0: int
    k1: int
    log_likelihood0: float
    log_likelihood1: float
    statistic: float  # twice the gain
    replicates: int  # that tell
    exceed: int  # of them, those that gain as much
    p: float | None
    p_low: float | None
    p_high: float | None
    short: int  # replicates whose fit of K was short of the best
    lost: int  # replicates without a sound fit
    bic_difference: float
    stop: str
    drawn: list[float | None]  # the statistic of each replicate
    drawn_short: list[int]


class Tests(TypedDict):
    level: float
    replicates: int  # wanted
    random_state: int
    log_likelihood: float | None
    tests: list[OneTest]
