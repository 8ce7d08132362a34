"""`em outliers`: the rows that a model finds unlikely, of its own data and of others."""

import csv
import io
import json

import pytest
from program import SAMPLES, em

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
