"""Runs that are made again, and compared byte by byte."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import fields, replace
from itertools import chain, zip_longest
from pathlib import Path

from em_cli.documents.manifest_json import Manifest
from em_cli.errors import DataError, UsageError
from em_cli.options import ConfigOptions, FolderOptions, Group, ReportOptions, ScreenOptions, spelled
from em_cli.outputs.folder import write_file
from em_cli.outputs.manifest import to_json
from em_cli.outputs.run_folder import PARTS, ROWS
from em_cli.runs.audit import AS_WRITTEN, GONE, input_states, manifest_of, states
from em_cli.runs.request import Request
from em_cli.runs.resume import CUT_SHORT

SAME, NOT_MADE = "the same", "not made again"  # pictures and reports are not

MADE_WITH = ("em_version", "python", "libraries", "blas", "platform")

BESIDE = frozenset({"verify", "json", "format", "threads", "runner"})  # options that change no result


@contextmanager
def verified(request: Request, run: str) -> Iterator[Request]:
    """The run to make to verify a run folder: what that says, elsewhere.

    When the run has ended, standard output says which files are the same; `DataError` if any differs.
    """
    report = request.report
    manifest = manifest_of(run)
    _check(run, manifest, request)
    with tempfile.TemporaryDirectory(prefix="em-verify-") as place:
        again = Path(place) / Path(run).absolute().name
        yield replace(
            request,
            sections=(*request.sections, FolderOptions(out=str(again))),
            config=ConfigOptions(config=f"{run}/run.yaml"),
            report=ReportOptions(format="none"),
        )
        fresh = manifest_of(str(again))
        if [one["sha256"] for one in fresh["inputs"]] != [one["sha256"] for one in manifest["inputs"]]:
            raise DataError(f"these are not the data of {run}: their SHA-256 is not that of its manifest.")
        found = {file: _compared(Path(run) / file, again / file) for file in manifest["outputs"]}
        found |= _parts_compared(Path(run), [file for file in found if _is_part(file, again)], again)
    if states(run, manifest).get("run.yaml") == AS_WRITTEN:  # it may say otherwise where the data are
        found["run.yaml"] = SAME
    differing = [file for file, how in found.items() if how not in (SAME, NOT_MADE)]
    _tell(run, report, request.screen, found, not differing)
    if differing:
        what, why = _listed(differing, found), _others(manifest, fresh)
        raise DataError(f"{run} is not what its configuration gives: {what}.{why}")


def _check(run: str, manifest: Manifest, request: Request) -> None:
    """Refuse what cannot be made again, or would not be the same run."""
    if manifest["command"] != request.command:
        raise UsageError(f"{run} is a run of em {manifest['command']}: em {manifest['command']} --verify {run}.")
    codes = {warning.get("code") for warning in manifest.get("warnings", ())}
    if cut := codes & CUT_SHORT:
        raise UsageError(f"{run} was cut short ({', '.join(sorted(cut))}): it cannot be made again.")
    groups: tuple[Group, ...] = (*request.sections, request.config, request.report)
    for group in groups:
        for one in fields(group):
            if one.name not in BESIDE and getattr(group, one.name) != one.default:
                name = spelled(type(group), one.name)
                raise UsageError(f"--verify runs the configuration of {run} again, elsewhere: {name} does not apply.")
    if not request.paths:
        for file, state in input_states(manifest).items():
            if state != AS_WRITTEN:
                raise DataError(f"{file}, from which {run} was made, is {state}: name the data, if they are elsewhere.")


def _compared(before: Path, after: Path) -> str:
    """Whether two files are the same; else where they begin to differ, in words."""
    if not before.exists():
        return GONE
    if not after.exists():
        return NOT_MADE
    with before.open("rb") as first, after.open("rb") as second:
        for line, (one, other) in enumerate(zip_longest(first, second), 1):
            if one != other:
                return f"differs from line {line}"
    return SAME


def _is_part(file: str, again: Path) -> bool:
    """Whether it is one of several that have been made again as one."""
    return file.startswith(f"{PARTS}/") and file.endswith(".csv") and not (again / file).exists()


def _parts_compared(run: Path, parts: Sequence[str], again: Path) -> dict[str, str]:
    """Of each part, whether its lines are those that stand in one file in their turn."""
    if not parts or not (whole := again / ROWS).exists():
        return {}
    with whole.open("rb") as lines:
        head = next(lines)
        found = {part: _as_next(run / part, head, lines) for part in parts}
        if next(lines, None) is not None and found[parts[-1]] == SAME:
            found[parts[-1]] = "ends before the last row"
    return found


def _as_next(part: Path, head: bytes, rest: Iterator[bytes]) -> str:
    if not part.exists():
        return GONE
    with part.open("rb") as lines:
        wanted = chain([head], rest)
        differing = [number for number, line in enumerate(lines, 1) if line != next(wanted, None)]
    return f"differs from line {differing[0]}" if differing else SAME


def _tell(run: str, report: ReportOptions, screen: ScreenOptions, found: Mapping[str, str], same: bool) -> None:
    if report.json or report.format == "json" or not (sys.stdout.isatty() or report.format):
        write_file("-", [to_json({"run": run, "verified": same, "files": dict(found)})])
    elif report.format != "none" and not screen.quiet:
        width = max(map(len, found))
        lines = [f" {file:<{width}}  {how}\n" for file, how in found.items()]
        write_file("-", [f"{run} was run again: {'the same bytes' if same else 'not the same bytes'}\n\n", *lines])


def _listed(differing: Sequence[str], found: Mapping[str, str]) -> str:
    return ", ".join(f"{file} {'is ' if found[file] == GONE else ''}{found[file]}" for file in differing)


def _others(manifest: Mapping[str, object], fresh: Mapping[str, object]) -> str:
    """What else has changed, and may be the cause."""
    names = [name for name in MADE_WITH if manifest.get(name) != fresh[name]]
    return f" It was made with another {' and another '.join(names)}." if names else ""
