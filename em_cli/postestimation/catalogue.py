"""The run folders in a place, each with what it found in a line."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from em_cli.display.summary import mixture_name
from em_cli.display.text_page import Page
from em_cli.errors import DataError, in_words
from em_cli.outputs.manifest import MANIFEST
from em_cli.printable import safe

KINDS = {"em.params": "", "em.topics": "Topics", "em.haplotypes": "Haplotypes"}  # "" is of mixtures
DEEPEST = 3  # folders below the one that is named
HEADINGS = ("run", "data", "k", "BIC", "finished", "model")
UNLIMITED = 1000  # characters of a line that goes into a file or a pipe


def runs_in(folder: str) -> list[dict[str, Any]]:
    """The runs in a folder and in those below it, the latest last; `DataError` if it cannot be read."""
    try:
        os.listdir(folder)  # noqa: PTH208 (whether it can be)
    except NotADirectoryError:
        raise DataError(f"{folder} is no folder in which runs could be.") from None
    except OSError as error:
        raise DataError(f"{folder}: {in_words(error)}.") from None
    found = [told for run in _folders(Path(folder), DEEPEST) if (told := _told(run))]
    return sorted(found, key=lambda run: (run["finished"] or "", run["run"]))


def _folders(folder: Path, deep: int) -> Iterator[Path]:
    """Those that hold a model; a run holds no other run, and links are not followed."""
    if (folder / "params.json").is_file():
        yield folder
        return
    if not deep:
        return
    try:
        inner = sorted(Path(entry) for entry in os.scandir(folder) if entry.is_dir(follow_symlinks=False))
    except OSError:
        return
    for one in inner:
        if not one.name.startswith("."):
            yield from _folders(one, deep - 1)


def _told(run: Path) -> dict[str, Any] | None:
    """A run in short; None for what is no run."""
    params, manifest = _read(run / "params.json"), _read(run / MANIFEST)
    if params.get("format") not in KINDS:
        return None
    inputs = [str(one.get("name")) for one in manifest.get("inputs") or () if isinstance(one, Mapping)]
    return {
        "run": str(run),
        "data": inputs,
        "command": manifest.get("command"),
        "n_components": params.get("n_components"),
        "model": KINDS[params["format"]] or mixture_name(params),
        "log_likelihood": params.get("log_likelihood"),
        "bic": params.get("bic"),
        "finished": manifest.get("finished"),
        "warnings": [one.get("code") for one in params.get("warnings") or () if isinstance(one, Mapping)],
    }


def _read(file: Path) -> dict[str, Any]:
    """A JSON object; empty if it is none."""
    try:
        found = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def listed(found: Sequence[Mapping[str, object]], folder: str, width: int | None) -> str:
    """The runs as a table."""
    if not found:
        where = "here" if folder == "." else f"in {safe(folder)}"
        return f"There is no run {where}. em fit data.csv -k 3 makes one.\n"
    page, rows = Page(width or UNLIMITED, color=False), [_row(run) for run in found]
    if not page.table(HEADINGS, rows, right=(2, 3)):
        return page.text()
    page = Page(width or UNLIMITED, color=False)  # the model of each on a line of its own
    page.table(HEADINGS[:-1], [row[:-1] for row in rows], right=(2, 3))
    first, *lines = page.text().splitlines()
    models = Page(width or UNLIMITED, color=False)
    for row in rows:
        models.line(f"   {row[-1]}")
    below = models.text().splitlines()
    return "\n".join([first, *(line for pair in zip(lines, below, strict=True) for line in pair)]) + "\n"


def _row(run: Mapping[str, Any]) -> list[str]:
    data, bic = run["data"], run["bic"]
    shown = Path(data[0]).name if len(data) == 1 and data[0] != "-" else f"{len(data)} files" if data[1:] else "-"
    k = run["n_components"]
    value = f"{bic:.2f}" if isinstance(bic, int | float) else ""
    return [
        safe(run["run"]),
        safe(shown),
        "" if k is None else str(k),
        value,
        _when(run["finished"]),
        run["model"],
    ]


def _when(finished: object) -> str:
    """The time of day here."""
    try:
        return datetime.fromisoformat(str(finished)).astimezone().strftime("%Y-%m-%d %H:%M")
    except ValueError:
        return ""
