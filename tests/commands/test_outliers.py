"""`em outliers`: the rows that a model finds unlikely, of its own data and of others."""

import csv
import io
import json
from unittest import mock

import numpy as np
import pytest
from program import SAMPLES, em

from em_cli.postestimation import rows_aside
from em_cli.sources import decoding

FAR = "3.0,20\n"  # minutes, that no eruption of the data comes near


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("outliers")
    lines = (SAMPLES / "faithful.csv").read_text().splitlines(keepends=True)
    text = "".join([*lines[:100], FAR, *lines[100:150], ",79\n", *lines[150:]])
    (folder / "geyser.csv").write_text(text.replace(",", ";"))
    em("fit", "geyser.csv", "--out", "geyser.em", "-k", 2, "--delimiter", ";", "--restarts", 3, "-q", cwd=folder)
    return folder


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_row_far_out_stands_first(folder):
    done = em("outliers", "geyser.em", cwd=folder)
    rows = table(done.out)
    assert [row["row"] for row in rows] == ["100"] and float(rows[0]["tail_probability"]) < 1e-4
    assert "1 of 274 rows" in done.err and "0.27 are to be expected" in done.err
    assert em("outliers", "geyser.em", "-q", cwd=folder).err == ""


def test_all_rows_are_listed_the_least_likely_first_and_the_same_for_the_same_seed(folder):
    rows = table(em("outliers", "geyser.em", "--all", cwd=folder).out)
    assert sorted(int(row["row"]) for row in rows) == list(range(1, 275))
    tails = [float(row["tail_probability"]) for row in rows]
    assert tails == sorted(tails) and max(tails) <= 1
    scored = table(em("score", "geyser.em", "geyser.csv", "--rows", "--delimiter", ";", cwd=folder).out)
    assert {row["row"]: row["log_density"] for row in rows} == {row["row"]: row["log_density"] for row in scored}
    again, other = (table(em("outliers", "geyser.em", "--all", "--seed", seed, cwd=folder).out) for seed in (0, 1))
    assert again == rows != other


def test_the_document_says_how_it_was_computed(folder):
    found = json.loads(em("outliers", "geyser.em", "--json", "--alpha", 0.01, cwd=folder).out)
    assert found["method"] == "sampling" and found["draws"] >= 100 / found["alpha"]
    assert found["n_outliers"] == len(found["rows"]) > 1 and found["rows"][0]["row"] == 100
    whole = json.loads(em("outliers", "geyser.em", "--json", "--all", cwd=folder).out)
    assert len(whole["rows"]) == whole["n_rows"] == 274


def test_new_rows_come_from_a_pipe_with_ids_and_gaps(folder):
    em("fit", "geyser.csv", "-k", 1, "--delimiter", ";", "--out", "one.em", "-q", cwd=folder)
    text = "eruptions,waiting,name\n3.5,70,a\n,,b\n3.5,,c\n9.0,,d\n"
    arguments = ("outliers", "one.em/params.json", "-", "--all", "--id", "name")
    refused = em(*arguments, cwd=folder, stdin=text, status=3)
    assert "with ';' between fields; --delimiter says what is between them here." in refused.err
    found = em(*arguments, "--delimiter", ",", cwd=folder, stdin=text)
    rows = table(found.out)
    assert rows[0]["name"] == "d" and float(rows[0]["tail_probability"]) < 1e-5
    assert rows[-1]["name"] == "b" and rows[-1]["tail_probability"] == "1.0" and "exact" in found.err


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("geyser.em/params.json",), 2, "does not say which data"),
        (("geyser.em", "--alpha", 0), 2, "--alpha must be from 1e-06 up and below 1, not 0"),
        (("counts.em",), 2, "given totals"),
        (("geyser.em", "--out", "geyser.csv"), 4, "exists"),
    ],
    ids=["no data", "alpha", "totals", "there"],
)
def test_what_cannot_be_told_is_refused(folder, arguments, status, words):
    if "counts.em" in arguments:
        (folder / "counts.csv").write_text("a,b,c\n" + "1,5,2\n3,1,1\n9,2,3\n4,4,1\n" * 5)
        em("fit", "counts.csv", "--out", "counts.em", "-k", 1, "--family", "multinomial", "-q", cwd=folder)
    done = em("outliers", *arguments, cwd=folder, status=status)
    assert done.out == "" and words in " ".join(done.err.split())


def test_a_header_alone_gives_a_header(folder):
    none = em("outliers", "geyser.em", "-", "--delimiter", ";", cwd=folder, stdin="eruptions;waiting\n")
    assert none.out == "row,tail_probability,log_density,component\n" and "0 of 0 rows" in none.err


@pytest.mark.parametrize("k", [1, 2])
def test_the_unlikely_are_those_of_all_rows_however_little_stays_in_memory(k, folder, monkeypatch):
    """From a pipe, in many pieces, with gaps and ids."""
    rng = np.random.default_rng(4)
    x = np.where(rng.random((3000, 1)) < 0.4, [2.0, 55], [4.3, 80]) + rng.standard_normal((3000, 2)) * [0.4, 7]
    cells = x.round(3).astype(str)
    cells[rng.random(cells.shape) < 0.1] = ""
    text = "name,eruptions,waiting\n" + "".join(f"n{n},{a},{b}\n" for n, (a, b) in enumerate(cells))
    em("fit", "geyser.csv", "-k", k, "--delimiter", ";", "--out", f"{k}.em", "-q", cwd=folder)
    read = ("outliers", f"{k}.em", "-", "--id", "name", "--delimiter", ",", "--alpha", 0.02)
    every = em(*read, "--all", cwd=folder, stdin=text)
    monkeypatch.setattr(rows_aside, "IN_MEMORY", 1)
    monkeypatch.setattr(decoding, "PIECE", 4096)
    found = em(*read, cwd=folder, stdin=text)
    assert table(found.out) == [row for row in table(every.out) if float(row["tail_probability"]) <= 0.02]
    assert len(table(found.out)) > 30 and found.err == every.err
    document = json.loads(em(*read, "--json", cwd=folder, stdin=text).out)
    assert [row["name"] for row in document["rows"]] == [row["name"] for row in table(found.out)]
    assert document["n_outliers"] == len(document["rows"]) and document["n_rows"] == 3000


def test_a_disk_without_room_is_an_error(folder, monkeypatch):
    full = mock.Mock(write=mock.Mock(side_effect=OSError(28, "No space left on device")))
    monkeypatch.setattr(rows_aside.tempfile, "SpooledTemporaryFile", lambda size: full)
    err = em("outliers", "geyser.em", cwd=folder, status=4).err
    assert "no room for what is known of the rows" in err and "TMPDIR" in err
