"""A model remembers how its data were read: new rows are read alike, unless something else is said."""

import json

import numpy as np
import pytest
from program import em

from em_cli.runs.read_back import read_run

RNG = np.random.default_rng(12)
ROWS = np.stack([1000 + 900 * np.repeat([0, 3], 30) + RNG.normal(0, 90, 60), RNG.normal(5, 1, 60)], axis=1)


@pytest.fixture
def model(tmp_path):
    """A run on a German file with a mark of its own for missing cells, lines above the header, and comments."""
    lines = ["Auszug", "key;price;size # both", *(f"k{i};{a:,.2f};{b:.3f}" for i, (a, b) in enumerate(ROWS))]
    text = "\n".join(lines).translate(str.maketrans(",.", ".,")).replace("\nk7;", "\nk7;?;1,25\nk7b;")
    (tmp_path / "d.csv").write_text(text + "\n")
    options = ("--decimal", ",", "--thousands", ".", "--na", "?", "--skip", 1, "--comment", "#", "--id", "key")
    em("fit", "d.csv", "--out", "d.em", "-k", 2, *options, "--restarts", 2, cwd=tmp_path)
    return tmp_path


def test_its_own_file_needs_no_option(model):
    labelled = em("predict", "d.em", "d.csv", cwd=model)
    assert labelled.out.splitlines()[0].startswith("key,component,")
    wanted = (model / "d.em" / "responsibilities.csv").read_text().splitlines()
    assert [line.split(",")[:2] for line in labelled.out.splitlines()] == [line.split(",")[:2] for line in wanted]
    assert labelled.err.startswith("em: read as the data of the model were: --decimal , --thousands . ")
    assert labelled.err.count("\n") == 1
    scored = json.loads(em("score", "d.em", "d.csv", cwd=model).out)
    assert scored["log_likelihood"] == pytest.approx(
        json.loads((model / "d.em/params.json").read_text())["log_likelihood"]
    )
    assert em("score", "d.em", "d.csv", "--rows", cwd=model).out.startswith("key,log_density\nk0,")
    completed = em("impute", "d.em", "d.csv", cwd=model).out
    assert "?" not in completed and ";1,25\n" in completed and completed.splitlines()[0] == "Auszug"


def test_what_was_found_of_the_data_is_remembered(tmp_path):
    """Nobody says that commas stand before decimals, that points part thousands, and that prices are in euros."""
    lines = [
        "key;price;size;code",
        *(f"k{i};{a:,.2f} €;{b:.3f};{'NA' if i % 3 else 'no'}" for i, (a, b) in enumerate(ROWS)),
    ]
    (tmp_path / "d.csv").write_text("\n".join(lines).translate(str.maketrans(",.", ".,")) + "\n")
    em("fit", "d.csv", "-k", 2, "--restarts", 2, "--na-level", "NA", "--labelled", "l.csv", "-q", cwd=tmp_path)
    assert em("predict", "d-k2.em", "d.csv", "--append", cwd=tmp_path).out == (tmp_path / "l.csv").read_text()
    completed = em("impute", "d-k2.em", "d.csv", cwd=tmp_path).out  # which nothing is lacking in
    assert completed == (tmp_path / "d.csv").read_text()
    own, named = (em("outliers", "d-k2.em", *data, "--alpha", 0.2, cwd=tmp_path) for data in ((), ("d.csv",)))
    assert own.out == named.out and own.out.count("\n") > 3
    rows = read_run(str(tmp_path / "d-k2.em"), [str(tmp_path / "d.csv")]).rows
    document = json.loads((tmp_path / "d-k2.em/params.json").read_text())
    assert rows is not None and rows.log_density.sum() == pytest.approx(document["log_likelihood"])


def test_a_file_without_a_header_needs_no_option(tmp_path):
    rng = np.random.default_rng(2)
    rows = [
        f"{a:.1f},{b:.1f},{kind}" for a, b, kind in zip(*rng.normal([[5], [3]], 1, (2, 60)), "ab" * 30, strict=True)
    ]
    (tmp_path / "d.csv").write_text("\n".join(rows) + "\n")
    fitted = em("fit", "d.csv", "-k", "2", "--effort", "low", cwd=tmp_path)
    assert json.loads(fitted.out)["n_rows_read"] == 60
    labels = em("predict", "d-k2.em", "d.csv", "--append", cwd=tmp_path)
    assert "--no-header" in labels.err
    assert [line.rsplit(",", 2)[0] for line in labels.out.splitlines()] == rows
    (tmp_path / "new.csv").write_text("\n".join(["len,wid,kind", *rows]) + "\n")
    assert (
        "If line 1 names the columns, pass --skip 1." in em("predict", "d-k2.em", "new.csv", cwd=tmp_path, status=3).err
    )
    again = em("predict", "d-k2.em", "new.csv", "--skip", "1", cwd=tmp_path)
    assert again.out == em("predict", "d-k2.em", "d.csv", cwd=tmp_path).out


@pytest.mark.parametrize(("unit", "worn"), [(" kg", "len: 'kg'"), ("", "")])
def test_units_that_the_data_of_the_model_did_not_have_are_said(tmp_path, unit, worn):
    (tmp_path / "d.csv").write_text("len,wid\n" + "".join(f"{a},{b}\n" for a, b in ROWS.round(2).tolist()))
    (tmp_path / "new.csv").write_text("len,wid\n" + "".join(f"{a}{unit},{b}\n" for a, b in ROWS[:9].round(2).tolist()))
    em("fit", "d.csv", "-k", "2", "--effort", "low", "--out", "run", cwd=tmp_path)
    for command in ("predict", "score", "impute"):
        err = em(command, "run", "new.csv", cwd=tmp_path).err
        assert ("wear a unit" in err) == bool(worn) and worn in err


def test_what_is_said_goes_before_what_is_remembered(model):
    (model / "new.csv").write_text("price,size\n1000.5,5\n3700.25,NA\n")
    own = ("--decimal", ".", "--thousands", "'", "--skip", 0)
    outcome = em("predict", "d.em", "new.csv", *own, cwd=model)
    assert [line.split(",")[0] for line in outcome.out.splitlines()] == ["row", "1", "2"]
    assert outcome.err == "em: read as the data of the model were: --comment '#' --na '?'\n"
    em("predict", "d.em", "new.csv", *own, "--id", "key", cwd=model, status=3)  # asked for, and not there


def test_a_model_without_anything_to_remember_says_nothing(model):
    (model / "plain.csv").write_text("a\n" + "\n".join(map(str, ROWS[:, 0])) + "\n")
    em("fit", "plain.csv", "-k", 1, "--out", "plain.em", cwd=model)
    assert "reading" not in json.loads((model / "plain.em" / "params.json").read_text())
    assert em("predict", "plain.em", "plain.csv", cwd=model).err == ""


@pytest.mark.parametrize("reading", [{"decimal": 7}, {"path": "x"}, {"na": {}}, ["decimal"]])
def test_a_memory_that_cannot_be_is_refused(model, reading):
    document = json.loads((model / "d.em" / "params.json").read_text())
    (model / "edited.json").write_text(json.dumps(document | {"reading": reading}))
    assert em("predict", "edited.json", "d.csv", cwd=model, status=3).err.startswith("em: error: ")
