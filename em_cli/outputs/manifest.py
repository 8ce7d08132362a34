"""`manifest.json`: what may differ between identical runs, and what an auditor asks for first."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from em_cli import __version__

LIBRARIES = ("numpy", "scipy", "pandas", "pyyaml", "pydantic", "typer", "rich")


def manifest(
    command: str,
    inputs: Iterable[Mapping[str, Any]],
    config: Mapping[str, Any],
    seconds: Mapping[str, float],
    warnings: list[dict[str, Any]],
) -> str:
    document = {
        "em_version": __version__,
        "command": command,
        "arguments": sys.argv[1:],
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": {phase: round(value, 3) for phase, value in seconds.items()},
        "platform": platform.platform(),
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
        "inputs": list(inputs),
        "config": config,
        "warnings": warnings,
    }
    return to_json(document)


def to_json(document: Any) -> str:
    """Strict JSON, ending in a newline; numbers read back to the same bits."""
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
