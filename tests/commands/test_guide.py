"""`em guide` and `em help`: every topic, every command, every warning."""

import ast
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import ENVIRONMENT, ROOT, command, em

from em_cli.app import Commands
from em_cli.reports.trust import ADVICE
from em_cli.runs.guide_pages import TOPICS
from em_cli.runs.record import DOUBTFUL
from em_cli.sources.text_types import LEFT_OUT

PACKAGE = ROOT / "em_cli"


def page(topic: str) -> str:
    return (PACKAGE / "guide" / f"{topic}.md").read_text("utf-8")


def test_topics_are_the_pages_and_no_commands():
    assert sorted(TOPICS) == sorted(path.stem for path in (PACKAGE / "guide").glob("*.md"))
    assert not set(TOPICS) & set(Commands())
    assert {path.stem for path in (PACKAGE / "commands").glob("[a-z]*.py")} == set(Commands())


def test_without_a_topic_all_are_listed(tmp_path):
    lines = em("guide", cwd=tmp_path).out.splitlines()
    listed = [line.split(maxsplit=1) for line in lines[: len(TOPICS)]]
    assert [topic for topic, _ in listed] == list(TOPICS)
    for topic, title in listed:
        assert re.match(rf"# {topic.capitalize().replace('-', ' ')}[a-z ]*: {re.escape(title)}\n", page(topic)), topic
    assert max(map(len, lines)) <= 80


def test_a_pipe_gets_the_page_as_it_stands(tmp_path):
    assert em("guide", "folders", cwd=tmp_path).out == page("folders") == em("help", "folders", cwd=tmp_path).out
    assert em("guide", "runs", cwd=tmp_path).out == page("folders")


@pytest.mark.parametrize("arguments", [(), ("fit",), ("config", "show")], ids=" ".join)
def test_help_is_the_help_of_the_command(arguments, tmp_path):
    assert em("help", *arguments, cwd=tmp_path).out == em(*arguments, "--help", cwd=tmp_path).out


@pytest.mark.parametrize(
    ("arguments", "meant"), [(("guide", "serch"), "search"), (("help", "serch"), "search"), (("help", "fti"), "fit")]
)
def test_unknown_topics_name_the_nearest(arguments, meant, tmp_path):
    failed = em(*arguments, cwd=tmp_path, status=2)
    assert failed.out == "" and f"Did you mean '{meant}'?" in failed.err


@pytest.mark.parametrize("topic", TOPICS)
def test_pages_mention_only_topics_and_commands_that_exist(topic):
    text = page(topic)
    assert set(re.findall(r"em guide ([a-z]+)", text)) <= set(TOPICS)
    assert set(re.findall(r"`em ([a-z]+)", text)) <= set(Commands())


def test_help_of_the_program_loads_no_libraries(tmp_path):
    code = (
        "import sys, em_cli.app, em_cli.commands.guide, em_cli.commands.help;"
        "assert not {'rich', 'numpy', 'pydoc', 'importlib.resources'} & set(sys.modules)"
    )
    done = subprocess.run([*command()[:1], "-c", code], env=ENVIRONMENT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("color", [True, False])
def test_a_terminal_gets_the_page_laid_out_through_its_pager(color, tmp_path):
    import pty

    seen = tmp_path / "seen"
    pager = tmp_path / "less"
    pager.write_text(f"#!/bin/sh\ncat > {seen}\n")
    pager.chmod(0o755)
    unset = {name: value for name, value in ENVIRONMENT.items() if name not in ("MANPAGER", "COLUMNS")}
    environment = unset | {"PAGER": str(pager), "TERM": "xterm-256color", "PYTHONUTF8": "1", "COLUMNS": "80"}
    master, slave = pty.openpty()
    try:
        done = subprocess.run(
            command("guide", "search"),
            stdin=slave,
            stdout=slave,
            stderr=subprocess.PIPE,
            env=environment if color else environment | {"NO_COLOR": "1"},
            timeout=60,
        )
    finally:
        os.close(slave)
        os.close(master)
    assert done.returncode == 0, done.stderr
    text = seen.read_text("utf-8")
    assert ("\x1b[36m" in text) is color
    plain = re.sub(r"\x1b\[[0-9;]*m", "", text)
    assert plain.lstrip().startswith("Search: starts, local optima")
    assert "```" not in plain and "|---" not in plain and "**" not in plain
    assert max(map(len, plain.splitlines())) <= 80


def warning_codes(path: Path) -> Iterator[str]:
    """Codes that a file gives to warnings: written in the call, or keys of a table in the function that calls."""
    for function in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(function, ast.FunctionDef):
            continue
        for call in ast.walk(function):
            if not isinstance(call, ast.Call) or not call.args:
                continue
            name = ast.unparse(call.func).rpartition(".")[2]
            if name not in ("Notice", "warn", "Warned"):
                continue
            if isinstance(call.args[0], ast.Constant):
                yield str(call.args[0].value)
            elif isinstance(call.args[0], ast.Name) and name != "Warned":
                tables = [node for node in ast.walk(function) if isinstance(node, ast.Dict) and node.keys]
                yield from (str(ast.literal_eval(key)) for table in tables for key in table.keys if key)


def test_every_warning_is_explained():
    codes = {code for path in PACKAGE.rglob("*.py") for code in warning_codes(path)} | set(LEFT_OUT)
    assert {"not_converged", "row_names", "many_levels"} <= codes
    explained = re.findall(r"^### (\w+)$", page("warnings"), re.M)
    assert sorted(explained) == sorted(codes) == sorted(ADVICE)
    assert not [advice for advice in ADVICE.values() if re.search("[a-z][A-Z]", advice)], "a name of the code"


def test_warnings_that_strict_counts_are_marked():
    marked = set(re.findall(r"^### (\w+)\n\*Doubtful\.\*", page("warnings"), re.M))
    assert marked == DOUBTFUL
