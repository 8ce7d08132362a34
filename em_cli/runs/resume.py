"""Runs that were killed or cut short, and how they go on."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, fields
from itertools import islice
from math import inf
from pathlib import Path
from shlex import quote
from typing import Any

from em_cli import __version__
from em_cli.config.durations import parse_duration
from em_cli.config.texts import PLACE_KEYS, resolved
from em_cli.documents.found import WarningFields
from em_cli.documents.manifest_json import Manifest
from em_cli.errors import OutputError, UsageError
from em_cli.options import ReportOptions, spelled
from em_cli.outputs.checkpoint_file import CheckpointFile, changed_data
from em_cli.outputs.folder import write_file
from em_cli.outputs.manifest import MANIFEST, read_manifest, to_json, version_of
from em_cli.outputs.packing import packed
from em_cli.outputs.run_folder import PARTS, ROWS, RunFolder, reserved
from em_cli.outputs.run_names import free_beside
from em_cli.printable import safe, say
from em_cli.runs.configure import Settings
from em_cli.runs.request import OfEachRow, Request
from em_cli.sources.files import digest, expand, hashed
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.spool import is_plain
from em_cli.sources.table import Data

EVERY = "60s"
CUT_SHORT = frozenset({"interrupted", "time_limit"})


def check_folder_options(report: ReportOptions, path: str | None) -> None:
    """`UsageError` if what is said of the run folder makes no sense."""
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


@contextmanager
def run_folder(settings: Settings, there: bool) -> Iterator[RunFolder | None]:
    """The run folder to be, held against other runs; None if none is wanted, or the run is `there` already."""
    report, path = settings.request.report, settings.folder
    if path is None or there or settings.request.config.dry_run:
        yield None
    else:
        with reserved(path, report.force, report.resume) as folder:
            yield folder


def checkpoint_of(folder: RunFolder | None, settings: Settings, data: Data) -> CheckpointFile | None:
    """Where the search is to be remembered, with what is remembered of it already."""
    report = settings.request.report
    never = report.checkpoint_every == "none"
    if folder is None or settings.endless or (never and not report.resume):
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
        **{f"version of {name}": str(version_of(name)) for name in ("numpy", "scipy")},
    }


def is_done(folder: RunFolder | None, settings: Settings, data: Data) -> bool:
    """Whether the run that is to go on has ended already, and nothing is left to do."""
    if folder is None or not folder.resume or folder.checkpoint.exists():
        return False
    run = _ended(Path(folder.path))
    if run is None or run.cut_short:
        return False
    other = run.differs(settings, data.data_sha256)
    if other == ["data"]:
        raise changed_data(f"the run in {folder.path}", str(run.params.get("data_sha256")), data.data_sha256)
    if other:
        raise UsageError(
            f"{folder.path} holds a run with another {' and another '.join(other)}: --resume cannot continue it. "
            "Use --force to replace it, or --out to write elsewhere."
        )
    return True


def is_there(settings: Settings) -> bool:
    """Whether the run folder holds this very run already; `OutputError` if it holds another."""
    path, report = settings.folder, settings.request.report
    if path is None or report.force or report.resume:
        return False
    run, files = _ended(Path(path)), expand(settings.config.data.path)
    if run is None or not all(is_plain(file) for file in files):
        return False
    if run.cut_short:
        raise OutputError(f"{path} exists, and was cut short: --resume goes on with it, --force starts anew.")
    if other := run.differs(settings, digest([hashed(file) for file in files])):
        what = run.other_settings(settings) if other == ["configuration"] else other
        raise OutputError(
            f"{path} exists, a run with {_others(what)}. Use --out {quote(free_beside(path))} to keep both, "
            "or --force to replace it."
        )
    if run.params.get("em_version") != __version__:
        raise OutputError(f"{path} exists, by em {run.params.get('em_version')}. Use --force to run again, or --out.")
    for wanted, name, command in ((report.report, "report.html", "report"), (report.plots, "plots", "plot")):
        if wanted and not (Path(path) / name).exists():
            raise OutputError(f"{path} is this run already, without {name}: em {command} {quote(path)} makes it.")
    return True


@dataclass(frozen=True, slots=True)
class _Ended:
    """What a run folder says of its run."""

    params: dict[str, Any]
    manifest: Manifest

    @property
    def cut_short(self) -> bool:
        return any(warning.get("code") in CUT_SHORT for warning in self.params.get("warnings", ()))

    def differs(self, settings: Settings, data_sha256: str) -> list[str]:
        """In what it differs from a run with these settings on these data."""
        same = {
            "command": self.manifest["command"] == settings.request.command,
            "configuration": self.params.get("config_sha256") == settings.fingerprint,
            "data": self.params.get("data_sha256") == data_sha256,
        }
        return [name for name, is_same in same.items() if not is_same]

    def other_settings(self, settings: Settings) -> list[str]:
        """The keys of its configuration that it has otherwise than these settings."""
        own, asked = (dict(_flat(one)) for one in (self.manifest["config"], resolved(settings.config)))
        keys = dict.fromkeys([*asked, *own])
        keys = {key: None for key in keys if not any(longer.startswith(f"{key}.") for longer in keys)}
        differing = [key for key in keys if own.get(key) != asked.get(key) and key.partition(".")[0] not in PLACE_KEYS]
        return [_option_of(key, settings.request) for key in differing if key != "data.path"] or ["configuration"]


def _ended(folder: Path) -> _Ended | None:
    """The run that a folder holds; None if there is none to be made out."""
    try:
        params = json.loads((folder / "params.json").read_bytes())
        manifest = json.loads((folder / MANIFEST).read_bytes())
        known = isinstance(manifest["command"], str) and isinstance(manifest["config"], dict)
        return _Ended(dict(params), manifest) if known else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _option_of(key: str, request: Request) -> str:
    """A key as the option that sets it; as it is where none does."""
    under = next((u for u in ("data.types.", "data.transforms.", "data.units.") if key.startswith(u)), None)
    if under is not None:
        return f"--{under[5:-2]} {quote(key.removeprefix(under))}"
    section, _, name = key.rpartition(".")
    groups = (group for group in request.sections if group.section == section and not isinstance(group, OfEachRow))
    own = next((type(group) for group in groups if name in {one.name for one in fields(group)}), None)
    return key if own is None else spelled(own, name)


def _others(names: Sequence[str]) -> str:
    return " and ".join("other data" if name == "data" else f"another {name}" for name in names)


def _flat(config: Mapping[str, object], under: str = "") -> Iterator[tuple[str, object]]:
    for key, value in config.items():
        if isinstance(value, Mapping) and value:
            yield from _flat(value, f"{under}{key}.")
        else:
            yield f"{under}{key}", value


def result_again(path: str, settings: Settings, reading: ReadOptions) -> str:
    """The result of a run that had ended already, for standard output; it is written to where else it is wanted."""
    there, report, screen, shown = Path(path), settings.request.report, settings.request.screen, settings.stdout
    params = json.loads(_content(there / "params.json"))
    if not screen.quiet:
        how = "is complete: nothing is left to do" if report.resume else "is this run already; --force runs it again"
        with suppress(OSError):
            say(f"{safe(path)} {how}.")
    if report.params:
        write_file(report.params, [_content(there / "params.json")])
    if report.responsibilities_to:
        write_file(report.responsibilities_to, _of_rows(there))
    if report.labelled:
        from em_cli.runs.labelled import data_labelled, labels_in

        labels, own = labels_in(_of_rows(there)), params["data_sha256"]
        copy = data_labelled(labels, settings.config.data.path, reading, own)
        write_file(report.labelled, packed(report.labelled, copy))
    table = there / "selection.csv"
    if shown == "csv":
        return _content(table)
    if shown == "human":
        from em_cli.runs.model_summary import summary_of  # with sketches, which nothing else here needs

        return summary_of(path, screen, drawn=False)
    if shown == "json" and table.exists():
        config = read_manifest(there)["config"]
        from em_cli.runs.read_back import parsed

        rows = [dict(row) for row in parsed("selection", _content(table).splitlines())]
        chosen = {"criterion": config["criterion"], "selection": rows}
        return to_json(params | chosen)
    return _content(there / "params.json") if shown == "json" else ""


def _of_rows(run: Path) -> Iterator[bytes]:
    """The lines of `responsibilities.csv`, or of its parts, one behind the other."""
    parts = sorted((run / PARTS).glob("*.csv"))
    for place, part in enumerate(parts or [_there(run / ROWS)]):
        with part.open("rb") as lines:
            yield from islice(lines, min(place, 1), None)


def _there(file: Path) -> Path:
    if not file.exists():
        raise OutputError(f"{file.parent} has no {file.name}: use --force to run again.")
    return file


def warnings_again(path: str) -> list[WarningFields]:
    """The warnings of a run that had ended already."""
    warnings: list[WarningFields] = json.loads(_content(Path(path) / "params.json")).get("warnings", [])
    return warnings


def _content(file: Path) -> str:
    return _there(file).read_text("utf-8")
