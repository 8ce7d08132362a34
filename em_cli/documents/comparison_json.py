"""What stands in the `comparison.json` of runs side by side."""

from __future__ import annotations

from typing import TypedDict


class ComparedRun(TypedDict):
    run: str
    family: str
    structure: str | None
    n_components: int
    n_parameters: int | None
    log_likelihood: float | None
    bic: float | None
    delta_bic: float | None
    bayes_factor: float | None
    mean_log_density: float
    entropy_r2: float | None
    smallest_weight: float


class ComparedMean(TypedDict):
    column: str
    first: float
    second: float
    difference_in_errors: float | None


class MatchedPair(TypedDict):
    """A component, and which it is in the other run."""

    first: int
    second: int
    distance: float | None
    weight_first: float
    weight_second: float
    means: list[ComparedMean]


class NestedTest(TypedDict):
    """Of a structure within a wider one."""

    within: str | None
    wider: str | None
    statistic: float
    df: int
    p: float


class ComparedPair(TypedDict):
    first: str
    second: str
    mean_difference: float | None
    standard_error: float | None
    vuong_z: float | None
    vuong_withheld: str | None
    adjusted_rand: float
    n_rows_moved: int
    margin: float | None
    ambiguous: bool
    matched: list[MatchedPair]
    unmatched_first: list[int]
    unmatched_second: list[int]
    likelihood_ratio: NestedTest | None


class Comparison(TypedDict):
    same_data: bool
    comparable: bool
    n_rows: int
    runs: list[ComparedRun]
    pairs: list[ComparedPair]
