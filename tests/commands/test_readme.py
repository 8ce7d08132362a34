"""The commands of the README and of the guide run as they stand, and print what is shown."""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from unittest import mock

import pytest
import written
from program import ENVIRONMENT, ROOT, SAMPLES, Outcome, in_process

from em_cli.runs.guide_pages import TOPICS

SHELL = set("|<>;&$*`\\(){}")  # characters that a shell must read
NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:e[-+]?\d+)?")
README = (ROOT / "README.md").read_text("utf-8")
PAGES = {"README": README} | {topic: (ROOT / "em_cli" / "guide" / f"{topic}.md").read_text("utf-8") for topic in TOPICS}


@dataclass
class Desk:
    """A folder with the sample data, where each command is run once: pages begin with the same fits."""

    folder: Path
    done: dict[str, Outcome] = field(default_factory=dict)
    checked: set[Path] = field(default_factory=set)  # runs and files of events

    def run(self, line: str) -> Outcome:
        if line not in self.done:
            command, _, file = line.partition(" > ")
            alone = line.startswith("em ") and not set(command + file) & SHELL
            self.done[line] = self._here(command, file) if alone else self._by_the_shell(line)
        return self.done[line]

    def check_what_is_written(self) -> None:
        """Every run is what its schemas say, and so are the events."""
        for file in {*self.folder.rglob("params.json"), *self.folder.rglob("*.jsonl")} - self.checked:
            written.check_run(file.parent) if file.suffix == ".json" else written.check_events(file)
            self.checked.add(file)

    def _here(self, line: str, file: str) -> Outcome:
        """A command of `em` alone, whose output may go to a file; this spares a process its start."""
        with (
            contextlib.chdir(self.folder),
            mock.patch.dict("os.environ", ENVIRONMENT | {"COLUMNS": "80"}, clear=True),
        ):
            done = in_process(shlex.split(line)[1:])
        if file:
            (self.folder / file).write_text(done.out, "utf-8", "surrogateescape", newline="")
        return replace(done, out="") if file else done

    def _by_the_shell(self, line: str) -> Outcome:
        path = f"{self.folder / 'bin'}{os.pathsep}{ENVIRONMENT['PATH']}"
        done = subprocess.run(
            ["bash", "-o", "pipefail", "-c", line],
            cwd=self.folder,
            env=ENVIRONMENT | {"PATH": path, "COLUMNS": "80"},
            capture_output=True,
            text=True,
            timeout=120,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="module")
def desk(tmp_path_factory) -> Desk:
    folder = tmp_path_factory.mktemp("readme")
    shutil.copytree(SAMPLES, folder / "sample_data")
    binaries = folder / "bin"
    binaries.mkdir()
    (binaries / "em").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m em_cli "$@"\n')
    (binaries / "em").chmod(0o755)
    return Desk(folder)


def blocks(kind: str, page: str) -> list[str]:
    return re.findall(rf"```{kind}\n(.*?)```", page, re.S)


def commands(page: str) -> list[str]:
    lines = [line for block in blocks("sh", page) for line in block.splitlines()]
    return [line.partition(" # ")[0].rstrip() for line in lines if line.startswith(("em ", "cat "))]


def examples(page: str) -> Iterator[tuple[str, str]]:
    """Each command of the blocks that show output, and what it prints."""
    for block in blocks("console", page):
        for example in re.split(r"^\$ ", block, flags=re.M)[1:]:
            line, _, shown = example.partition("\n")
            yield line, shown


SHOWN = [name for name, page in PAGES.items() if blocks("console", page)]  # pages that show what is printed


@pytest.mark.parametrize("name", [name for name, page in PAGES.items() if commands(page)])
def test_commands_run(name, desk):
    for line in commands(PAGES[name]):
        done = desk.run(line)
        assert done.status == 0, f"{line}\n{done.err}"
    desk.check_what_is_written()


@pytest.mark.parametrize("name", SHOWN)
def test_console_examples_print_what_they_show(name, desk):
    """Words are equal; measured numbers agree. Counts of starts and iterations may differ between machines."""
    compared = 0
    for line, shown in examples(PAGES[name]):
        done = desk.run(line)
        assert done.status == 0, f"{line}\n{done.err}"
        wanted, found = shown.split(), done.out.split()
        assert NUMBER.sub("#", " ".join(found)) == NUMBER.sub("#", " ".join(wanted)), line
        for a, b in zip(NUMBER.findall(" ".join(found)), NUMBER.findall(" ".join(wanted)), strict=True):
            if "." in b:
                assert float(a) == pytest.approx(float(b), rel=2e-3, abs=2e-3), line
                compared += 1
    assert compared > 20


def test_there_are_enough_examples():
    assert {name for name, page in PAGES.items() if blocks("console", page)} == {"README", "example"}
    assert sum(len(commands(page)) for page in PAGES.values()) > 60


def test_every_command_is_shown():
    from em_cli.app import Commands

    for name in set(Commands()) - {"config"}:
        assert f"em {name} " in README or f"em {name}\n" in README, name


def test_the_readme_is_short_and_leads_to_every_page():
    assert len(README.encode()) <= 8 * 1024
    for topic in TOPICS:
        assert f"(em_cli/guide/{topic}.md)" in README, topic
