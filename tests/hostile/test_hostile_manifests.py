"""Manifests and tables of a run that somebody has edited: the file and the field are named."""

import json
import re

import pytest
from program import SAMPLES
from refusal import em_here

EDITS = {
    "seconds": {"reading": "x"},
    "inputs": [{"name": 1, "sha256": "x"}],
    "libraries": "numpy",
    "warnings": [1],
    "config": [],
    "outputs": {"params.json": 5},
    "arguments": "fit",
    "blas": None,
}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("edited") / "run.em"
    assert em_here(f"fit {SAMPLES / 'faithful.csv'} -k 2 -q --effort low --out {folder}").status == 0
    return folder


@pytest.mark.parametrize("command", ["report", "plot", "show --audit", "fit --verify"])
@pytest.mark.parametrize("field", EDITS)
def test_a_manifest_that_was_edited_is_named_with_its_field(run, field, command):
    whole = (run / "manifest.json").read_text()
    (run / "manifest.json").write_text(json.dumps(json.loads(whole) | {field: EDITS[field]}))
    told = em_here(f"{command} {run}")
    (run / "manifest.json").write_text(whole)
    assert told.status == 3 and "manifest.json" in told.err and f"'{field}" in told.err, told.err


@pytest.mark.parametrize("command", ["outliers {}", "plot {} --kind sizes --force"])
def test_no_edit_of_how_the_data_were_read_is_a_fault_of_the_program(run, command):
    """Every key in turn holds what no run writes there."""
    whole = (run / "manifest.json").read_text()
    for key in json.loads(whole)["config"]["data"]:
        edited = json.loads(whole)
        edited["config"]["data"][key] = {"a": ["x"]}
        (run / "manifest.json").write_text(json.dumps(edited))
        told = em_here(command.format(run))
        assert told.status == 3 and f"config.data.{key}" in told.err, told.err
    (run / "manifest.json").write_text(whole)


@pytest.mark.parametrize("text", ["[]", "5", "{", "", '{"seconds": '])
def test_a_manifest_that_is_none(run, text):
    whole = (run / "manifest.json").read_text()
    (run / "manifest.json").write_text(text)
    told = em_here(f"report {run}")
    (run / "manifest.json").write_text(whole)
    assert told.status == 3 and "manifest.json" in told.err, told.err


@pytest.mark.parametrize("table", ["trace", "restarts"])
@pytest.mark.parametrize(
    ("pattern", "instead", "words"),
    [
        (r"^candidate", "number", "has no column 'candidate'"),
        ("log_likelihood", "height", "has no column 'log_likelihood'"),
        (r"\n\d+,", "\nfirst,", "row 1, column 'candidate' holds 'first'"),
        (r"\n\d+,", "\n,", "row 1, column 'candidate' is empty"),
        (r"(?<=\d),", ";", "was it edited?"),
    ],
)
def test_a_table_that_was_edited_is_named_with_its_place(run, table, pattern, instead, words):
    file = run / f"{table}.csv"
    whole = file.read_text()
    file.write_text(re.sub(pattern, instead, whole, count=0 if instead == ";" else 1))
    told = em_here(f"report {run}")
    file.write_text(whole)
    assert told.status == 3 and f"{table}.csv" in told.err and words.lower() in told.err.lower(), told.err
