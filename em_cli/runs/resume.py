"""Runs that were killed or cut short, and how they go on."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING

from em_cli.errors import OutputError, UsageError
from em_cli.options import ReportOptions, ScreenOptions
from em_cli.runs.configure import fingerprint_of, folder_for

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig
    from em_cli.outputs.checkpoint_file import CheckpointFile
    from em_cli.outputs.run_folder import RunFolder
    from em_cli.runs.interruption import Interruption
    from em_cli.sources.table import Data

EVERY = "60s"
CUT_SHORT = frozenset({"interrupted", "time_limit"})


@contextmanager
def run_folder(config: RunConfig, report: ReportOptions, dry_run: bool) -> Iterator[RunFolder | None]:
    """The run folder to be, if one is asked for, held against other runs."""
    from em_cli.config.durations import parse_duration
    from em_cli.outputs.run_folder import reserved

    if report.checkpoint_every is not None and report.checkpoint_every != "none":
        try:
            parse_duration(report.checkpoint_every)
        except ValueError as error:
            raise UsageError(f"--checkpoint-every: {error}, or none.") from None
    if report.force and report.resume:
        raise UsageError("--force starts anew, and --resume goes on: give one of the two.")
    path = folder_for(config, report)
    if path is None:
        for name in ("resume", "checkpoint_every"):
            if getattr(report, name):
                raise UsageError(f"--{name.replace('_', '-')} needs a run folder: give --out.")
        yield None
    elif dry_run:
        yield None
    else:
        with reserved(path, report.force, report.resume) as folder:
            yield folder


def checkpoint_of(
    folder: RunFolder | None, config: RunConfig, data: Data, command: str, report: ReportOptions
) -> CheckpointFile | None:
    """Where the search is to be remembered, with what is remembered of it already."""
    from em_cli.config.durations import parse_duration
    from em_cli.outputs.checkpoint_file import CheckpointFile

    never = report.checkpoint_every == "none"
    if folder is None or (never and not report.resume):
        return None
    every = inf if never else parse_duration(report.checkpoint_every or EVERY)
    return CheckpointFile(folder.checkpoint, _identity(config, data, command), every, folder.path)


def _identity(config: RunConfig, data: Data, command: str) -> dict[str, str]:
    """What must be the same for a run to go on with the same bits."""
    import platform
    from importlib.metadata import version

    from em_cli import __version__

    unlimited = config.model_copy(update={"search": config.search.model_copy(update={"time_limit": None})})
    return {
        "command": command,
        "configuration": fingerprint_of(unlimited),
        "data": data.data_sha256,
        "version of em": __version__,
        "version of Python": platform.python_version(),
        **{f"version of {name}": version(name) for name in ("numpy", "scipy")},
    }


def is_done(folder: RunFolder, config: RunConfig, data: Data, command: str) -> bool:
    """Whether the run that is to go on has ended already, and nothing is left to do."""
    if not folder.resume or folder.checkpoint.exists():
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
        "command": known == command,
        "configuration": params.get("config_sha256") == fingerprint_of(config),
        "data": params.get("data_sha256") == data.data_sha256,
    }
    if other := [name for name, is_same in same.items() if not is_same]:
        raise UsageError(
            f"{folder.path} holds a run with another {' and another '.join(other)}: --resume cannot continue it. "
            "Use --force to replace it, or --out to write elsewhere."
        )
    return True


def say_done(folder: RunFolder, report: ReportOptions, shown: str, screen: ScreenOptions) -> None:
    """Give the result of a run that had ended already, in all the places where it is wanted."""
    from em_cli.display.text import safe
    from em_cli.outputs.folder import write_file
    from em_cli.outputs.manifest import read_manifest, to_json
    from em_cli.runs.read_back import parsed
    from em_cli.runs.summary import summary_of

    there = Path(folder.path)
    if not screen.quiet:
        with suppress(OSError):
            sys.stderr.write(f"em: {safe(folder.path)} is complete: nothing is left to do.\n")
    for name, wanted in (("params.json", report.params), ("responsibilities.csv", report.responsibilities_to)):
        if wanted:
            write_file(wanted, [_content(there / name)])
    table = there / "selection.csv"
    if shown == "csv":
        write_file("-", [_content(table)])
    elif shown == "json" and table.exists():
        config = read_manifest(there)["config"]
        rows = [
            {**row, "covariance": row["covariance"] or "", "note": row["note"] or ""}
            for row in parsed(_content(table).splitlines())
        ]
        chosen = {"criterion": config["criterion"], "selection": rows}
        write_file("-", [to_json(json.loads(_content(there / "params.json")) | chosen)])
    elif shown == "json":
        write_file("-", [_content(there / "params.json")])
    elif shown == "human":
        write_file("-", [summary_of(folder.path, screen, drawn=False)])


def give_up(interruption: Interruption, checkpoint: CheckpointFile | None) -> None:
    """End a run that was interrupted before there was any fit to write; one that was not goes on to say why."""
    if interruption():
        further = " The same command with --resume goes on." if checkpoint else ""
        with suppress(OSError):
            sys.stderr.write(f"em: interrupted before there was a sound fit: no result was written.{further}\n")
        raise SystemExit(interruption.status)


def _content(file: Path) -> str:
    try:
        return file.read_text("utf-8")
    except FileNotFoundError:
        raise OutputError(f"{file.parent} has no {file.name}: use --force to run again.") from None
