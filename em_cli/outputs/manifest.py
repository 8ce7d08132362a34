"""`manifest.json`: what may differ between identical runs, and what an auditor asks for."""

from __future__ import annotations

import json
import os
import platform
import re
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

import numpy as np

from em_cli import __version__
from em_cli.documents.manifest_json import BlasFields, Manifest
from em_cli.errors import DataError, in_words
from em_cli.printable import json_escaped

MANIFEST = "manifest.json"
LIBRARIES = ("numpy", "scipy", "pandas", "pyyaml", "pydantic", "typer", "rich")


def manifest(command: str, seconds: Mapping[str, float], facts: Manifest) -> Manifest:
    """The manifest of a run: where and when it was made, and these facts of it."""
    return {
        "em_version": __version__,
        "command": command,
        "arguments": sys.argv[1:],
        "environment": {name: value for name, value in sorted(os.environ.items()) if name.startswith("EM_")},
        "working_directory": _working_folder(),
        "finished": _now(),
        "seconds": {phase: round(value, 3) for phase, value in seconds.items()},
        "host": platform.node(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: version for name in LIBRARIES if (version := version_of(name)) is not None},
        "blas": _blas(),
        **facts,
    }


READ_BACK = ("data", "criterion")  # of the configuration


def read_manifest(run: str | Path) -> Manifest:
    """What the manifest of a run folder holds; `DataError` if it cannot be read, or is not what a run has written.

    There may be fields that we do not know, and any may be absent.
    """
    from em_cli.config.run_config import RunConfig
    from em_cli.outputs.described import checked, wrong_field

    file = Path(run) / MANIFEST
    try:
        found = json.loads(file.read_bytes())
    except FileNotFoundError:
        raise DataError(f"{run} has no {MANIFEST}: it is not a run folder as em fit writes it.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file}: cannot be read ({in_words(error)}).") from None
    wrong = wrong_field(checked(Manifest), found, partial=True)
    if not wrong and "config" in found:
        own = {key: found["config"][key] for key in READ_BACK if key in found["config"]}
        wrong = wrong_field(RunConfig, own, partial=True, within="config")
    if wrong:
        raise DataError(f"{file}: {wrong}, and no run has written that there. Was it edited?")
    manifest: Manifest = found
    return manifest


def version_of(library: str) -> str | None:
    """As its metadata say first; to parse all of them takes ten times as long."""
    found = re.search(r"^Version: *(\S+)", distribution(library).read_text("METADATA") or "", re.MULTILINE)
    return found[1] if found else None


def _working_folder() -> str | None:
    """None if it has been deleted meanwhile."""
    try:
        return os.getcwd()  # noqa: PTH109 (as text)
    except FileNotFoundError:
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _blas() -> BlasFields:
    """The linear algebra that NumPy is built with, and the processor's extensions that it uses."""
    found: Any = np.show_config(mode="dicts")
    library = found.get("Build Dependencies", {}).get("blas", {})
    extensions = found.get("SIMD Extensions", {})
    return {
        "name": library.get("name"),
        "version": library.get("version"),
        "simd": [*extensions.get("baseline", ()), *extensions.get("found", ())],
    }


def to_json(document: object) -> str:
    """Strict JSON, ending in a newline; numbers read back to the same bits, and no character acts on a screen."""
    return json_escaped(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"
