"""Reading a model document back, as a file that anyone may have edited."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from em_cli.engine.columns import unit_columns
from em_cli.engine.model import Model
from em_cli.engine.protocols import Parameters
from em_cli.errors import DataError, UsageError
from em_cli.latents import LATENTS
from em_cli.search.models import family_name, unbound
from em_cli.sources.schema import Column, Schema

T = TypeVar("T")

FORMAT = "em.params"
SCHEMA_VERSION = 1
LARGEST_FILE = 1 << 30  # bytes


@dataclass(frozen=True, slots=True, eq=False)
class LoadedModel:
    """A model in the user's units, ready to score rows."""

    document: Mapping[str, Any]
    schema: Schema
    model: Model
    parameters: Parameters


def read_model(path: str) -> LoadedModel:
    """The model of a run folder, a file or standard input ('-'); `DataError` says what is wrong with it."""
    return _named(path, lambda: model_of(_checked(read_document(path))))


def read_document(path: str) -> Mapping[str, Any]:
    """The JSON of a model, not yet understood."""
    if path == "-":
        text = sys.stdin.buffer.read()
    else:
        file = Path(path)
        if file.is_dir():
            file = file / "params.json"
            if not file.exists():
                raise DataError(f"{path} is a folder without a params.json: it is not a run folder.")
        try:
            if file.stat().st_size > LARGEST_FILE:
                raise DataError(f"{path} is larger than any model file: is it the data?")
            text = file.read_bytes()
        except FileNotFoundError:
            raise DataError(f"{path}: there is no such model file or run folder.") from None
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror}).") from None
    try:
        value = json.loads(text, parse_constant=_refuse)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{_shown(path)} is not a model file: it is not JSON, or cut short ({error}).") from None
    if not isinstance(value, dict):
        raise DataError(f"{_shown(path)} is not a model file: it holds no JSON object.")
    return value


def start_parameters(path: str, model: Model) -> Parameters:
    """Parameters to start a climb of this model from: a whole model document, or its parameters alone."""

    def read() -> Parameters:
        document = read_document(path)
        if "n_components" in document and document["n_components"] != model.n_components:
            raise DataError(f"it has {document['n_components']} components, the model {model.n_components}.")
        return model.from_document(document)

    return _named(path, read)


def model_of(document: Mapping[str, Any]) -> LoadedModel:
    """The model that a document describes, in coordinates that are the user's units."""
    schema = Schema(tuple(Column(str(c["name"]), str(c["type"])) for c in document["columns"]))
    covariance = document.get("covariance_type") or ""
    family = unbound(schema, document["family"], covariance).bind(unit_columns(len(schema.columns)))
    model = Model(family, LATENTS.load(document["latent"])(), document["n_components"])
    return LoadedModel(document, schema, model, model.from_document(document))


def _checked(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """The document, if its kind, version and columns make sense."""
    if document.get("format") != FORMAT:
        raise DataError(f"it is not a model file of em (its format is {document.get('format')!r}, not {FORMAT!r}).")
    version = document.get("schema_version")
    if version != SCHEMA_VERSION:
        raise DataError(f"it has schema version {version!r}; this em reads {SCHEMA_VERSION}: upgrade em-cli.")
    k, columns = document.get("n_components"), document.get("columns")
    if not isinstance(k, int) or isinstance(k, bool) or not 1 <= k <= 1_000_000:
        raise DataError(f"the field 'n_components' must be a positive integer, not {k!r}.")
    if not isinstance(columns, list) or not columns or not all(_is_column(c) for c in columns):
        raise DataError("the field 'columns' must list a name and a type (numeric or count) for each column.")
    names = [c["name"] for c in columns]
    if len(set(names)) < len(names):
        raise DataError("the field 'columns' names a column twice.")
    try:
        schema = Schema(tuple(Column(c["name"], c["type"]) for c in columns))
        family_name(schema, str(document.get("family")))
        if document.get("family") != "poisson":
            unbound(schema, str(document["family"]), str(document.get("covariance_type")))
        LATENTS.load(str(document.get("latent")))
    except UsageError as error:
        raise DataError(str(error)) from None
    return document


def _is_column(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("name"), str) and value.get("type") in ("numeric", "count")


def _named(path: str, read: Callable[[], T]) -> T:
    """Run `read`; an error says which file it is about."""
    try:
        return read()
    except DataError as error:
        text = str(error)
        if text.startswith((path, _shown(path))):
            raise
        raise DataError(f"{_shown(path)}: {text}") from None


def _shown(path: str) -> str:
    return "standard input" if path == "-" else path


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")
