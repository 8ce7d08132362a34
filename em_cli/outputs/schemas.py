"""JSON Schemas of what runs write, each from the definition of the document."""

from __future__ import annotations

from collections.abc import Callable
from types import GenericAlias
from typing import Any

from pydantic import TypeAdapter

from em_cli.outputs.manifest import to_json

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def _params() -> Any:
    from em_cli.outputs.params_fields import Params

    return Params


def _selection() -> Any:
    from em_cli.outputs.selection_fields import ROW

    return GenericAlias(list, (ROW,))


def _events() -> Any:
    from em_cli.outputs.event_fields import lines

    return lines()


def _manifest() -> Any:
    from em_cli.documents.manifest_json import Manifest
    from em_cli.outputs.described import checked

    return checked(Manifest)


def _topics() -> Any:
    from em_cli.outputs.topics_fields import TopicParams

    return TopicParams


def _haplotypes() -> Any:
    from em_cli.outputs.haplotypes_fields import HaplotypeParams

    return HaplotypeParams


DOCUMENTS: dict[str, tuple[str, Callable[[], Any]]] = {
    "params": ("em params.json", _params),
    "selection": ("em selection.csv, row by row", _selection),
    "events": ("em events, a line", _events),
    "manifest": ("em manifest.json", _manifest),
    "topics": ("em params.json of topics", _topics),
    "haplotypes": ("em params.json of haplotypes", _haplotypes),
}


def schema(document: str) -> str:
    """The JSON Schema of one of DOCUMENTS, as text."""
    title, kind = DOCUMENTS[document]
    return to_json({"$schema": DIALECT, "title": title} | TypeAdapter(kind()).json_schema())
