"""Reading a model document back, as a file that anyone may have edited."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any, TypeVar

import numpy as np

from em_cli.documents.known import known_as
from em_cli.documents.params_json import Params
from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.columns import unit_columns
from em_cli.engine.decoder import Decoded
from em_cli.engine.expectation import Parameters
from em_cli.engine.family import BoundFamily
from em_cli.engine.model import Model
from em_cli.engine.rows import Block
from em_cli.engine.scoring import RowScores, decode, score_rows
from em_cli.errors import DataError, UsageError, in_words
from em_cli.latents import LATENTS
from em_cli.models.groups import MIXED, REGRESSION, Group, built, check_group, grouped, regression_in
from em_cli.models.variational import VARIATIONAL
from em_cli.outputs.json_text import parse
from em_cli.sources.files import label
from em_cli.sources.quoting import argument
from em_cli.sources.schema import Column, Schema

T = TypeVar("T")

FORMAT = "em.params"
OF_TOPICS = "em.topics"
OF_HAPLOTYPES = "em.haplotypes"
SCHEMA_VERSION = 1
RUNS = "runs.csv"  # lists the runs of a folder of several
LARGEST_FILE = 1 << 30  # bytes
AT_ONCE = 1 << 20  # of them


@dataclass(frozen=True, eq=False)
class LoadedModel:
    """A model in the user's units, ready to score rows."""

    document: Params
    schema: Schema
    groups: tuple[Group, ...]
    gaps: Flags  # (D,) columns in which cells may be missing
    model: Model
    parameters: Parameters

    def score(self, x: Array, labels: Integers | None = None) -> RowScores:
        """Score the rows x (D, n), whichever cells are missing; each as if it were alone.

        Rows that were fitted may be labelled: they have no missing cells but those that the fit knew.
        """
        elsewhere = np.isnan(x[~self.gaps]).any(axis=0)
        if not elsewhere.any():
            return score_rows(self.model, self.parameters, x, labels)
        scores = RowScores(np.empty(x.shape[1]), np.empty((self.model.n_outcomes, x.shape[1])))
        for some, loaded in ((~elsewhere, self), (elsewhere, self.with_gaps)):
            part = score_rows(loaded.model, loaded.parameters, x[:, some])
            scores.log_density[some], scores.responsibilities[:, some] = part.log_density, part.responsibilities
        return scores

    @property
    def response(self) -> str | None:
        """The column that is described given others; None where there is no regression."""
        found = regression_in(self.groups)
        return None if found is None else str(found.options["response"])

    @property
    def told(self) -> list[str]:
        """The columns that tell the mixing weights."""
        return told_columns(self.document)

    @property
    def sequential(self) -> bool:
        """Whether rows are looked at in sequences, or groups."""
        return self.model.latent.decoder is not None

    @property
    def ordered(self) -> bool:
        """Whether rows follow each other; else those of a group share their component, if they are in groups."""
        decoder = self.model.latent.decoder
        return decoder is not None and decoder.ordered

    def decoded(self, block: Block) -> Decoded:
        """What is known of the labels of rows that follow each other, in groups; `UsageError` where they do not."""
        loaded = self.with_gaps if np.isnan(block.x[~self.gaps]).any() else self
        found = decode(loaded.model, loaded.parameters, block)
        if found is None:
            raise UsageError(f"rows of latent structure {self.document['latent']!r} do not follow each other.")
        return found

    @cached_property
    def with_gaps(self) -> LoadedModel:
        """The same, ready for cells that are missing in any column."""
        return model_of(self.document, np.ones_like(self.gaps))

    def completed(self, x: Array, rng: np.random.Generator | None, known: Array | None = None) -> Array:
        """The rows (D, n) with missing cells at their conditional mean or likeliest level, or drawn.

        What is known of their components (K, n) may come from elsewhere than from each of them.
        """
        gaps = np.isnan(x).any(axis=0)
        if not gaps.any():
            return x
        wide, some = self.with_gaps, x[:, gaps]
        family, components = wide.model.family.completing, wide.parameters.components
        if family is None:
            raise UsageError(f"family {self.document['family']!r} cannot tell what a missing cell may be.")
        r = self.score(some).responsibilities if known is None else known[:, gaps]
        r = r[: wide.model.n_components]
        r = r / np.maximum(
            r.sum(axis=0), np.finfo(float).tiny
        )  # a row of noise is completed by its likeliest components
        if rng is None:
            found = family.complete(some, components, r)
        else:
            labels = (rng.random(r.shape[1]) > np.cumsum(r[:-1], axis=0)).sum(axis=0)
            found = family.draw(some, components, labels, rng)
        filled = x.copy()
        filled[:, gaps] = found
        return filled


def read_model(path: str) -> LoadedModel:
    """The model of a run folder, a file or standard input ('-'); `DataError` says what is wrong with it."""
    return model_in(path, document_of(path, read_bytes(path)))


def model_in(path: str, document: Mapping[str, object]) -> LoadedModel:
    """The model that a document from this place describes."""
    return _named(path, lambda: model_of(_checked(document)))


def document_of(path: str, text: bytes) -> Mapping[str, object]:
    """The JSON of a model in the text of this file, not yet understood."""
    try:
        value = parse(text)
    except ValueError as error:
        raise DataError(
            f"{_shown(path)} is not a model file: it is not JSON, or cut short ({in_words(error)})."
        ) from None
    if not isinstance(value, dict):
        raise DataError(f"{_shown(path)} is not a model file: it holds no JSON object.")
    return value


def _no_run(path: str) -> DataError:
    """What a folder without a `params.json` is instead."""
    if not (Path(path) / RUNS).exists():
        return DataError(f"{_shown(path)} is a folder without a params.json: it is not a run folder.")
    one = next((str(params.parent) for params in sorted(Path(path).glob("*/params.json"))), None)
    which = f": name one of them, as {argument(one)}" if one else ""
    return DataError(
        f"{_shown(path)} holds the runs of --by or --each, which {RUNS} lists{which}. "
        "em predict with --by COL takes all of a column together."
    )


def read_bytes(path: str) -> bytes:
    """What the file of a model, or that of a run folder, holds; `DataError` if it cannot be read."""
    if path == "-" and sys.stdin is None:
        raise DataError("standard input is closed.")
    try:
        if path == "-":
            text = _up_to(LARGEST_FILE + 1, sys.stdin.buffer)
        else:
            file = Path(path)
            if file.is_dir():
                file = file / "params.json"
                if not file.exists():
                    raise _no_run(path)
            with file.open("rb") as stream:
                text = _up_to(LARGEST_FILE + 1, stream)
    except FileNotFoundError:
        raise DataError(
            f"{_shown(path)}: there is no such model file or run folder. `em runs` lists those that there are."
        ) from None
    except OSError as error:
        raise DataError(f"{_shown(path)}: cannot be read ({in_words(error)}).") from None
    except ValueError:
        raise DataError(f"{_shown(path)} is no name of a file.") from None
    if len(text) > LARGEST_FILE:
        raise DataError(f"{_shown(path)} is larger than any model file: is it the data?")
    return text


def _up_to(most: int, stream: IO[bytes]) -> bytes:
    """So many bytes, if there are; read at once they would take room for all of them, however few there are."""
    found = bytearray()
    while len(found) < most and (more := stream.read(min(AT_ONCE, most - len(found)))):
        found += more
    return bytes(found)


def start_parameters(path: str, text: bytes, model: Model) -> Parameters:
    """Parameters to start a climb of this model from: a whole model document, or its parameters alone."""

    def read() -> Parameters:
        document = document_of(path, text)
        if "n_components" in document and document["n_components"] != model.n_components:
            raise DataError(f"it has {document['n_components']} components, the model {model.n_components}.")
        return model.from_document(document)

    return _named(path, read)


def model_of(document: Params, gaps: Flags | None = None) -> LoadedModel:
    """The model that a document describes, in coordinates that are the user's units.

    Cells may be missing where `gaps` says so; where they were when the model was fitted, if it is not given.
    """
    schema = schema_of(document)
    groups = groups_of(document, schema)
    if gaps is None:
        missing = document.get("n_missing") or {}
        gaps = np.array([name in missing for name in schema.names])
    family = built(schema, groups, document.get("covariance_type") or "").bind(unit_columns(len(schema.columns), gaps))
    if document.get("inference") == VARIATIONAL:
        family = _predictive(family)
    latent = LATENTS.load(document["latent"]).of_document(document).bind(family, unit_columns(len(gaps)))
    model = Model(family, latent, document["n_components"])
    return LoadedModel(document, schema, groups, gaps, model, model.from_document(document))


def _predictive(family: BoundFamily) -> BoundFamily:
    """What new rows look like under the posterior of a variational fit."""
    from em_cli.families.variational.conjugate_families import conjugate_of  # which other models do not need

    conjugate = conjugate_of(family)
    if conjugate is None:
        raise DataError("it is a variational fit, of a family that has no conjugate prior.")
    return conjugate.predictive()


def schema_of(document: Params) -> Schema:
    """The columns that a document tells."""
    return Schema(
        tuple(Column(c["name"], c["type"], tuple(c.get("levels", ())), c.get("transform")) for c in document["columns"])
    )


def groups_of(document: Params, schema: Schema) -> tuple[Group, ...]:
    """The groups of columns; of a mixture of families in earlier documents, by their types."""
    told = told_columns(document)
    if document["family"] != MIXED:
        columns = tuple(place for place, name in enumerate(schema.names) if name not in told)
        return (Group(document["family"], columns, _options(document)),)
    if "groups" not in document:
        return grouped(schema, "auto", {}, (), told)
    places = {name: place for place, name in enumerate(schema.names)}
    groups = []
    for entry in document["groups"]:
        options = _options(entry)
        if "covariance_type" in entry:
            options["covariance"] = entry["covariance_type"]
        groups.append(Group(entry["family"], tuple(places[name] for name in entry["columns"]), options))
    return tuple(groups)


def told_columns(document: Mapping[str, object]) -> list[str]:
    """The columns that tell the mixing weights and are not described; those of a regression are among its own."""
    told = document.get("concomitant")
    if document["family"] == REGRESSION or not isinstance(told, Mapping):
        return []
    names = told.get("columns")
    return [str(name) for name in names] if isinstance(names, list) else []


def _options(entry: Mapping[str, Any]) -> dict[str, object]:
    return dict(entry.get("family_options", {}))


def _checked(document: Mapping[str, object]) -> Params:
    """The document, if its kind, version and columns make sense."""
    from em_cli.outputs.described import wrong_field
    from em_cli.outputs.params_fields import ModelFields

    if document.get("format") == OF_TOPICS:
        raise DataError("it holds topics: em predict, score, show, plot and report read these, and no other command.")
    if document.get("format") == OF_HAPLOTYPES:
        raise DataError("it holds haplotypes: em predict, score, show and plot read these, and no other command.")
    if document.get("format") != FORMAT:
        raise DataError(f"it is not a model file of em (its format is {document.get('format')!r}, not {FORMAT!r}).")
    version = document.get("schema_version")
    if version != SCHEMA_VERSION:
        raise DataError(f"it has schema version {version!r}; this em reads {SCHEMA_VERSION}: upgrade em-cli.")
    if wrong := wrong_field(ModelFields, document):
        raise DataError(f"{wrong}.")
    known = known_as(Params, document)
    names = [c["name"] for c in known["columns"]]
    if len(set(names)) < len(names):
        raise DataError("the field 'columns' names a column twice.")
    try:
        _check_groups(known, schema_of(known))
        LATENTS.load(known["latent"])
    except UsageError as error:
        raise DataError(str(error)) from None
    return known


def _check_groups(document: Params, schema: Schema) -> None:
    """`UsageError` or `DataError` if no family can be built for the columns."""
    told = told_columns(document)
    if told != list(schema.names[len(schema.names) - len(told) :]):
        raise DataError("the columns that 'concomitant' names must be the last of 'columns'.")
    described = schema.names[: len(schema.names) - len(told)]
    if "groups" in document and sorted(n for g in document["groups"] for n in g["columns"]) != sorted(described):
        raise DataError("the field 'groups' must name every column once, but those that tell the mixing weights.")
    found = groups_of(document, schema)
    for group in found:
        check_group(group, schema)
    built(schema, found, str(document.get("covariance_type") or ""))


def _named(path: str, read: Callable[[], T]) -> T:
    """Run `read`; an error says which file it is about."""
    try:
        return read()
    except DataError as error:
        text = str(error)
        if text.startswith(_shown(path)):
            raise
        raise DataError(f"{_shown(path)}: {text}") from None


def _shown(path: str) -> str:
    return label(path)
