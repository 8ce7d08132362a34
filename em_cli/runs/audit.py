"""Run folders that are read back and checked against their manifest."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from em_cli.errors import DataError

AS_WRITTEN, CHANGED, GONE = "as it was", "changed since", "gone"


def manifest_of(run: str) -> dict[str, Any]:
    """The manifest of a run folder."""
    from em_cli.outputs.manifest import MANIFEST, read_manifest

    found = read_manifest(run)
    if not isinstance(found, dict) or not all(isinstance(found.get(name), dict) for name in ("config", "outputs")):
        raise DataError(
            f"{Path(run) / MANIFEST} does not say what a run was and what it wrote: was it made by an earlier em?"
        )
    return found


def states(run: str, manifest: Mapping[str, Any]) -> dict[str, str]:
    """Of each result file: whether it is as it was written."""
    return {name: _state(Path(run) / name, about) for name, about in manifest["outputs"].items()}


def input_states(manifest: Mapping[str, Any]) -> dict[str, str]:
    """Of each input file, where it can be found from here."""
    inputs = [about for about in manifest.get("inputs", ()) if about["name"] != "-"]
    return {about["name"]: _state(Path(about["name"]), about) for about in inputs}


def _state(file: Path, about: Mapping[str, Any]) -> str:
    try:
        with file.open("rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return GONE
    return AS_WRITTEN if digest == about.get("sha256") else CHANGED
