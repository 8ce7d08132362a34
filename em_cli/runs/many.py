"""Many runs by one command: one for each file, or for each level of a column."""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from em_cli.config.choices import ELSEWHERE
from em_cli.display.run_table import table_of_runs
from em_cli.documents.params_json import Params
from em_cli.errors import DataError, EmError, ExitStatus, NoFit, OutputError, UsageError
from em_cli.models.haplotypes import wanted_pairs
from em_cli.models.topics import wanted_topics
from em_cli.options import ColumnOptions, FolderOptions, ManyOptions, PlaceOptions
from em_cli.outputs.folder import explained, write_file, write_together
from em_cli.outputs.json_text import parse
from em_cli.outputs.manifest import to_json
from em_cli.outputs.model_file import RUNS
from em_cli.outputs.run_names import SUFFIX
from em_cli.outputs.tables import csv_text
from em_cli.printable import safe, say
from em_cli.runs.configure import Settings, configured
from em_cli.runs.path_checks import check_places
from em_cli.runs.read import reading_of_run
from em_cli.runs.record import doubts_in
from em_cli.runs.request import Request
from em_cli.runs.screen import width
from em_cli.runs.search_plan import runner_of
from em_cli.sources.files import expand
from em_cli.sources.splitting import Parts

One = Callable[[Request], None]  # what a command makes of one request
STOPPED = (ExitStatus.HUNG_UP, ExitStatus.INTERRUPTED, ExitStatus.TERMINATED)
FEWEST = 3  # rows of a level, on average
COLUMNS = (
    "rows",
    "k",
    "covariance",
    "log_likelihood",
    "bic",
    "smallest_share",
    "status",
    "warnings",
    "doubts",
    "run",
    "reason",
)


@dataclass(frozen=True, slots=True)
class Job:
    """One of the runs."""

    name: str  # a level, or a file
    path: str  # of its data
    out: str  # its run folder


def run_many(request: Request, many: ManyOptions, one: One) -> None:
    """The runs, as many at once as there are threads, and a table of them: one that fails is a row with its reason."""
    _check(request, many)
    settings = configured(request)
    if wanted_topics(settings.config) is not None or wanted_pairs(settings.config):
        raise UsageError(
            "--by and --each make a table of mixtures by BIC, which topics and haplotypes have not: "
            "fit each file by itself."
        )
    paths, folder = settings.config.data.path, _folder(request, many, settings.config.data.path)
    key = "file" if many.by is None else "level"
    table = Path(folder) / RUNS
    _check_free(table, ",".join((key, *COLUMNS)), request.report.force)
    jobs = _by_file(paths, folder) if many.by is None else _by_level(settings, many.by, folder)
    threads = runner_of(settings.config).at_once if settings.config.runner.name != ELSEWHERE else 1
    rows = []
    for job, row in zip(jobs, done([_request(request, job, many.by) for job in jobs], one, threads), strict=True):
        rows.append({key: job.name, "run": job.out} | row)
        if not request.screen.quiet:
            say(f"{safe(job.name)}: {_in_a_line(row)}")
        if row["status"] in STOPPED:
            raise SystemExit(row["status"])
    with explained(folder):
        Path(folder).mkdir(parents=True, exist_ok=True)
    write_together({str(table): _as_csv(rows, key)})
    _say(request, rows, key, many.by)
    _end(request, rows)


def _check_free(table: Path, header: str, force: bool) -> None:
    """`OutputError` if a file is there already that is no table of runs."""
    with explained(str(table)):
        if force or not table.exists():
            return
        with table.open("rb") as lines:
            first = lines.readline()
    if first.rstrip() != header.encode():
        raise OutputError(f"{table} exists, and is no table of runs. Name another folder with --out, or use --force.")


def _check(request: Request, many: ManyOptions) -> None:
    if many.by is not None and many.each:
        raise UsageError("--each is a run for each file, --by one for each level of a column: give one of them.")
    option = "--by" if many.by is not None else "--each"
    report = request.report
    single = {
        "--params": report.params,
        "--responsibilities": report.responsibilities_to,
        "--labelled": report.labelled,
        "--early": report.early,
        "--dry-run": request.config.dry_run or None,
    }
    for other, value in single.items():
        if value is not None:
            raise UsageError(f"{other} is about one run, and {option} makes many: each has its own folder.")


def _folder(request: Request, many: ManyOptions, paths: Sequence[str]) -> str:
    """Where the runs are to be: a folder of that name, or beside each other."""
    given = [section.out for section in request.sections if isinstance(section, FolderOptions)]
    if given and given[0] is not None:
        return given[0]
    stem = Path(paths[0]).name.split(".")[0] or "data"
    return f"{stem}-by-{_plain(many.by)}" if many.by is not None else "."


def _by_file(paths: Sequence[str], folder: str) -> list[Job]:
    files = expand(paths)
    if "-" in files:
        raise UsageError("--each is a run for each file; standard input is one. Leave --each out.")
    names = _names([Path(file).name.split(".")[0] or "data" for file in files])
    return [Job(file, file, str(Path(folder) / f"{name}{SUFFIX}")) for file, name in zip(files, names, strict=True)]


def _by_level(settings: Settings, column: str, folder: str) -> list[Job]:
    """The rows of each level, written into the folder; the jobs that are to read them."""
    parts, place, paths = Parts(column), Path(folder), settings.config.data.path
    if place.exists() and not place.is_dir():
        raise OutputError(f"{folder} is a file. Name another folder with --out.")
    texts: dict[str, list[bytes]] = {}
    for level, text in parts.of(paths, reading_of_run(settings.config, None)):
        texts.setdefault(level, []).append(text)
    if not texts:
        raise UsageError(f"--by {column}: no row has a value there.")
    if sum(parts.n_rows.values()) < FEWEST * len(texts):
        raise UsageError(
            f"--by {column}: {len(texts):,} levels among {sum(parts.n_rows.values()):,} rows are too many "
            "to fit a mixture to each. Name a column whose levels have many rows each."
        )
    if parts.n_without:
        say(f"warning: {parts.n_without:,} rows without a value in {safe(column)} are in no run.")
    names = _names([_plain(level) for level in texts])
    files = {str(place / f"{name}.csv"): b"".join(text) for name, text in zip(names, texts.values(), strict=True)}
    check_places(paths, {f"the rows of {level!r}": file for level, file in zip(texts, files, strict=True)})
    if not settings.request.report.force:
        _check_same(files)
    with explained(folder):
        place.mkdir(parents=True, exist_ok=True)
    write_together({file: [rows] for file, rows in files.items()})
    return [Job(level, file, file.removesuffix(".csv") + SUFFIX) for level, file in zip(texts, files, strict=True)]


def _check_same(files: Mapping[str, bytes]) -> None:
    """`OutputError` if one of the files is there already, with something else in it."""
    for file, rows in files.items():
        if os.path.lexists(file) and Path(file).read_bytes() != rows:
            raise OutputError(f"{file} exists, with other rows. Name another folder with --out, or use --force.")


def _plain(name: str) -> str:
    """As a part of the name of a file."""
    return re.sub(r"[^\w.+-]+", "_", name).strip("._")[:60] or "_"


def _names(wanted: Sequence[str]) -> list[str]:
    """The same, each once: a number behind those that are there already."""
    found: list[str] = []
    taken: set[str] = set()
    for name in wanted:
        own, number = name, 1
        while own.lower() in taken:
            number += 1
            own = f"{name}-{number}"
        taken.add(own.lower())
        found.append(own)
    return found


def _request(request: Request, job: Job, column: str | None) -> Request:
    """What is asked of one of the runs: the same, of its data, in its folder, in silence."""
    sections = []
    for section in request.sections:
        if isinstance(section, FolderOptions):
            section = replace(section, out=job.out)
        elif isinstance(section, ColumnOptions) and column is not None and section.columns is None:
            section = replace(section, exclude=_with(section.exclude, column))
        sections.append(section)
    screen = replace(request.screen, progress="none", quiet=True)
    report = replace(request.report, json=False, format="none")
    return replace(request, paths=[job.path], sections=tuple(sections), report=report, screen=screen)


def _with(names: list[str] | None, more: str) -> list[str] | None:
    """The list with a name more; one with a comma cannot stand there, and is left out as it holds one level only."""
    return names if "," in more else [*(names or []), more]


def done(requests: Sequence[Request], one: One, threads: int) -> Iterator[dict[str, object]]:
    """What came of each, in their order."""
    if min(threads, len(requests)) < 2:
        yield from (_row(one, request) for request in requests)
        return
    alone = [replace(request, sections=tuple(map(_one_thread, request.sections))) for request in requests]
    with ProcessPoolExecutor(min(threads, len(requests)), get_context("spawn")) as pool:
        yield from pool.map(_row, [one] * len(alone), alone)


def _one_thread(section: object) -> Any:
    return replace(section, threads="1", runner=None) if isinstance(section, PlaceOptions) else section


def _row(one: One, request: Request) -> dict[str, object]:
    """A run, and its row of the table."""
    said = io.StringIO()
    status, reason = int(ExitStatus.DONE), ""
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            one(request)
        except SystemExit as ended:
            status = int(ended.code or 0)
        except EmError as error:
            status, reason = int(error.status), str(error)
    (out,) = (section.out for section in request.sections if isinstance(section, FolderOptions))
    if status in (ExitStatus.DONE, ExitStatus.DOUBTFUL):
        return {"status": status, "reason": reason} | _found(str(out))
    return {"status": status, "reason": reason}


def _found(out: str) -> dict[str, object]:
    document: Params = parse((Path(out) / "params.json").read_bytes())
    codes = dict.fromkeys(warning["code"] for warning in document["warnings"])
    return {
        "rows": document["n_samples"],
        "k": document["n_components"],
        "covariance": document.get("structure") or document.get("covariance_type") or "",
        "log_likelihood": document["log_likelihood"],
        "bic": document["bic"],
        "smallest_share": min(document["weights"]),
        "warnings": " ".join(codes),
        "doubts": " ".join(doubt["code"] for doubt in doubts_in(document)),
    }


def _in_a_line(row: Mapping[str, Any]) -> str:
    if "k" not in row:
        return f"no run: {safe(row['reason'])}"
    doubts = f" ({row['doubts']})" if row["doubts"] else ""
    bic = "" if row["bic"] is None else f" BIC {row['bic']:.3f}"
    return f"k = {row['k']}: loglik {row['log_likelihood']:.3f}{bic}{doubts}"


def _say(request: Request, rows: Sequence[Mapping[str, object]], key: str, by: str | None) -> None:
    """The table on standard output: for people on a terminal, as JSON elsewhere."""
    report = request.report
    if report.format == "none" or (request.screen.quiet and not report.json and report.format is None):
        return
    human = report.format == "human" or (report.format is None and not report.json and sys.stdout.isatty())
    if human:
        write_file("-", [table_of_runs(rows, key, by or key, width())])
    elif report.format == "csv":
        write_file("-", _as_csv(rows, key))
    else:
        write_file("-", [to_json({"by": by, "runs": [dict(row) for row in rows]})])


def _as_csv(rows: Sequence[Mapping[str, object]], key: str) -> Iterator[str]:
    names = (key, *COLUMNS)
    return csv_text(names, ({name: row.get(name, "") for name in names} for row in rows))


def _end(request: Request, rows: Sequence[Mapping[str, object]]) -> None:
    """`NoFit` if there is no run at all, or the error of all of them; with --strict, the status of doubt if one is
    missing or doubtful."""
    if not any("k" in row for row in rows):
        kinds = (UsageError, DataError, OutputError)
        kind = next((one for one in kinds if {row["status"] for row in rows} == {one.status}), NoFit)
        none = "the only run has no fit:" if len(rows) == 1 else f"none of the {len(rows)} runs has a fit. The first:"
        raise kind(f"{none} {rows[0]['reason']}")
    if request.report.strict and any(row["status"] for row in rows):
        raise SystemExit(ExitStatus.DOUBTFUL)
