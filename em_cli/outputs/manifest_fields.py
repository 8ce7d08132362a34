"""What stands in `manifest.json`."""

from __future__ import annotations

from typing import Annotated, Any

from em_cli.outputs.described import SOMETIMES, Described, says
from em_cli.outputs.found_fields import WarningFields


class FileFields(Described):
    """A file that was read, as it lay on disk."""

    name: Annotated[str, says("as given; - is standard input")]
    size: Annotated[int, says("bytes"), SOMETIMES]
    sha256: Annotated[str, says("of its bytes")]


class OutputFields(Described):
    """A file that was written."""

    size: Annotated[int, says("bytes")]
    sha256: Annotated[str, says("of its bytes")]


class BlasFields(Described):
    """Linear algebra."""

    name: Annotated[str | None, says("library that NumPy is built with")]
    version: Annotated[str | None, says("its version")]
    simd: Annotated[list[str], says("extensions of the processor that NumPy uses")]


class ReadColumn(Described):
    """A column that is fitted."""

    name: Annotated[str, says("as the header has it")]
    type: Annotated[str, says("what kind of values it holds")]
    why: Annotated[str | None, says("why it is taken for this type, where that may surprise")]
    levels: Annotated[int, says("how many there are"), SOMETIMES]
    transform: Annotated[str, says("on whose scale it is fitted"), SOMETIMES]


class RowCounts(Described):
    """Rows of the data."""

    read: Annotated[int, says("in all files")]
    fitted: Annotated[int, says("that count")]
    scored_only: Annotated[int, says("without weight, or without a cell")]
    left_out: Annotated[int, says("with missing cells, by --missing drop")]


class DataFields(Described):
    """What was read."""

    layout: Annotated[dict[str, Any], says("columns of the first file, and how its fields are separated")]
    columns: Annotated[list[ReadColumn], says("that are fitted")]
    columns_left_out: Annotated[list[str], says("that are not")]
    id: Annotated[str | None, says("column carried to the outputs")]
    weights: Annotated[str | None, says("column of case weights")]
    rows: Annotated[RowCounts, says("and what became of them")]
    missing_policy: Annotated[str, says("model, drop or error")]
    n_missing: Annotated[dict[str, int], says("missing cells of each column that has any")]


class SearchCounts(Described):
    """How the search went, all models together."""

    seed: Annotated[int, says("of the random numbers")]
    models: Annotated[int, says("fitted")]
    starts: Annotated[dict[str, int], says("climbs by the kind of their start")]
    verdicts: Annotated[dict[str, int], says("climbs by what became of them")]
    searches: Annotated[int, says("searches, or restarts")]
    iterations: Annotated[int, says("of all climbs")]


class RuleFields(Described):
    """A rule by which climbs may end, at the end of the chosen one."""

    value: Annotated[float | None, says("of what the rule looks at; null if unknown")]
    tol: Annotated[float, says("below which it ends a climb")]
    met: Annotated[bool | None, says("whether it would have ended this one; null if unknown")]


class StoppingFields(Described):
    """How the climb to the chosen fit ended."""

    rule: Annotated[str, says("in words")]
    tol: Annotated[float, says("of the rule")]
    max_iter: Annotated[int, says("iterations at most")]
    stop_reason: Annotated[str, says("why it ended")]
    iterations: Annotated[int, says("until then")]
    last_gains: Annotated[list[float], says("nats")]
    remaining_estimate: Annotated[float | None, says("nats that more iterations would gain; null if unknown")]
    rules: Annotated[dict[str, RuleFields], says("what each would have said: nats, loglik, relative, parameters")]
    cpu_seconds: Annotated[
        list[float] | None, says("that the search, all its climbs, had taken at each iteration; null if unknown")
    ]


class FloorFields(Described):
    """A component at the floor, or collapsed."""

    component: Annotated[int, says("its number")]
    reason: Annotated[str, says("in words")]
    at_floor: Annotated[bool, says("whether a variance is at the floor")]


class RegularisationFields(Described):
    """What keeps components from collapsing."""

    prior: Annotated[str, says("none, or weak")]
    log_prior: Annotated[float | None, says("at the parameters; null of a posterior")]
    floor: Annotated[str | None, says("below which no variance falls")]
    active: Annotated[list[FloorFields], says("components that it concerns")]


class Manifest(Described):
    """How a run was made: all that may differ between identical runs, and what an auditor asks for."""

    em_version: Annotated[str, says("of the program")]
    command: Annotated[str, says("fit or select")]
    arguments: Annotated[list[str], says("of the command line")]
    environment: Annotated[dict[str, str], says("variables EM_…")]
    working_directory: Annotated[str | None, says("from which relative paths lead; null if it was deleted")]
    finished: Annotated[str, says("time of day, UTC")]
    seconds: Annotated[dict[str, float], says("that each phase took")]
    host: Annotated[str, says("name of the machine")]
    platform: Annotated[str, says("operating system and processor")]
    python: Annotated[str, says("version")]
    libraries: Annotated[dict[str, str], says("versions")]
    blas: Annotated[BlasFields, says("linear algebra")]
    inputs: Annotated[list[FileFields], says("files that were read")]
    start_file: Annotated[FileFields | None, says("of --start FILE")]
    config_sha256: Annotated[str, says("of what in the configuration decides the result")]
    config: Annotated[dict[str, Any], says("resolved configuration (em config schema --of config)")]
    data: Annotated[DataFields, says("what was read")]
    search: Annotated[SearchCounts, says("how the search went")]
    stopping: Annotated[StoppingFields, says("how the chosen climb ended")]
    regularisation: Annotated[RegularisationFields, says("what keeps components from collapsing")]
    warnings: Annotated[list[WarningFields], says("what is doubtful")]
    resumed_after: Annotated[float | None, says("seconds of an earlier run that this one continued; null if none")]
    outputs: Annotated[dict[str, OutputFields], says("files that were written, by name")]
