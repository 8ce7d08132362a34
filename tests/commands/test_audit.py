"""Runs that account for themselves: what the manifest says, and runs made again to compare."""

import hashlib
import json
import shutil

import program
import pytest
from program import SAMPLES

UNSET = {"EM_OTHER_FAMILIES": ""}  # a run is verified as its configuration says, and no variable may say otherwise


def em(*arguments, env=None, **more):
    return program.em(*arguments, env=UNSET | (env or {}), **more)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A run with missing cells, a column left out and weights, and a sweep."""
    place = tmp_path_factory.mktemp("made")
    shutil.copy(SAMPLES / "airquality.csv", place)
    shutil.copy(SAMPLES / "six.csv", place)
    options = ("-k", "2", "--columns", "ozone,wind,temp", "--weights", "month", "-q", "--out", "run.em")
    em("fit", "airquality.csv", *options, cwd=place, env={"EM_SEED": "3"})
    em("select", "six.csv", "--k-range", "1-2", "-q", "--out", "sweep.em", cwd=place)
    return place


@pytest.fixture
def runs(made, tmp_path):
    return shutil.copytree(made, tmp_path / "runs")


def test_the_manifest_says_what_an_auditor_asks(runs):
    manifest = json.loads((runs / "run.em/manifest.json").read_text())
    params = json.loads((runs / "run.em/params.json").read_text())
    for name in ("host", "platform", "python", "libraries", "blas", "finished", "working_directory", "warnings"):
        assert manifest[name], name
    assert manifest["arguments"][:2] == ["fit", "airquality.csv"] and manifest["environment"] == UNSET | {
        "EM_SEED": "3"
    }
    assert manifest["config"]["seed"] == manifest["search"]["seed"] == 3
    data = manifest["data"]
    assert data["columns_left_out"] == ["solar_r", "day"] and data["weights"] == "month"
    assert data["layout"]["delimiter"] == "," and data["layout"]["columns"][0] == "ozone"
    assert [column["name"] for column in data["columns"]] == ["ozone", "wind", "temp"]
    assert data["rows"] == {"read": 153, "fitted": 153, "scored_only": 0, "left_out": 0}
    assert data["n_missing"] == params["n_missing"] == {"ozone": 37}
    stopping = manifest["stopping"]
    assert stopping["stop_reason"] == "converged" and stopping["iterations"] == params["n_iter"]
    assert 0 <= sum(stopping["last_gains"]) < stopping["tol"] and stopping["rule"]
    assert sum(manifest["search"]["starts"].values()) == params["search"]["starts"]
    for name, about in manifest["outputs"].items():
        content = (runs / "run.em" / name).read_bytes()
        assert about == {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    assert {file.name for file in (runs / "run.em").iterdir()} == {*manifest["outputs"], "manifest.json"}


def test_the_prior_that_holds_components_up_is_told(runs):
    em("fit", SAMPLES / "galaxies.csv", "-k", "8", "-q", "--out", "few.em", "--restarts", "5", cwd=runs)
    told = json.loads((runs / "few.em/manifest.json").read_text())["regularisation"]
    params = json.loads((runs / "few.em/params.json").read_text())
    assert told["prior"] == params["prior"] == "weak" and told["log_prior"] == params["log_prior"] > 0
    assert told["active"] == [one for one in params["components"] if one["degenerate"]] == []
    assert "weak prior" in em("show", "few.em", "--audit", cwd=runs).out


def test_show_audit_reads_it_back(runs):
    page = em("show", "run.em", "--audit", cwd=runs).out
    for words in ("airquality.csv (as it was)", "37 missing cells", "converged", "seed 3", "EM_SEED=3", "left out"):
        assert words in page, words
    with (runs / "airquality.csv").open("a") as file:
        file.write("1,2,3,4,5,6\n")
    assert "airquality.csv (changed since)" in em("show", "run.em", "--audit", cwd=runs).out
    with (runs / "run.em/responsibilities.csv").open("a") as file:
        file.write("\n")
    changed = em("show", "run.em", "--audit", cwd=runs, status=3)
    assert "responsibilities.csv is changed since" in changed.err and "params.json           as it was" in changed.out
    (runs / "run.em/trace.csv").unlink()
    assert "trace.csv is gone" in em("show", "run.em", "--audit", cwd=runs, status=3).err


@pytest.mark.parametrize("text", ["{}", "[]", "{", '{"config": {}, "outputs": {"a": 1}}', "", "\x00"])
def test_a_manifest_that_is_none(runs, text):
    (runs / "run.em/manifest.json").write_text(text)
    assert "manifest" in em("show", "run.em", "--audit", cwd=runs, status=3).err


def test_runs_are_verified(runs):
    told = json.loads(em("fit", "--verify", "run.em", "-q", "--threads", "1", cwd=runs).out)
    assert told["verified"] and set(told["files"].values()) == {"the same"} and "params.json" in told["files"]
    shown = em("select", "--verify", "sweep.em", "-q", "--format", "human", cwd=runs)
    assert shown.out == ""  # -q wants nothing
    assert "selection.csv" in em("select", "--verify", "sweep.em", "--format", "human", cwd=runs).out
    (runs / "elsewhere").mkdir()
    (runs / "airquality.csv").rename(runs / "elsewhere/air.csv")
    assert "gone" in em("fit", "--verify", "run.em", cwd=runs, status=3).err
    assert json.loads(em("fit", "--verify", "run.em", "elsewhere/air.csv", cwd=runs).out)["verified"]


def test_what_is_not_verified(runs):
    params = runs / "sweep.em/params.json"
    params.write_text(params.read_text().replace('"random_state": 0', '"random_state": 1'))
    differing = em("select", "--verify", "sweep.em", cwd=runs, status=3)
    assert not json.loads(differing.out)["verified"] and "params.json differs from line" in differing.err
    assert "em select --verify" in em("fit", "--verify", "sweep.em", cwd=runs, status=2).err
    assert "--seed does not apply" in em("select", "--verify", "sweep.em", "--seed", "1", cwd=runs, status=2).err
    assert "not the data" in em("select", "--verify", "sweep.em", "airquality.csv", cwd=runs, status=3).err
    assert "no manifest.json" in em("fit", "--verify", "nowhere", cwd=runs, status=3).err
