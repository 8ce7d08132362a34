"""A run folder read back, with the data that it was fitted to where these are wanted."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np

from em_cli.documents.known import known_as
from em_cli.documents.manifest_json import Manifest
from em_cli.documents.selection_csv import SelectionRow
from em_cli.documents.tables_csv import RestartRow, TraceRow
from em_cli.engine.arrays import Array
from em_cli.engine.documents import field
from em_cli.engine.objectives import LOG_LIKELIHOOD
from em_cli.errors import DataError, in_words
from em_cli.outputs.manifest import MANIFEST, read_manifest
from em_cli.outputs.model_file import LoadedModel, read_model
from em_cli.outputs.selection_fields import read_table
from em_cli.outputs.tables import LEDGER_COLUMNS, TRACE_COLUMNS
from em_cli.reports.finished_run import Climb, FinishedRun, Rows
from em_cli.sources.files import label

KNOWN = {"name", "sha256"}  # of every input
SELECTION = "selection"
FILLED = ("candidate", "k")  # columns of tables of a run in which no cell is empty
NUMBERS = {*FILLED, "log_likelihood", "value", "iteration", "iterations"}
OF_EVERY_TRACE = TRACE_COLUMNS[:-2]  # runs of old name no objective

Table = tuple[Mapping[str, object], ...]


def read_run(folder: str, data: Sequence[str] = (), rows_wanted: bool = True) -> FinishedRun:
    """The run in a folder; its data are at their place, or at the one that is given."""
    from em_cli.runs.plotted_rows import read_rows

    home = Path(folder)
    if home.exists() and not home.is_dir():
        raise DataError(f"{folder} is a file: a run folder is needed, as em fit writes it.")
    loaded = read_model(folder)
    manifest = _manifest(home)
    tables = {name: table_of(home, name) for name in ("trace", "restarts", SELECTION)}
    rows = read_rows(loaded, manifest, home, data) if rows_wanted else None
    return run_of(home.absolute().name, loaded, manifest, tables, rows)


def run_of(
    name: str, loaded: LoadedModel, manifest: Manifest, tables: Mapping[str, Table], rows: Rows | None
) -> FinishedRun:
    """A run from its parts."""
    inputs = [str(file["name"]) for file in manifest["inputs"]]
    restarts = tuple(known_as(RestartRow, row) for row in tables["restarts"])
    whole, elliptic = loaded.with_gaps, loaded.model.family.elliptic
    return FinishedRun(
        name=name,
        data_name=label(inputs[0] if inputs[0] == "-" else Path(inputs[0]).name)
        if len(inputs) == 1
        else f"{len(inputs)} files",
        document=loaded.document,
        schema=loaded.schema,
        groups=loaded.groups,
        model=whole.model,
        parameters=whole.parameters,
        elliptic=tuple(elliptic.ellipsoids(loaded.parameters.components)) if elliptic else (),
        climbs=_climbs([known_as(TraceRow, row) for row in tables["trace"]], restarts),
        restarts=restarts,
        selection=tuple(known_as(SelectionRow, row) for row in tables["selection"]),
        manifest=manifest,
        rows=rows,
    )


def parsed(name: str, lines: Iterable[str]) -> Table:
    """The rows of the table of this name that `em` wrote; numbers are numbers, blanks None."""
    if name == SELECTION:
        return tuple(read_table(lines))
    return tuple({name: _value(text) for name, text in row.items()} for row in csv.DictReader(lines))


def _value(text: str | None) -> int | float | str | None:
    if not text:
        return None
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text


def table_of(home: Path, name: str) -> Table:
    """The table of this name in a run folder; nothing if there is none."""
    return _table(home / f"{name}.csv")


def _table(file: Path) -> Table:
    """Of a file that may be absent; `DataError` if it is not what a run has written."""
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            rows = parsed(file.stem, lines)
    except FileNotFoundError:
        return ()
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: cannot be read ({in_words(error)}).") from None
    except ValueError as error:
        raise DataError(f"{file} {error}. Was it edited?") from None
    wanted = {"trace": OF_EVERY_TRACE, "restarts": LEDGER_COLUMNS}.get(file.stem, ())
    for number, row in enumerate(rows, 1):
        if absent := [name for name in wanted if name not in row]:
            raise DataError(f"{file} has no column {absent[0]!r}, which a run has written there. Was it edited?")
        for name, value in row.items():
            if (name in FILLED and value is None) or (name in NUMBERS and isinstance(value, str)):
                held = "is empty" if value is None else f"holds {value!r}, which is no number"
                raise DataError(f"{file}, row {number}, column {name!r} {held}. Was it edited?")
    return rows


def _manifest(home: Path) -> Manifest:
    found = read_manifest(home)
    inputs = found.get("inputs") if isinstance(found, dict) else None
    if not isinstance(inputs, list) or not inputs or not all(isinstance(f, dict) and f.keys() >= KNOWN for f in inputs):
        raise DataError(f"{home / MANIFEST} does not say what was read.")
    return found


def _climbs(trace: Sequence[TraceRow], restarts: Sequence[RestartRow]) -> tuple[Climb, ...]:
    """Every climb, in the order of the trace."""
    ends = {entry["candidate"]: entry for entry in restarts}
    rows: dict[int, list[TraceRow]] = {}
    for row in trace:
        rows.setdefault(row["candidate"], []).append(row)
    return tuple(
        Climb(
            number,
            own[0]["covariance"] or "",
            own[0]["k"],
            own[0]["start"] or "",
            *_trace(own),
            str((ends[number]["verdict"] if number in ends else None) or ""),
            "sample" in str((ends[number]["note"] if number in ends else None) or ""),
        )
        for number, own in rows.items()
    )


def _trace(rows: Sequence[TraceRow]) -> tuple[Array, str, Array]:
    """How high a climb was at each iterate, by what it climbed in the end; what that is; and the log-likelihoods."""
    objective = rows[-1].get("objective") or LOG_LIKELIHOOD
    keys = (LOG_LIKELIHOOD if objective == LOG_LIKELIHOOD else "value", LOG_LIKELIHOOD)
    log_likelihoods, known = (
        np.array([np.nan if field(row, key) is None else field(row, key) for row in rows]) for key in keys
    )
    return log_likelihoods.astype(np.float64), objective, known.astype(np.float64)
