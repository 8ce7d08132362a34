"""Running the program: whole processes for its contracts, in this process for its many messages."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parents[1]
SAMPLES = ROOT / "sample_data"
ENVIRONMENT = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith("EM_") and name not in ("CI", "NO_COLOR", "PYTHONDONTWRITEBYTECODE")
} | {"PYTHONWARNINGS": "error"}  # no process is to compile anew what another has compiled
QUICK = {"EM_OTHER_FAMILIES": "false"}  # refits that only tests of their own, the README and the guide wait for


@dataclass(frozen=True)
class Outcome:
    status: int
    out: str
    err: str


def em(
    *arguments: str | Path, cwd: Path, stdin: str | bytes = b"", env: dict[str, str] | None = None, status: int = 0
) -> Outcome:
    """Run `em` in this process, which spares its start; its exit status must be the one given."""
    with contextlib.chdir(cwd), mock.patch.dict("os.environ", ENVIRONMENT | QUICK | (env or {}), clear=True):
        outcome = in_process([str(argument) for argument in arguments], _bytes(stdin))
    return checked(outcome, status)


def em_process(
    *arguments: str | Path, cwd: Path, stdin: str | bytes = b"", env: dict[str, str] | None = None, status: int = 0
) -> Outcome:
    """Run `em` as a process of its own, where its streams, its memory or its environment matter."""
    done = subprocess.run(
        command(*arguments),
        cwd=cwd,
        input=_bytes(stdin),
        capture_output=True,
        env=ENVIRONMENT | QUICK | (env or {}),
        timeout=120,
    )
    return checked(Outcome(done.returncode, done.stdout.decode(), done.stderr.decode()), status)


def em_together(*lines: Sequence[str | Path], cwd: Path, env: dict[str, str]) -> list[Outcome]:
    """Run several commands one after the other in a process of their own, where what it can import matters."""
    code = (
        "import json, program, sys; print(json.dumps([vars(program.in_process(one)) for one in json.load(sys.stdin)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=cwd,
        input=json.dumps([[str(argument) for argument in line] for line in lines]).encode(),
        capture_output=True,
        env=ENVIRONMENT | QUICK | env,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr.decode()
    return [Outcome(**told) for told in json.loads(done.stdout)]


def in_process(arguments: Sequence[str], stdin: bytes = b"") -> Outcome:
    """What the program makes of a command line, in this process and folder."""
    from em_cli import app

    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", errors="surrogateescape") for _ in range(2))
    streams = {"stdin": io.TextIOWrapper(io.BytesIO(stdin)), "stdout": out, "stderr": err}
    status = 0
    with mock.patch.multiple(sys, argv=["em", *arguments], **streams), mock.patch.dict("os.environ"):
        try:
            app.main()
        except SystemExit as ended:
            status = int(ended.code or 0)
        out.flush(), err.flush()
    texts = [stream.buffer.getvalue().decode("utf-8", "surrogateescape") for stream in (out, err)]
    return Outcome(status, *texts)


def checked(outcome: Outcome, status: int) -> Outcome:
    """The outcome, whose status must be the one given."""
    assert outcome.status == status, f"status {outcome.status}, not {status}\n{outcome.out[:2000]}\n{outcome.err}"
    assert "Traceback" not in outcome.err, outcome.err
    return outcome


def command(*arguments: str | Path) -> Sequence[str]:
    return [sys.executable, "-m", "em_cli", *map(str, arguments)]


def _bytes(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text
