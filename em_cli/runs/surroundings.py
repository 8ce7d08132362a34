"""What the program runs on: versions, machine, terminal. No names of people, machines, folders or data."""

from __future__ import annotations

import locale
import os
import platform
import shutil
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Any

from em_cli import __version__, memory

DISTRIBUTION = "em-cli"
TERMINAL = ("TERM", "COLORTERM", "NO_COLOR", "CI", "COLUMNS", "LINES")
TEST_EXTRAS = ("test", "bench", "dev")  # of those who change the program


def surroundings() -> dict[str, object]:
    """Everything, by what it is about."""
    return {
        "em": __version__,
        "python": f"{platform.python_version()} ({platform.python_implementation()})",
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "libraries": {name: _version(name) for name in _libraries(None)},
        "extras": {name: _version(name) for name in _libraries("extra")},
        "blas": _blas(),
        "cores": {"usable": _usable(), "all": os.cpu_count()},
        "memory": {"available": _size(memory.available()), "address_limit": _size(memory.address_limit())},
        "encoding": {
            "locale": locale.getlocale()[1],
            "files": sys.getfilesystemencoding(),
            "output": getattr(sys.stdout, "encoding", None),
        },
        "terminal": {
            "input": _is_terminal(sys.stdin),
            "output": _is_terminal(sys.stdout),
            "errors": _is_terminal(sys.stderr),
            "size": "{} x {}".format(*shutil.get_terminal_size()),
        }
        | {name: os.environ[name] for name in TERMINAL if name in os.environ},
        "variables": sorted(name for name in os.environ if name.startswith("EM_")),
    }


def told(found: Mapping[str, object]) -> str:
    """The same in lines."""
    lines = []
    for name, value in found.items():
        parts = value.items() if isinstance(value, dict) else ()
        said = ", ".join(f"{part} {_said(own)}" for part, own in parts) if parts else _said(value)
        lines.append(f"{name + ':':<11}{said}")
    return "\n".join([*lines, ""])


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "a terminal" if value else "no terminal"
    if isinstance(value, list):
        return ", ".join(value) or "none is set"
    return "-" if value is None else str(value)


def _libraries(kind: str | None) -> list[str]:
    """Those that are always there, or those of the extras that users choose."""
    names = []
    try:
        needed = requires(DISTRIBUTION) or []
    except PackageNotFoundError:
        return []
    for line in needed:
        condition = line.partition(";")[2]
        others = any(f'"{extra}"' in condition or f"'{extra}'" in condition for extra in TEST_EXTRAS)
        name = line.partition(";")[0].split(">")[0].split("[")[0].split("=")[0].strip()
        if bool(condition) == (kind is not None) and not others and name != DISTRIBUTION:
            names.append(name)
    return names


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _blas() -> str:
    import numpy as np

    shown: Any = np.show_config(mode="dicts")
    own = shown.get("Build Dependencies", {}).get("blas", {})
    return f"{own.get('name', 'unknown')} {own.get('version', '')}".strip()


def _usable() -> int | None:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def _size(number: int | None) -> str | None:
    return None if number is None else memory.size(number)


def _is_terminal(stream: Any) -> bool:
    try:
        return bool(stream.isatty())
    except (AttributeError, ValueError):
        return False
