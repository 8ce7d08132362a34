"""Running the program: whole processes for its contracts, in this process for its many messages."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "sample_data"
ENVIRONMENT = {
    name: value for name, value in os.environ.items() if not name.startswith("EM_") and name not in ("CI", "NO_COLOR")
} | {"PYTHONWARNINGS": "error"}


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str


def em(
    *arguments: str | Path, cwd: Path, stdin: str | bytes = b"", env: dict[str, str] | None = None, status: int = 0
) -> Outcome:
    """Run `em` as a process; its exit status must be the one given."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        input=stdin.encode() if isinstance(stdin, str) else stdin,
        capture_output=True,
        env=ENVIRONMENT | (env or {}),
        timeout=120,
    )
    outcome = Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())
    assert outcome.status == status, f"status {outcome.status}, not {status}\n{outcome.out[:2000]}\n{outcome.err}"
    assert "Traceback" not in outcome.err, outcome.err
    return outcome


def command(*arguments: str | Path) -> Sequence[str]:
    return [sys.executable, "-m", "em_cli", *map(str, arguments)]
