"""What documents say of how a fit was found, whatever was fitted."""

from __future__ import annotations

from typing import Annotated, NotRequired, TypedDict


class SearchFields(TypedDict):
    """How the fit was found."""

    sample_rows: NotRequired[
        Annotated[int | None, "rows of the sample that was searched; the best of it climbed on all rows"]
    ]
    effort: Annotated[str | None, "low, normal or high; null for plain restarts or a given start"]
    searches: Annotated[int, "searches, or restarts, that were made"]
    reached: Annotated[int, "of them, those that came to the best value"]
    starts: Annotated[int, "climbs in restarts.csv"]
    failed: Annotated[int, "climbs that broke down"]
    degenerate: Annotated[int, "climbs that ended in a component that has collapsed"]
    at_best: Annotated[int, "climbs that ended at the best value"]
    log_likelihoods: Annotated[
        list[float | None], "at which each ended; null on a sample of the rows, or where it broke down"
    ]


class WarningFields(TypedDict):
    """What is doubtful of a run."""

    code: Annotated[str, "explained in em guide warnings"]
    message: Annotated[str, "the same in words"]


class FoundFields(TypedDict):
    """The climb that was chosen, and what it followed from."""

    em_version: Annotated[str, "of the program that wrote it"]
    converged: Annotated[bool, "whether the climb came to its end"]
    stop_reason: Annotated[str, "why the climb ended"]
    n_iter: Annotated[int, "iterations of the climb"]
    remaining_estimate: Annotated[float | None, "nats that more iterations would gain; null if unknown"]
    tol: Annotated[float, "nats, as asked for"]
    max_iter: Annotated[int, "as asked for"]
    random_state: Annotated[int, "the seed"]
    data_sha256: Annotated[str, "of all input files"]
    config_sha256: Annotated[str, "of what in the configuration decides the result"]
    warnings: Annotated[list[WarningFields], "what is doubtful"]
