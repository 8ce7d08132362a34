"""Where the rows lie, and who adds them up, changes no byte of any result."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from program import em, em_process

from em_cli.runs import fitted_rows
from em_cli.search import survey
from em_cli.sources import kept_rows, store

N = 20_000
FIT = ("fit", "t.csv", "-k", 2, "--id", "name", "--weights", "w", "--labels", "known", "--restarts", 1, "--max-iter", 3,
       "--se", "none", "-q")  # fmt: skip
ALIKE = ("params.json", "responsibilities.csv", "trace.csv", "restarts.csv", "run.yaml")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a file of every kind of column, and its fit in memory."""
    rng, folder = np.random.default_rng(5), tmp_path_factory.mktemp("large")
    x = np.round(rng.normal(size=(N, 2)) + 3 * rng.integers(0, 2, (N, 1)), 3).astype(str)
    x[rng.random(x.shape) < 0.03] = ""
    word, known = rng.choice(["red", '"gr,een"', ""], N), rng.choice(["A", "", "", ""], N)
    weight = rng.choice(["1", "2", "0"], N, p=[0.7, 0.2, 0.1])
    lines = [f'"r,{row}",{x[row, 0]},{x[row, 1]},{word[row]},{weight[row]},{known[row]}' for row in range(N)]
    (folder / "t.csv").write_text("name,a,b,word,w,known\n" + "\n".join(lines) + "\n")
    em(*FIT, "--out", "here", cwd=folder)
    return folder


@pytest.mark.parametrize("env", [{}, {"EM_READ_ROWS": "1"}], ids=["mapped", "read"])
def test_rows_on_the_disk_give_the_same_bytes(place, env):
    rows = place / f"rows{len(env)}"
    rows.mkdir()
    err = em(*FIT, "--memory", 0, "--cache", rows.name, "--out", "there", "--force", cwd=place, env=env).err
    assert err == ""
    for name in ALIKE:
        assert (place / "there" / name).read_bytes() == (place / "here" / name).read_bytes(), name
    assert {file.suffix for file in rows.iterdir()} == {".rows", ".data"}, "they are kept"
    assert sum(file.stat().st_size for file in rows.glob("*.rows")) < 8 * N * (5 + 1 + 3), "columns, numbers, names"


@pytest.mark.parametrize(("kind", "k"), [("nonparametric", 2), ("parametric", 1)])
def test_rows_on_the_disk_are_resampled_alike(place, kind, k):
    em("fit", "t.csv", "-k", k, "--columns", "a,b", "--weights", "w", "--weight-type", "sampling", "--restarts", 1,
       "--se", "none", "-q", "--out", kind, cwd=place)  # fmt: skip
    for out, memory in (("rows", "1GB"), ("disk", "0")):
        em("bootstrap", kind, "-B", 20, "--kind", kind, "--memory", memory, "-q", "-o", out, "--force", cwd=place)
    for name in ("intervals.csv", "bootstrap.csv", "bootstrap.json"):
        assert (place / "rows" / name).read_bytes() == (place / "disk" / name).read_bytes(), name
    assert not list(place.glob(".em-*"))


def test_a_slow_disk_is_said_and_stands_in_no_file(few, monkeypatch):
    monkeypatch.setattr(store.Store, "slow", lambda _: "the rows are read at about 4 MB/s")
    err = em(*FEW, "--memory", 0, "--out", "slow.em", cwd=few).err
    assert "the rows are read at about 4 MB/s" in err
    assert (few / "slow.em/params.json").read_bytes() == (few / "all.em/params.json").read_bytes()


def test_what_is_wrong_with_the_place_of_rows_is_said(place):
    err = em(*FIT, "--memory", "much", "--out", "x", cwd=place, status=2).err
    assert "'much' is no amount of memory: write 2GB, 500MB, 1.5GiB" in err
    err = em(*FIT, "--cache", "nowhere", "--out", "x", cwd=place, status=4).err
    assert "--cache nowhere is no folder: make it, or name another" in err
    err = em("fit", "t.csv", "-k", 2, "--columns", "a,b", "--group", "word", "--memory", "1kB", "--out", "x", cwd=place,
             status=3).err  # fmt: skip
    assert "rows that belong together, in sequences or groups, are held in memory" in err
    assert not (place / "x").exists()


FEW = ("fit", "few.csv", "-k", 2, "--id", "name", "--missing", "drop", "--restarts", 1, "--max-iter", 3, "--se", "none")


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """A folder with few rows, some of which are left out, and all their responsibilities."""
    folder = tmp_path_factory.mktemp("few")
    lines = [f"r{row},{row % 7 + 9 * (row % 2)}.5,{'' if row % 9 == 8 else row % 5}.25" for row in range(81)]
    (folder / "few.csv").write_text("name,a,b\n" + "\n".join(lines).replace(",.25", ",") + "\n")
    em(*FEW, "-q", "--out", "all.em", cwd=folder)
    return folder


def test_responsibilities_as_other_files(few):
    wanted = pd.read_csv(few / "all.em/responsibilities.csv")
    assert wanted["p1"].isna().sum() == 9
    for form, read in (("feather", pd.read_feather), ("parquet", pd.read_parquet)):
        em(*FEW, "-q", "--responsibilities-format", form, "--out", f"{form}.em", cwd=few)
        found = read(few / f"{form}.em" / f"responsibilities.{form}")
        pd.testing.assert_frame_equal(found.astype(wanted.dtypes), wanted, check_exact=True)
        assert not (few / f"{form}.em/responsibilities.csv").exists()
    em(*FEW, "-q", "--responsibilities", "r.feather", "--out", "named.em", cwd=few)
    assert (few / "r.feather").read_bytes() == (few / "feather.em/responsibilities.feather").read_bytes()


def test_the_likeliest_component_alone_where_rows_are_many(few, monkeypatch):
    wanted = pd.read_csv(few / "all.em/responsibilities.csv")
    em(*FEW, "--responsibilities", "top", "--out", "top.em", cwd=few)
    found = pd.read_csv(few / "top.em/responsibilities.csv")
    assert list(found) == ["name", "component", "p", "log_density", "uncertainty"]
    assert found["p"].equals(wanted[["p1", "p2"]].max(axis=1))
    assert found.drop(columns="p").equals(wanted.drop(columns=["p1", "p2"]))
    monkeypatch.setattr(fitted_rows, "MANY_ROWS", 80)
    err = em(*FEW, "--out", "many.em", cwd=few).err
    assert "81 rows: responsibilities.csv has the likeliest component of each, and its probability" in err
    assert (few / "many.em/responsibilities.csv").read_bytes() == (few / "top.em/responsibilities.csv").read_bytes()
    err = em(*FEW, "--responsibilities", "all", "--out", "every.em", cwd=few).err
    assert "likeliest" not in err
    assert (few / "every.em/responsibilities.csv").read_bytes() == (few / "all.em/responsibilities.csv").read_bytes()
    em(*FEW, "-q", "--responsibilities", "none", "--out", "none.em", cwd=few)
    assert not list((few / "none.em").glob("responsibilities*"))


def test_the_fit_of_the_sample_is_there_before(few, monkeypatch):
    """Marked, and a model like others; what comes of the run does not differ by a byte."""
    monkeypatch.setattr(survey, "SAMPLE_ROWS", 40)
    em(*FEW, "-q", "--out", "late.em", cwd=few)
    err = em(*FEW, "--early", "early.json", "--out", "soon.em", cwd=few).err
    said = "fitted to a sample of 40 of 72 rows, while the run goes on with all of them"
    assert f"early.json is {said}." in err
    early, late = (json.loads((few / name).read_text()) for name in ("early.json", "late.em/params.json"))
    assert [one["message"] for one in early["warnings"] if one["code"] == "early"] == [said]
    assert (early["n_samples"], late["n_samples"]) == (40, 72) and early["log_likelihood"] > late["log_likelihood"]
    assert em("predict", "early.json", "few.csv", cwd=few).out.count("\n") == 82
    for name in ALIKE[:-1]:
        assert (few / "soon.em" / name).read_bytes() == (few / "late.em" / name).read_bytes(), name


def test_where_there_is_no_sample_it_is_said(few):
    err = em(*FEW, "--early", "none.json", "--out", "every.em", "--force", cwd=few).err
    assert "--early: the search looks at all 72 rows; none.json is not written." in err
    assert not (few / "none.json").exists()
    err = em(*FEW, "--early", "-", "--out", "x", cwd=few, status=2).err
    assert "--early needs the name of a file" in err
    err = em("select", "few.csv", "--k-range", "1-2", "--early", "e.json", "--out", "x", cwd=few, status=2).err
    assert "--early writes the fit of one model: em fit has it." in err
    err = em("fit", "few.csv", "-k", 2, "--latent", "markov", "--early", "e.json", "--out", "x", cwd=few, status=2).err
    assert "here rows belong together" in err


def test_what_makes_no_sense_of_responsibilities_is_said(few):
    err = em(*FEW, "--responsibilities", "top", "--no-responsibilities", "--out", "x", cwd=few, status=2).err
    assert "--responsibilities top and --no-responsibilities contradict each other" in err
    err = em(*FEW, "--responsibilities-format", "xlsx", "--out", "x", cwd=few, status=2).err
    assert "--responsibilities-format: unknown value 'xlsx' (known: csv, feather, parquet)" in err


def test_another_process_has_rows_by_the_same_name(tmp_path):
    (tmp_path / "cells.csv").write_text("a,b\n" + "".join(f"{r % 7},{r % 31}.5\n" for r in range(300)))
    (tmp_path / "kept").mkdir()
    for name in ("one", "two"):
        run = ("fit", "cells.csv", "-k", 1, "--se", "none", "-q", "--memory", 0, "--cache", "kept", "--out", name)
        em_process(*run, cwd=tmp_path)
    assert len(list((tmp_path / "kept").iterdir())) == 2, "the rows, and what is known of them"


def test_rows_that_are_kept_are_not_read_again(few, monkeypatch):
    """The next command has them from the file, whatever it fits to them; data that have changed it reads."""
    kept, run = few / "kept", (*FEW, "-q", "--memory", 0, "--cache", "kept", "--force", "--out")
    kept.mkdir()
    em(*run, "first", cwd=few)
    before = {file.name: file.read_bytes() for file in kept.iterdir()}
    with monkeypatch.context() as blind:
        blind.setattr(kept_rows, "read", None)
        em(*run, "second", cwd=few)
        em("select", *FEW[1:2], "--id", "name", "--missing", "drop", "--k-range", "1-2", *run[8:], "sweep", cwd=few)
    assert {file.name: file.read_bytes() for file in kept.iterdir()} == before
    assert {Path(name).suffix for name in before} == {".rows", ".data"}
    for name in ALIKE[:-1]:
        assert (few / "second" / name).read_bytes() == (few / "all.em" / name).read_bytes(), name
    with monkeypatch.context() as later:
        later.setattr(kept_rows, "BESIDE", (*kept_rows.BESIDE, survey))
        em(*run, "later", cwd=few)
    assert len(list(kept.iterdir())) == 4, "what other code has kept is not taken"
    for file in kept.iterdir():
        if file.name not in before:
            file.unlink()
    for file in kept.glob("*.data"):
        file.write_bytes(b"cut short")
    em(*run, "third", cwd=few)
    assert {file.name for file in kept.iterdir()} == set(before)
    text = (few / "few.csv").read_text()
    (few / "few.csv").write_text(text + "last,1.0,2.0\n")
    em(*run, "changed", cwd=few)
    (few / "few.csv").write_text(text)
    assert json.loads((few / "changed/params.json").read_text())["n_rows_read"] == 82
    assert len(list(kept.iterdir())) == 4


def test_a_disk_without_room_is_told_before(place, monkeypatch):
    """After the first piece, by what all of them will take; nothing is left there."""
    (place / "full").mkdir()
    room = shutil.disk_usage(place)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: room._replace(free=store.SPARE + 3 * 2**15))
    err = em(*FIT, "--memory", 0, "--cache", "full", "--out", "x", cwd=place, status=4).err
    assert "beside memory, and full has 96 KiB left. Make room there, name another folder" in err
    assert not any((place / "full").iterdir()) and not (place / "x").exists()
