"""Pictures and the report of a run of topics."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from em_cli.display.search_words import ending, trust
from em_cli.display.topics_page import stable
from em_cli.documents.manifest_json import Manifest
from em_cli.documents.topics_json import TopicParams
from em_cli.engine.arrays import Array
from em_cli.errors import DataError, in_words
from em_cli.outputs.any_model import read_any
from em_cli.outputs.folder import Content
from em_cli.outputs.manifest import read_manifest
from em_cli.outputs.topics_file import LoadedTopics
from em_cli.reports.topic_pictures import TopicRun
from em_cli.reports.topics_report import topics_page
from em_cli.runs.deliver import lines_of
from em_cli.sources.files import label

TABLES = ("documents", "trace", "restarts", "selection")


def topics_in(folder: str) -> TopicRun | None:
    """The run in a folder, if it is one of topics."""
    home = Path(folder)
    if not home.is_dir():
        return None
    loaded = read_any(folder)
    if not isinstance(loaded, LoadedTopics):
        return None
    tables = {name: _table(home / f"{name}.csv") for name in TABLES}
    return topic_run(home.absolute().name, loaded.document, read_manifest(home), tables)


def topic_run(
    name: str,
    document: TopicParams,
    manifest: Manifest,
    tables: Mapping[str, Sequence[Mapping[str, str]]],
) -> TopicRun:
    """A run from its parts, tables as they were written."""
    inputs = [str(file["name"]) for file in manifest["inputs"]]
    shown = Path(inputs[0]).name if inputs[0] != "-" else label("-")
    k = int(document["n_components"])
    return TopicRun(
        name,
        shown if len(inputs) == 1 else f"{len(inputs)} files",
        document,
        manifest,
        _shares(tables["documents"], k),
        tuple(_climbs(tables["trace"], tables["restarts"], k)),
        tuple(tables["selection"]),
    )


def report_of_topics(run: TopicRun) -> Iterator[str]:
    """The page of HTML."""
    return topics_page(run, ending(run.document)[0], trust(run.document), stable(run.document))


def _table(file: Path) -> list[dict[str, str]]:
    try:
        with file.open(encoding="utf-8", newline="") as lines:
            return list(csv.DictReader(lines))
    except FileNotFoundError:
        return []
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"{file}: cannot be read ({in_words(error)}).") from None


def fresh_topics(folder: str, files: dict[str, Content], manifest: Manifest, document: TopicParams) -> TopicRun:
    """A run whose folder is not yet written: its tables are what will be read back from these files."""
    tables = {name: list(csv.DictReader(lines)) for name, lines in lines_of(files, TABLES).items()}
    return topic_run(Path(folder).absolute().name, document, manifest, tables)


def _shares(rows: Sequence[Mapping[str, str]], k: int) -> Array | None:
    try:
        found = [[float(row[f"p{j + 1}"]) for j in range(k)] for row in rows if row.get("p1")]
    except (KeyError, ValueError):
        raise DataError("documents.csv is not what a run has written. Was it edited?") from None
    return np.array(found) if found else None


def _climbs(
    trace: Sequence[Mapping[str, str]], restarts: Sequence[Mapping[str, str]], k: int
) -> Iterator[tuple[str, Array]]:
    """Those of all documents, of the number of topics that was chosen."""
    verdicts = {row["candidate"]: row for row in restarts}
    bounds: dict[str, list[float]] = {}
    for row in trace:
        if row["k"] == str(k) and row["log_likelihood"]:
            bounds.setdefault(row["candidate"], []).append(float(row["log_likelihood"]))
    for number, values in bounds.items():
        entry = verdicts.get(number, {})
        if "sample" not in (entry.get("note") or ""):
            yield entry.get("verdict") or "", np.array(values)
