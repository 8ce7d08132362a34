"""`--files COL`: rows of several files, told apart by a column of the names of these."""

import csv

import numpy as np
import pytest
from program import em

QUICK = ("-q", "--restarts", 1, "--se", "none")


@pytest.fixture(scope="module")
def desk(tmp_path_factory):
    folder = tmp_path_factory.mktemp("stacked")
    rng = np.random.default_rng(3)
    for name, n, at in (("a.csv", 30, 0.3), ("b.tsv", 40, 0.7)):
        high = rng.random(n) < at
        rows = [f"{row}\t{x:.3f}" for row, x in enumerate(rng.normal(6 * high, 1))]
        text = "\n".join(["n\tx", *rows, ""])
        (folder / name).write_text(text.replace("\t", ",") if name == "a.csv" else text)
    return folder


def table(text):
    return list(csv.DictReader(text.splitlines()))


def test_rows_are_named_by_their_files(desk):
    em("fit", "a.csv", "b.tsv", "-k", 2, "--columns", "x", "--files", "source", *QUICK, "--out", "plain", cwd=desk)
    rows = table((desk / "plain" / "responsibilities.csv").read_text())
    assert [row["source"] for row in rows] == ["a.csv"] * 30 + ["b.tsv"] * 40
    scored = em("predict", "plain", "b.tsv", cwd=desk)
    assert "--files source" in scored.err and table(scored.out) == rows[30:]
    numbered = table(em("predict", "plain", "b.tsv", "--id", "n", cwd=desk).out)
    assert [row["n"] for row in numbered] == list(map(str, range(40)))


@pytest.mark.parametrize(
    "options, key",
    [
        (["--columns", "x", "--latent", "markov", "--sequence", "source"], "row"),
        (["--columns", "x", "--group", "source"], "row"),
        (["--columns", "x", "--concomitant", "source"], "row"),
        (["--columns", "x,source"], "row"),
        (["--columns", "x", "--id", "n"], "n"),
    ],
)
def test_the_column_may_be_anything_that_a_column_is(desk, options, key):
    em("fit", "a.csv", "b.tsv", "-k", 2, "--files", "source", *options, *QUICK, "--out", "m", "--force", cwd=desk)
    rows = table((desk / "m" / "responsibilities.csv").read_text())
    assert next(iter(rows[0])) == key and len(rows) == 70
    assert table(em("predict", "m", "a.csv", "b.tsv", cwd=desk).out) == rows


def test_there_is_no_such_column_already(desk):
    told = em("fit", "a.csv", "-k", 2, "--files", "x", cwd=desk, status=3).err
    assert "a.csv has a column 'x' of its own" in told


def test_files_may_be_documents(tmp_path):
    for name, text in (("one.csv", "rope tent\nmap rope"), ("two.csv", "flour sugar\nsugar butter flour")):
        (tmp_path / name).write_text(f"body\n{text}\n")
    said = ("fit", "one.csv", "two.csv", "-k", 2, "--latent", "topics", "--text", "body", "--files", "file")
    assert "--document of the same column" in em(*said, cwd=tmp_path, status=2).err
    em(*said, "--document", "file", "--restarts", 1, "-q", "--out", "t", cwd=tmp_path)
    rows = table((tmp_path / "t" / "documents.csv").read_text())
    assert [(row["file"], row["tokens"]) for row in rows] == [("one.csv", "4"), ("two.csv", "5")]
