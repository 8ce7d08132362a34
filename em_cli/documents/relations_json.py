"""What stands in the `relate.json` of components and other columns."""

from __future__ import annotations

from typing import Literal, TypedDict


class Wald(TypedDict):
    statistic: float
    df: int
    p: float


class Related(TypedDict):
    method: str
    n: int
    n_left_out: int
    resamples: int
    resamples_lost: int


class MeansOf(Related):
    """Of a column in each component."""

    column: str
    kind: Literal["means"]
    means: list[float]
    standard_errors: list[float]
    intervals: list[list[float]]
    sds: list[float | None]
    equal: Wald | None


class SharesOf(Related):
    """Of the levels of a column in each component."""

    column: str
    kind: Literal["shares"]
    levels: list[str]
    shares: list[list[float]]
    standard_errors: list[list[float]]
    intervals: list[list[list[float]]]
    equal: Wald | None


class LogOdds(Related):
    """Of the components against the first, on columns."""

    terms: list[str]
    coefficients: list[list[float]]
    standard_errors: list[list[float]]
    intervals: list[list[list[float]]]
    separated: bool
    tests: dict[str, Wald | None]


class Relations(TypedDict):
    components: list[str]
    assignment: str
    n_units: int
    units: str
    classification: list[list[float]]
    first_step: bool
    replicates: int
    outcomes: list[MeansOf | SharesOf]
    on: LogOdds | None
