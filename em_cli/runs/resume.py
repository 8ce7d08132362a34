"""Runs that were killed or cut short, and how they go on."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from math import inf
from pathlib import Path

from em_cli import __version__
from em_cli.config.durations import parse_duration
from em_cli.errors import OutputError, UsageError
from em_cli.outputs.checkpoint_file import CheckpointFile
from em_cli.outputs.folder import write_file
from em_cli.outputs.manifest import read_manifest, to_json
from em_cli.outputs.packing import packed
from em_cli.outputs.run_folder import RunFolder, reserved
from em_cli.printable import safe
from em_cli.runs.configure import Settings
from em_cli.runs.labelled import data_labelled, labels_in
from em_cli.runs.model_summary import summary_of
from em_cli.runs.read_back import parsed
from em_cli.sources.options import ReadOptions
from em_cli.sources.table import Data

EVERY = "60s"
CUT_SHORT = frozenset({"interrupted", "time_limit"})


@contextmanager
def run_folder(settings: Settings) -> Iterator[RunFolder | None]:
    """The run folder to be, if one is asked for, held against other runs."""
    report, path = settings.request.report, settings.folder
    if report.checkpoint_every is not None and report.checkpoint_every != "none":
        try:
            parse_duration(report.checkpoint_every)
        except ValueError as error:
            raise UsageError(f"--checkpoint-every: {error}, or none.") from None
    if report.force and report.resume:
        raise UsageError("--force starts anew, and --resume goes on: give one of the two.")
    if path is None:
        for name in ("resume", "checkpoint_every"):
            if getattr(report, name):
                raise UsageError(f"--{name.replace('_', '-')} needs a run folder: give --out.")
        yield None
    elif settings.request.config.dry_run:
        yield None
    else:
        with reserved(path, report.force, report.resume) as folder:
            yield folder


def checkpoint_of(folder: RunFolder | None, settings: Settings, data: Data) -> CheckpointFile | None:
    """Where the search is to be remembered, with what is remembered of it already."""
    report = settings.request.report
    never = report.checkpoint_every == "none"
    if folder is None or (never and not report.resume):
        return None
    every = inf if never else parse_duration(report.checkpoint_every or EVERY)
    return CheckpointFile(folder.checkpoint, _identity(settings, data), every, folder.path)


def _identity(settings: Settings, data: Data) -> dict[str, str]:
    """What must be the same for a run to go on with the same bits."""
    return {
        "command": settings.request.command,
        "configuration": settings.fingerprint_without_limit(),
        "data": data.data_sha256,
        "version of em": __version__,
        "version of Python": platform.python_version(),
        **{f"version of {name}": version(name) for name in ("numpy", "scipy")},
    }


def is_done(folder: RunFolder | None, settings: Settings, data: Data) -> bool:
    """Whether the run that is to go on has ended already, and nothing is left to do."""
    if folder is None or not folder.resume or folder.checkpoint.exists():
        return False
    there = Path(folder.path)
    try:
        params = json.loads((there / "params.json").read_bytes())
        known = json.loads((there / "manifest.json").read_bytes())["command"]
    except (OSError, ValueError, KeyError, TypeError):
        return False
    if any(warning.get("code") in CUT_SHORT for warning in params.get("warnings", ())):
        return False
    same = {
        "command": known == settings.request.command,
        "configuration": params.get("config_sha256") == settings.fingerprint,
        "data": params.get("data_sha256") == data.data_sha256,
    }
    if other := [name for name, is_same in same.items() if not is_same]:
        raise UsageError(
            f"{folder.path} holds a run with another {' and another '.join(other)}: --resume cannot continue it. "
            "Use --force to replace it, or --out to write elsewhere."
        )
    return True


def result_again(path: str, settings: Settings, reading: ReadOptions) -> str:
    """The result of a run that had ended already, for standard output; it is written to where else it is wanted."""
    there, report, screen, shown = Path(path), settings.request.report, settings.request.screen, settings.stdout
    params = json.loads(_content(there / "params.json"))
    if not screen.quiet:
        with suppress(OSError):
            sys.stderr.write(f"em: {safe(path)} is complete: nothing is left to do.\n")
    for name, wanted in (("params.json", report.params), ("responsibilities.csv", report.responsibilities_to)):
        if wanted:
            write_file(wanted, [_content(there / name)])
    if report.labelled:
        labels, own = labels_in(_there(there / "responsibilities.csv")), params["data_sha256"]
        copy = data_labelled(labels, settings.config.data.path, reading, own)
        write_file(report.labelled, packed(report.labelled, copy))
    table = there / "selection.csv"
    if shown == "csv":
        return _content(table)
    if shown == "human":
        return summary_of(path, screen, drawn=False)
    if shown == "json" and table.exists():
        config = read_manifest(there)["config"]
        rows = [dict(row) for row in parsed("selection", _content(table).splitlines())]
        chosen = {"criterion": config["criterion"], "selection": rows}
        return to_json(params | chosen)
    return _content(there / "params.json") if shown == "json" else ""


def _there(file: Path) -> Path:
    if not file.exists():
        raise OutputError(f"{file.parent} has no {file.name}: use --force to run again.")
    return file


def warnings_again(path: str) -> list[dict[str, str]]:
    """The warnings of a run that had ended already."""
    warnings: list[dict[str, str]] = json.loads(_content(Path(path) / "params.json")).get("warnings", [])
    return warnings


def _content(file: Path) -> str:
    return _there(file).read_text("utf-8")
