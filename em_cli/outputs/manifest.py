"""`manifest.json`: what may differ between identical runs, and what an auditor asks for."""

from __future__ import annotations

import json
import os
import platform
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from em_cli import __version__
from em_cli.errors import DataError, in_words
from em_cli.printable import json_escaped

MANIFEST = "manifest.json"
LONGEST_VALUE = 60  # characters, in a message
LIBRARIES = ("numpy", "scipy", "pandas", "pyyaml", "pydantic", "typer", "rich")


def manifest(command: str, seconds: Mapping[str, float], facts: Mapping[str, Any]) -> dict[str, Any]:
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
        "libraries": {name: version(name) for name in LIBRARIES},
        "blas": _blas(),
        **facts,
    }


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="allow", strict=True)


class _File(_Lenient):
    name: str
    sha256: str


class _Output(_Lenient):
    size: int = 0
    sha256: str = ""


class _Manifest(_Lenient):
    """What the fields of a manifest hold that are read back; there may be others, and any may be absent."""

    em_version: str = ""
    command: str = ""
    arguments: list[str] = []
    working_directory: str | None = None
    finished: str = ""
    seconds: dict[str, float] = {}
    platform: str = ""
    python: str = ""
    libraries: dict[str, str] = {}
    blas: dict[str, Any] = {}
    inputs: list[_File] = []
    outputs: dict[str, _Output] = {}
    data: dict[str, Any] = {}
    config: dict[str, Any] = {}
    stopping: dict[str, Any] = {}
    warnings: list[dict[str, Any]] = []


def read_manifest(run: str | Path) -> dict[str, Any]:
    """What the manifest of a run folder holds; `DataError` if it cannot be read, or is not what a run has written."""
    file = Path(run) / MANIFEST
    try:
        found = json.loads(file.read_bytes())
        _Manifest.model_validate(found)
        return dict(found)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(map(str, first["loc"]))
        where = f"the field {field!r} holds {_short(first['input'])}" if field else "it holds no fields"
        raise DataError(f"{file}: {where}: that is not what a run has written there. Was it edited?") from None
    except FileNotFoundError:
        raise DataError(f"{run} has no {MANIFEST}: it is not a run folder as em fit writes it.") from None
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{file}: cannot be read ({in_words(error)}).") from None


def _short(value: Any) -> str:
    text = json_escaped(json.dumps(value, ensure_ascii=False))
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"


def _working_folder() -> str | None:
    """None if it has been deleted meanwhile."""
    try:
        return os.getcwd()  # noqa: PTH109 (as text)
    except FileNotFoundError:
        return None


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _blas() -> dict[str, Any]:
    """The linear algebra that NumPy is built with, and the processor's extensions that it uses."""
    found: Any = np.show_config(mode="dicts")
    library = found.get("Build Dependencies", {}).get("blas", {})
    extensions = found.get("SIMD Extensions", {})
    return {
        "name": library.get("name"),
        "version": library.get("version"),
        "simd": [*extensions.get("baseline", ()), *extensions.get("found", ())],
    }


def to_json(document: Any) -> str:
    """Strict JSON, ending in a newline; numbers read back to the same bits, and no character acts on a screen."""
    return json_escaped(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)) + "\n"
