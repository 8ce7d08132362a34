"""What runs write is what `em config schema` says, over every family and latent structure."""

import json

import jsonschema
import numpy as np
import pytest
import written
from cases import CASE_MAKERS
from program import SAMPLES, em

from em_cli.families import FAMILIES
from em_cli.latents import LATENTS
from em_cli.outputs.schemas import DOCUMENTS

QUICK = ("--restarts", "1", "--max-iter", "5", "-q", "--out", "run.em")
SAID = {"regression": ("--response", "c0", "--on", "c1,c2")}  # families of columns that have roles
MORE = {"binomial": ("--set", "family.trials=12")} | SAID
TYPES = {"levels": "categorical", "binary": "binary", "count": "count", "trials": "count"}  # by the kind of a column
NEEDS = {
    "grouped": ("--group", "x"),
    "concomitant": ("--response", "x", "--on", "y", "--concomitant", "y"),
}  # of latent structures: what they have to be told
MIXED = ("product",)  # of families: what `auto` makes of several types


def objects(schema):
    if isinstance(schema, dict):
        yield from [schema] if "properties" in schema else []
        for value in schema.values():
            yield from objects(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from objects(value)


@pytest.mark.parametrize("document", DOCUMENTS)
def test_every_field_is_explained(document, tmp_path):
    schema = json.loads(em("config", "schema", "--of", document, cwd=tmp_path).out)
    jsonschema.Draft202012Validator.check_schema(schema)
    found = list(objects(schema))
    assert found and all(field.get("description") for one in found for field in one["properties"].values())


def test_a_document_that_there_is_not(tmp_path):
    assert "Did you mean 'params'?" in em("config", "schema", "--of", "parms", cwd=tmp_path, status=2).err
    same = em("config", "schema", "--of", "config", cwd=tmp_path).out
    assert same == em("config", "schema", cwd=tmp_path).out


@pytest.mark.parametrize("family", FAMILIES)
def test_a_model_of_every_family(family, tmp_path):
    case = CASE_MAKERS[family]()[0]
    x, _ = case.rows(3, 60, k=2)
    names = [f"c{place}" for place in range(len(x))]
    np.savetxt(tmp_path / "d.csv", x.T, delimiter=",", header=",".join(names), comments="", fmt="%.10g")
    said = () if family in SAID else zip(names, case.kinds, strict=True)
    types = [word for name, kind in said for word in _type(name, kind, family)]
    chosen = () if family in MIXED else ("--family", family)
    em("fit", "d.csv", "-k", "2", *chosen, *types, *MORE.get(family, ()), *QUICK, cwd=tmp_path)
    assert json.loads((tmp_path / "run.em/params.json").read_text())["family"] == family
    written.check_run(tmp_path / "run.em")


def _type(name, kind, family):
    known = next((type for ending, type in TYPES.items() if kind.endswith(ending)), FAMILIES.load(family).describes)
    return () if known == "mixed" else ("--type", f"{name}={known}")


@pytest.mark.parametrize("latent", [name for name in LATENTS if name not in ("topics", "pairs")])
def test_a_sweep_of_every_latent_structure(latent, tmp_path):
    np.savetxt(
        tmp_path / "d.csv", np.random.default_rng(1).normal(size=(60, 2)), delimiter=",", header="x,y", comments=""
    )
    told = ("--events", "events.jsonl", "--json", *NEEDS.get(latent, ()))
    done = em("select", "d.csv", "-k", "1-2", "--latent", latent, *told, *QUICK, cwd=tmp_path)
    written.check_run(tmp_path / "run.em")
    written.check_events(tmp_path / "events.jsonl")
    written.check("params", json.loads(done.out))
    again = em("select", "d.csv", "-k", "1-2", "--latent", latent, *told[2:], *QUICK, "--resume", cwd=tmp_path)
    assert again.out == done.out


@pytest.fixture(scope="module")
def sweep(tmp_path_factory):
    """A folder with a sweep in it, and what it printed."""
    folder = tmp_path_factory.mktemp("sweep")
    return folder, em("select", SAMPLES / "faithful.csv", "-k", "1-3", "--json", *QUICK, cwd=folder).out


def test_booleans_are_booleans(sweep):
    folder, told = sweep
    assert {type(row["clear"]) for row in json.loads(told)["selection"]} == {bool, type(None)}
    assert ",true," in (folder / "run.em/selection.csv").read_text()


@pytest.mark.parametrize(("was", "instead", "words"), [
    (",true,", ",perhaps,", "column 'clear' holds \"perhaps\": true or false is wanted"),
    ("\n2,", "\ntwo,", "row 2, column 'k' holds \"two\": a whole number is wanted"),
    ("k,covariance", "n,covariance", "has no column 'k'"),
])  # fmt: skip
def test_a_table_that_was_edited_is_refused(was, instead, words, sweep):
    folder, _ = sweep
    table = folder / "run.em/selection.csv"
    whole = table.read_text()
    table.write_text(whole.replace(was, instead))
    told = em("report", "run.em", cwd=folder, status=3).err
    table.write_text(whole)
    assert words in told
