"""`em impute`: missing cells are filled, and nothing else changes."""

import csv
import errno
import io
from pathlib import Path

import pytest
from program import em

from em_cli.outputs import folder
from em_cli.outputs.folder import write_flushed

SURVEY = '''id,smokes,"wor ""k"""
1,yes,full
2,,full
3,no,
4,yes,"half, or less"

5,no,"full"
6,yes,full
7, ,none
8,no,"half, or less"
9,yes,none
10,no,NA
'''


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("impute")
    (folder / "survey.csv").write_text(SURVEY)
    em("fit", "survey.csv", "--out", "survey.em", "-k", 2, "--id", "id", "--missing", "drop", cwd=folder)
    return folder / "survey.em"


def completed(model: Path, tmp_path: Path, text: str, *options: object) -> str:
    return em("impute", model, "-", *options, cwd=tmp_path, stdin=text).out


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_everything_else_stays_as_it_is(model, tmp_path, newline):
    text = SURVEY.replace("\n", newline)
    found = completed(model, tmp_path, text)
    changed = [(a, b) for a, b in zip(text.split("\n"), found.split("\n"), strict=True) if a != b]
    assert [before.split(",")[0] for before, _ in changed] == ["2", "3", "7", "10"]
    for row in csv.DictReader(io.StringIO(found)):
        assert row["smokes"] in ("yes", "no")
        assert row['wor "k"'] in ("full", "none", "half, or less")


def test_a_complete_file_comes_back_byte_for_byte(model, tmp_path):
    text = "".join(line for line in SURVEY.splitlines(keepends=True) if line.startswith(("id", "1,", "4", "5", "\n")))
    assert completed(model, tmp_path, text) == text


def test_a_level_that_is_unknown_is_not_missing(model, tmp_path):
    text = 'smokes,"wor ""k"""\nnever,full\nyes,\n'
    assert completed(model, tmp_path, text).splitlines()[1] == "never,full"


def test_several_draws_are_several_files(model, tmp_path):
    (tmp_path / "survey.csv").write_text(SURVEY)
    em("impute", model, "survey.csv", "--draws", 3, "--out", "done.csv", cwd=tmp_path)
    texts = {(tmp_path / f"done.{draw}.csv").read_text() for draw in (1, 2, 3)}
    assert len(texts) > 1
    em("impute", model, "survey.csv", "--draws", 3, "--out", "again.csv", cwd=tmp_path)
    assert {(tmp_path / f"again.{draw}.csv").read_text() for draw in (1, 2, 3)} == texts


def test_draws_are_written_all_or_none(model, tmp_path, monkeypatch):
    """A folder in the way of the last, a file there, or a failure on the way leave no draw behind."""
    (tmp_path / "survey.csv").write_text(SURVEY)
    draws = ("impute", model, "survey.csv", "--draws", 3, "--out", "done.csv")
    (tmp_path / "done.3.csv").mkdir()
    em(*draws, "--force", cwd=tmp_path, status=4)
    (tmp_path / "done.3.csv").rmdir()
    (tmp_path / "done.2.csv").write_text("mine")
    em(*draws, cwd=tmp_path, status=4)

    def full(path, content):
        if ".done.3" in str(path):
            raise OSError(errno.ENOSPC, "")
        return write_flushed(path, content)

    monkeypatch.setattr(folder, "write_flushed", full)
    assert "the disk is full" in em(*draws, "--force", cwd=tmp_path, status=4).err
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"survey.csv": SURVEY, "done.2.csv": "mine"}


@pytest.mark.parametrize(
    ("options", "words"),
    [(("--draws", 2), "several draws are several files"), (("--missing", "drop"), "--missing drop does not apply")],
)
def test_what_makes_no_sense_is_refused(model, tmp_path, options, words):
    ended = em("impute", model, "-", *options, cwd=tmp_path, stdin=SURVEY, status=2)
    assert words in ended.err
