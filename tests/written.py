"""Whether what the program wrote is what its schemas say, and nothing beside."""

from __future__ import annotations

import csv
import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema

from em_cli.outputs.model_file import read_model
from em_cli.outputs.schemas import DOCUMENTS, schema
from em_cli.outputs.selection_fields import read_table

OPEN = ("Params", "GroupFields", "ErrorsOfNumbers")  # in which the parameters of a family stand beside


@cache
def validator(document: str) -> jsonschema.Draft202012Validator:
    """Of one of DOCUMENTS; what it does not name is refused."""
    found = json.loads(schema(document))
    for name, one in found.get("$defs", {}).items():
        closed(one, name not in OPEN)
    closed(found, document != "params")
    jsonschema.Draft202012Validator.check_schema(found)
    return jsonschema.Draft202012Validator(found)


def closed(one: dict[str, Any], whole: bool) -> None:
    if "properties" in one and whole:
        one["additionalProperties"] = False


def check_run(folder: Path) -> None:
    """Every document in a run folder."""
    params = json.loads((folder / "params.json").read_bytes())
    check("manifest", json.loads((folder / "manifest.json").read_bytes()))
    if params["format"] != "em.params":
        check(params["format"].removeprefix("em."), params)
        return
    check_params(params, folder / "params.json")
    if (folder / "selection.csv").exists():
        with (folder / "selection.csv").open(newline="") as lines:
            rows = list(read_table(lines))
        with (folder / "selection.csv").open(newline="") as lines:
            assert [len(row) for row in csv.DictReader(lines)] == [len(row) for row in rows]
        check("selection", rows)


def check_params(params: dict[str, Any], file: Path) -> None:
    """What the schema does not name are parameters of the family."""
    check("params", params)
    loaded = read_model(str(file))
    own = loaded.model.to_document(loaded.parameters)
    assert set(params) - set(json.loads(schema("params"))["properties"]) <= set(own)


def check_events(file: Path) -> None:
    for line in file.read_text().splitlines():
        check("events", json.loads(line))


def check(document: str, found: Any) -> None:
    assert document in DOCUMENTS
    validator(document).validate(found)
