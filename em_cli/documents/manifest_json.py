"""What stands in `manifest.json`."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired, TypedDict

from em_cli.documents.found import WarningFields


class FileFields(TypedDict):
    """A file that was read, as it lay on disk."""

    name: Annotated[str, "as given; - is standard input"]
    size: NotRequired[Annotated[int, "bytes"]]
    sha256: Annotated[str, "of its bytes"]


class OutputFields(TypedDict):
    """A file that was written."""

    size: Annotated[int, "bytes"]
    sha256: Annotated[str, "of its bytes"]


class BlasFields(TypedDict):
    """Linear algebra."""

    name: Annotated[str | None, "library that NumPy is built with"]
    version: Annotated[str | None, "its version"]
    simd: Annotated[list[str], "extensions of the processor that NumPy uses"]


class ReadColumn(TypedDict):
    """A column that is fitted."""

    name: Annotated[str, "as the header has it"]
    type: Annotated[str, "what kind of values it holds"]
    why: Annotated[str | None, "why it is taken for this type, where that may surprise"]
    levels: NotRequired[Annotated[int, "how many there are"]]
    transform: NotRequired[Annotated[str, "on whose scale it is fitted"]]


class RowCounts(TypedDict):
    """Rows of the data."""

    read: Annotated[int, "in all files"]
    fitted: Annotated[int, "that count"]
    scored_only: Annotated[int, "without weight, or without a cell"]
    left_out: Annotated[int, "with missing cells, by --missing drop"]


class DataFields(TypedDict):
    """What was read."""

    layout: Annotated[dict[str, object], "columns of the first file, and how its fields are separated"]
    columns: Annotated[list[ReadColumn], "that are fitted"]
    columns_left_out: Annotated[list[str], "that are not"]
    id: Annotated[str | None, "column carried to the outputs"]
    weights: Annotated[str | None, "column of case weights"]
    rows: Annotated[RowCounts, "and what became of them"]
    missing_policy: Annotated[str, "model, drop or error"]
    n_missing: Annotated[dict[str, int], "missing cells of each column that has any"]


class SearchCounts(TypedDict):
    """How the search went, all models together."""

    seed: Annotated[int, "of the random numbers"]
    models: Annotated[int, "fitted"]
    starts: Annotated[dict[str, int], "climbs by the kind of their start"]
    verdicts: Annotated[dict[str, int], "climbs by what became of them"]
    searches: Annotated[int, "searches, or restarts"]
    iterations: Annotated[int, "of all climbs"]


class RuleFields(TypedDict):
    """A rule by which climbs may end, at the end of the chosen one."""

    value: Annotated[float | None, "of what the rule looks at; null if unknown"]
    tol: Annotated[float, "below which it ends a climb"]
    met: Annotated[bool | None, "whether it would have ended this one; null if unknown"]


class StoppingFields(TypedDict):
    """How the climb to the chosen fit ended."""

    rule: Annotated[str, "in words"]
    tol: Annotated[float, "of the rule"]
    max_iter: Annotated[int, "iterations at most"]
    stop_reason: Annotated[str, "why it ended"]
    iterations: Annotated[int, "until then"]
    last_gains: Annotated[list[float], "nats"]
    remaining_estimate: Annotated[float | None, "nats that more iterations would gain; null if unknown"]
    rules: Annotated[dict[str, RuleFields], "what each would have said: nats, loglik, relative, parameters"]
    cpu_seconds: Annotated[
        list[float] | None, "that the search, all its climbs, had taken at each iteration; null if unknown"
    ]


class FloorFields(TypedDict):
    """A component at the floor, or collapsed."""

    component: Annotated[int, "its number"]
    reason: Annotated[str, "in words"]
    at_floor: Annotated[bool, "whether a variance is at the floor"]


class RegularisationFields(TypedDict):
    """What keeps components from collapsing."""

    prior: Annotated[str, "none, or weak"]
    log_prior: Annotated[float | None, "at the parameters; null of a posterior"]
    floor: Annotated[str | None, "below which no variance falls"]
    active: Annotated[list[FloorFields], "components that it concerns"]


class Manifest(TypedDict, total=False):  # of one that is read back, any field may be absent
    """How a run was made: all that may differ between identical runs, and what an auditor asks for."""

    em_version: Annotated[str, "of the program"]
    command: Annotated[str, "fit or select"]
    arguments: Annotated[list[str], "of the command line"]
    environment: Annotated[dict[str, str], "variables EM_…"]
    working_directory: Annotated[str | None, "from which relative paths lead; null if it was deleted"]
    finished: Annotated[str, "time of day, UTC"]
    seconds: Annotated[dict[str, float], "that each phase took"]
    host: Annotated[str, "name of the machine"]
    platform: Annotated[str, "operating system and processor"]
    python: Annotated[str, "version"]
    libraries: Annotated[dict[str, str], "versions"]
    blas: Annotated[BlasFields, "linear algebra"]
    inputs: Annotated[list[FileFields], "files that were read"]
    start_file: Annotated[FileFields | None, "of --start FILE"]
    config_sha256: Annotated[str, "of what in the configuration decides the result"]
    config: Annotated[dict[str, Any], "resolved configuration (em config schema --of config)"]
    data: Annotated[DataFields, "what was read"]
    search: Annotated[SearchCounts, "how the search went"]
    stopping: Annotated[StoppingFields, "how the chosen climb ended"]
    regularisation: Annotated[RegularisationFields, "what keeps components from collapsing"]
    warnings: Annotated[list[WarningFields], "what is doubtful"]
    resumed_after: Annotated[float | None, "seconds of an earlier run that this one continued; null if none"]
    outputs: Annotated[dict[str, OutputFields], "files that were written, by name"]
