"""The README's commands run as they stand, and print what it says."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from program import ENVIRONMENT, ROOT, SAMPLES

README = (ROOT / "README.md").read_text("utf-8")
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(SAMPLES, folder / "sample_data")
    binaries = folder / "bin"
    binaries.mkdir()
    (binaries / "em").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m em_cli "$@"\n')
    (binaries / "em").chmod(0o755)
    return folder


def shell(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    path = f"{folder / 'bin'}{os.pathsep}{ENVIRONMENT['PATH']}"
    environment = ENVIRONMENT | {"PATH": path, "COLUMNS": "80"}
    return subprocess.run(
        ["bash", "-o", "pipefail", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, timeout=120
    )


def blocks(kind: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", README, re.S)


def test_commands_run(folder):
    lines = [line for block in blocks("sh") for line in block.splitlines() if line.startswith(("em ", "cat "))]
    assert len(lines) > 20
    for line in lines:
        done = shell(line, folder)
        assert done.returncode == 0, f"{line}\n{done.stderr}"


def test_every_command_is_shown():
    from em_cli.app import app

    names = {command.callback.__name__ for command in app.registered_commands if command.callback}
    assert len(names) >= 7
    for name in names:
        assert f"em {name} " in README or f"em {name}\n" in README, name


def test_console_examples_print_what_they_show(folder):
    """Words are equal; measured numbers agree. Counts of starts and iterations may differ between machines."""
    compared = 0
    for block in blocks("console"):
        for example in re.split(r"^\$ ", block, flags=re.M)[1:]:
            line, _, shown = example.partition("\n")
            done = shell(line, folder)
            assert done.returncode == 0, f"{line}\n{done.stderr}"
            wanted, found = shown.split(), done.stdout.split()
            assert NUMBER.sub("#", " ".join(found)) == NUMBER.sub("#", " ".join(wanted)), line
            for a, b in zip(NUMBER.findall(" ".join(found)), NUMBER.findall(" ".join(wanted)), strict=True):
                if "." in b:
                    assert float(a) == pytest.approx(float(b), rel=2e-3, abs=2e-3), line
                    compared += 1
    assert compared > 50
