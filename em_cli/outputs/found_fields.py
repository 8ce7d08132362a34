"""What every `params.json` says of how its fit was found, whatever was fitted."""

from __future__ import annotations

from typing import Annotated

from em_cli.outputs.described import SOMETIMES, Described, says


class SearchFields(Described):
    """How the fit was found."""

    sample_rows: Annotated[
        int | None, says("rows of the sample that was searched; the best of it climbed on all rows"), SOMETIMES
    ] = None
    effort: Annotated[str | None, says("low, normal or high; null for plain restarts or a given start")]
    searches: Annotated[int, says("searches, or restarts, that were made")]
    reached: Annotated[int, says("of them, those that came to the best value")]
    starts: Annotated[int, says("climbs in restarts.csv")]
    failed: Annotated[int, says("climbs that broke down")]
    degenerate: Annotated[int, says("climbs that ended in a component that has collapsed")]
    at_best: Annotated[int, says("climbs that ended at the best value")]
    log_likelihoods: Annotated[
        list[float | None], says("at which each ended; null on a sample of the rows, or where it broke down")
    ]


class WarningFields(Described):
    """What is doubtful of a run."""

    code: Annotated[str, says("explained in em guide warnings")]
    message: Annotated[str, says("the same in words")]


class FoundFields(Described):
    """The climb that was chosen, the search that found it, and what both followed from."""

    em_version: Annotated[str, says("of the program that wrote it")]
    converged: Annotated[bool, says("whether the climb came to its end")]
    stop_reason: Annotated[str, says("why the climb ended")]
    n_iter: Annotated[int, says("iterations of the climb")]
    remaining_estimate: Annotated[float | None, says("nats that more iterations would gain; null if unknown")]
    tol: Annotated[float, says("nats, as asked for")]
    max_iter: Annotated[int, says("as asked for")]
    search: Annotated[SearchFields, says("how the fit was found")]
    random_state: Annotated[int, says("the seed")]
    data_sha256: Annotated[str, says("of all input files")]
    config_sha256: Annotated[str, says("of what in the configuration decides the result")]
    warnings: Annotated[list[WarningFields], says("what is doubtful")]
