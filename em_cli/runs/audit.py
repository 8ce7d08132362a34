"""Run folders that are read back and checked against their manifest."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from pathlib import Path

from em_cli.display.audit_page import audit_page
from em_cli.documents.manifest_json import Manifest
from em_cli.errors import DataError
from em_cli.options import ScreenOptions
from em_cli.outputs.manifest import MANIFEST, read_manifest
from em_cli.runs.screen import color_wanted, width

AS_WRITTEN, CHANGED, GONE = "as it was", "changed since", "gone"


def manifest_of(run: str) -> Manifest:
    """The manifest of a run folder."""
    found = read_manifest(run)
    if not isinstance(found, dict) or not all(isinstance(found.get(name), dict) for name in ("config", "outputs")):
        raise DataError(
            f"{Path(run) / MANIFEST} does not say what a run was and what it wrote: was it made by an earlier em?"
        )
    return found


def audited(run: str, screen: ScreenOptions) -> tuple[str, list[str]]:
    """How a run was made, in words, and which of its files are not those that it wrote."""
    columns = width() if sys.stdout.isatty() else 100
    try:
        manifest = manifest_of(run)
        found = states(run, manifest)
        text = audit_page(run, manifest, found, input_states(manifest), columns, color_wanted(screen))
    except (KeyError, TypeError, ValueError, AttributeError):
        raise DataError(f"{run}/{MANIFEST} is damaged: it does not say what a manifest says.") from None
    return text, [f"{name} is {state}" for name, state in found.items() if state != AS_WRITTEN]


def states(run: str, manifest: Manifest) -> dict[str, str]:
    """Of each result file: whether it is as it was written."""
    return {name: _state(Path(run) / name, about) for name, about in manifest["outputs"].items()}


def input_states(manifest: Manifest) -> dict[str, str]:
    """Of each input file, where it can be found from here."""
    inputs = [about for about in manifest.get("inputs", ()) if about["name"] != "-"]
    return {about["name"]: _state(Path(about["name"]), about) for about in inputs}


def _state(file: Path, about: Mapping[str, object]) -> str:
    try:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return GONE
    return AS_WRITTEN if digest == about.get("sha256") else CHANGED
