"""Same input, configuration and seed: the same bytes of every file but the manifest."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from program import SAMPLES
from program import em as em_here
from program import em_process as em

CASES = {
    "mixed": ("fit", "penguins.csv", ("-k", "2")),
    "missing": ("fit", "airquality.csv", ("-k", "2", "--effort", "low")),
    "counts": ("fit", "deaths.csv", ("-k", "2", "--family", "negative_binomial")),
    "labels": ("fit", "diabetes.csv", ("-k", "3", "--exclude", "patient", "--labels", "class")),
    "robust": ("fit", "faithful.csv", ("-k", "2", "--family", "student_t", "--effort", "low")),
    "noise": ("fit", "faithful.csv", ("-k", "2", "--noise", "--effort", "low")),
    "sweep": ("select", "iris.csv", ("--k-range", "1-3", "--covariance", "full,EEV", "--effort", "low")),
    "sampled": ("select", "many.csv", ("--k-range", "2-3", "--effort", "low")),
}

HASHED = ("mixed", "sweep")  # of which both runs are processes, each with its own seed of hashes


@pytest.mark.parametrize("case", CASES)
def test_the_same_bytes(tmp_path, case):
    """From a file or standard input, by one thread or two, wherever, and whatever the seed of hashes."""
    name, data, options = CASES[case]
    here, elsewhere = tmp_path / "here", tmp_path / "elsewhere"
    here.mkdir()
    elsewhere.mkdir()
    if data == "many.csv":
        rng = np.random.default_rng(0)
        x = rng.normal(size=(21_000, 2)) + 4 * rng.integers(0, 2, size=(21_000, 1))
        pd.DataFrame(x.round(6), columns=["a", "b"]).to_csv(here / data, index=False)
    else:
        shutil.copy(SAMPLES / data, here)
    by = em if case in HASHED else em_here
    by(name, data, *options, "-q", "--threads", "1", "--out", "run", cwd=here, env={"PYTHONHASHSEED": "1"})
    em(name, "-", *options, "-q", "--threads", "2", "--out", "run", cwd=elsewhere, env={"PYTHONHASHSEED": "2"},
       stdin=(here / data).read_bytes())  # fmt: skip
    first, second = contents(here / "run"), contents(elsewhere / "run")
    assert list(first) == list(second)
    for file in first:
        assert first[file] == second[file], file


def contents(folder: Path) -> dict[str, bytes]:
    """What is in the files of a run; but for the manifest, and for what the configuration calls the data."""
    found = {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.name != "manifest.json"}
    for name in ("penguins", "airquality", "deaths", "diabetes", "faithful", "iris", "many"):
        found["run.yaml"] = found["run.yaml"].replace(f"path: [{name}.csv]".encode(), b"path: ['-']")
    return found


def test_on_another_kind_of_processor_it_is_the_same_optimum(tmp_path):
    """Here one without the instructions of the last fifteen years, as far as linear algebra goes."""
    command = ("fit", SAMPLES / "faithful.csv", "-k", "2", "--effort", "low", "--json", "-q")
    here, there = (
        json.loads(em(*command, cwd=tmp_path, env=env).out) for env in ({}, {"OPENBLAS_CORETYPE": "Prescott"})
    )
    assert abs(here["log_likelihood"] - there["log_likelihood"]) < 1e-5
