"""Model files are read as anyone may have written them: they are a model, or refused in one message."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from edits import VALUES, edited, places
from models import DOCUMENTS
from refusal import em_here, refused

from em_cli.display.closing import Beside
from em_cli.display.summary import fit_summary
from em_cli.errors import EmError
from em_cli.outputs.model_file import read_model

MODEL = DOCUMENTS["gaussian"]
MIXED = DOCUMENTS["mixed"]


def with_(**fields):
    return json.dumps(MODEL | fields)


def groups(change):
    made = json.loads(json.dumps(MIXED))
    change(made["groups"])
    return json.dumps(made)


COLUMNS = MODEL["columns"]
FILES = {
    "empty": (b"", ("not JSON",)),
    "blank": (b" \n", ("not JSON",)),
    "text": (b"hello", ("not JSON", "no JSON from line 1, column 1 on")),
    "cut short": (json.dumps(MODEL).encode()[:200], ("not JSON, or cut short",)),
    "two documents": (json.dumps(MODEL).encode() * 2, ("not JSON", "no JSON from line 1, column")),
    "Latin-1": (b'{"a": "\xe9"}', ("not JSON", "byte 0xe9 is not valid in UTF-8")),
    "binary": (bytes(range(256)), ("not JSON",)),
    "a list": (b"[]", ("no JSON object",)),
    "a number": (b"5", ("no JSON object",)),
    "NUL": (b"\0" * 100, ("not JSON",)),
    "key twice": (b'{"format": "em.params", "format": "em.params"}', ("key 'format' stands there twice",)),
    "NaN": (with_(means=[[float("nan"), 0], [0, 0]]), ("NaN is not a JSON number",)),
    "infinity": (with_(means=[[float("inf"), 0], [0, 0]]), ("Infinity is not",)),
    "1e400": (with_(weights=[0.25, 0.75]).replace("0.25", "1e400"), ("number 1e400 is too large",)),
    "long integer": (json.dumps(MODEL)[:-1] + ', "seed": ' + "9" * 5000 + "}", ("too long",)),
    "half a character": (with_(columns=[COLUMNS[0], {"name": "\ud800", "type": "numeric"}]), ("half a character",)),
    "deep": ("[" * 100_000, ("nested too deep",)),
    "deep object": ('{"a":' * 100_000, ("nested too deep",)),
    "foreign": (b'{"weights": [1]}', ("format is None",)),
    "newer": (with_(schema_version=3), ("schema version 3", "upgrade")),
    "older": (with_(schema_version=0), ("schema version 0",)),
    "version in words": (with_(schema_version="1"), ("schema version '1'",)),
    "no components": (with_(n_components=0), ("n_components",)),
    "too many components": (with_(n_components=10**9), ("n_components",)),
    "true components": (with_(n_components=True), ("n_components",)),
    "more components than weights": (with_(n_components=900_000), ("'weights' must hold 900000 numbers",)),
    "no columns": (with_(columns=[]), ("columns",)),
    "column twice": (with_(columns=[COLUMNS[0], COLUMNS[0]]), ("names a column twice",)),
    "name that is none": (with_(columns=[{"name": 5, "type": "numeric"}]), ("columns",)),
    "type that is none": (with_(columns=[{"name": "x", "type": "number"}]), ("columns",)),
    "levels of numbers": (with_(columns=[{"name": "x", "type": "numeric", "levels": ["a"]}]), ("columns",)),
    "level twice": (with_(columns=[{"name": "x", "type": "categorical", "levels": ["a", "a"]}]), ("columns",)),
    "unknown family": (with_(family="gausian"), ("Did you mean 'gaussian'?",)),
    "family that is none": (with_(family=5), ("'family'",)),
    "family of other columns": (with_(family="poisson"), ("column 'x' has type numeric",)),
    "unknown structure": (with_(covariance_type="ful"), ("Did you mean 'full'?",)),
    "structure that is none": (with_(covariance_type=["full"]), ("'covariance_type' holds", "a text is wanted")),
    "unknown latent": (with_(latent="chain"), ("unknown latent",)),
    "unknown option": (with_(family_options={"dof": 3}), ("has no option 'dof'",)),
    "weights that do not sum": (with_(weights=[0.4, 0.4]), ("sum",)),
    "weight of zero": (with_(weights=[0, 1]), ("positive",)),
    "weights in words": (with_(weights=["0.25", "0.75"]), ("'weights' must hold numbers only",)),
    "true weights": (with_(weights=[True, False]), ("'weights' must hold numbers only",)),
    "ragged means": (with_(means=[[1, 2], [3]]), ("'means' must hold numbers only, in lists of equal length",)),
    "means of another shape": (with_(means=[[1], [2]]), ("'means' must hold 2 lists of 2 numbers",)),
    "huge means": (with_(means=[[1e300, 0], [0, 0]]), ("'means' holds a number that is not finite, or too large",)),
    "no means": (json.dumps({key: value for key, value in MODEL.items() if key != "means"}), ("'means' is missing",)),
    "not symmetric": (with_(covariances=[[[1, 0.5], [0.4, 1]]] * 2), ("not symmetric",)),
    "not positive definite": (with_(covariances=[[[1, 2], [2, 1]]] * 2), ("not positive definite",)),
    "no variance": (with_(covariances=[[[0, 0], [0, 1]]] * 2), ("not positive definite",)),
    "group without columns": (groups(lambda found: found[0].update(columns=[])), ("'groups.0.columns' holds []",)),
    "column in two groups": (groups(lambda found: found[1].update(columns=["c", "x"])), ("name every column once",)),
    "column in no group": (groups(lambda found: found[0].update(columns=["x"])), ("name every column once",)),
    "group of numbers": (groups(lambda found: found[0].update(columns=[5, "y"])), ("'groups.0.columns.0' holds 5",)),
    "mixture in a group": (groups(lambda found: found[0].update(family="product")), ("that is no mixture",)),
    "missing cells of nothing": (with_(n_missing=5), ("'n_missing' holds 5", "with keys of its own is wanted")),
    "hostile names": (with_(columns=[{"name": "\x1b[31m\u202e\nx", "type": "numeric"}] * 2), ("names a column twice",)),
}  # fmt: skip

COMMANDS = [
    "predict m.json d.csv",
    "score m.json d.csv",
    "sample m.json -n 3",
    "impute m.json d.csv",
    "show m.json",
]


@pytest.fixture(autouse=True)
def in_a_folder_of_its_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("d.csv").write_text("x,y\n1,2\n3,4.5\n2,7\n4,1.5\n")


@pytest.mark.parametrize(("content", "words"), FILES.values(), ids=FILES)
def test_refused_in_one_message(content, words):
    Path("m.json").write_bytes(content.encode() if isinstance(content, str) else content)
    for command in COMMANDS:
        refused(command, 3, ("m.json", *words))


STARTS = ["cut short", "key twice", "no means", "weights in words", "huge means", "not symmetric", "deep"]


@pytest.mark.parametrize("name", STARTS)
def test_starts_are_refused_likewise(name):
    content, words = FILES[name]
    Path("m.json").write_bytes(content.encode() if isinstance(content, str) else content)
    refused("fit d.csv -k 2 -q --start m.json", 3, ("m.json", *words))


def test_what_is_no_model_file():
    Path("folder").mkdir()
    refused("show folder", 3, ("folder is a folder without a params.json",))
    refused("show nowhere", 3, ("nowhere: there is no such model file",))
    refused("show ''", 3, ("params.json",))
    refused("show -", 3, ("standard input is not a model file",), stdin=b"{")


def test_byte_order_marks_do_no_harm():
    Path("m.json").write_bytes(b"\xef\xbb\xbf" + json.dumps(MODEL).encode())
    assert em_here("show m.json").status == 0


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_change_is_a_model_or_refused(name):
    """Each value stands once in each place, of one document in three."""
    document = DOCUMENTS[name]
    use(read(json.dumps(document)))
    every = list(places(document))
    start = list(DOCUMENTS).index(name)
    for number, place in enumerate(every):
        for value in VALUES[(start + number) % 3 :: 3]:
            try:
                loaded = read(json.dumps(edited(document, place, value)))
            except EmError as error:
                assert str(error)
            else:
                use(loaded)


def read(text):
    Path("m.json").write_text(text)
    return read_model("m.json")


def use(loaded):
    """What is done with a model, whatever it is."""
    fit_summary(loaded.document, Beside(warnings=loaded.document.get("warnings")))
    x, _ = loaded.model.sample(loaded.parameters, 4, np.random.default_rng(0))
    for column, values in zip(loaded.schema.columns, x, strict=True):
        column.cells(values)
    assert not np.isnan(loaded.score(x).log_density).any()


def test_closed_standard_input(monkeypatch):
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(EmError, match="standard input is closed"):
        read_model("-")
