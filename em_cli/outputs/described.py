"""Documents that are defined once: their fields are read by the definition, told in its JSON Schema, and explained."""

from __future__ import annotations

import json
from collections.abc import Container, Mapping
from typing import Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from em_cli.config.value_errors import wanted
from em_cli.printable import json_escaped

SOMETIMES = "not in every document"
LONGEST_VALUE = 60  # characters, in a message


def _as_written(schema: dict[str, Any], model: type[BaseModel]) -> None:
    """Fields are in every document unless they are marked; what else a schema says of them would be noise."""
    fields = model.model_fields
    schema["required"] = [field.alias or name for name, field in fields.items() if SOMETIMES not in field.metadata]
    schema.pop("title", None)
    for own in schema.get("properties", {}).values():
        own.pop("title", None)
        own.pop("default", None)


class Described(BaseModel):
    """A document, or an object in one. There may be further fields; readers ignore them."""

    model_config = ConfigDict(extra="allow", strict=True, json_schema_extra=_as_written, defer_build=True)


def says(text: str) -> Any:
    """What a field holds, for its schema."""
    return Field(description=text)


def one_of(words: Container[str], listed: list[str]) -> tuple[object, object]:
    """That a word is one of these: to be checked, and for its schema."""

    def check(word: str) -> str:
        if word not in words:
            raise ValueError(f"one of {', '.join(listed)} is wanted")
        return word

    return AfterValidator(check), Field(json_schema_extra={"enum": list(listed)})


def wrong_field(model: type[BaseModel], document: Mapping[str, object], partial: bool = False, within: str = "") -> str:
    """What the first wrong field holds, and what is wanted there; '' if all are right, of a partial one those there.

    A document may stand within a field of another.
    """
    try:
        model.model_validate(document)
    except ValidationError as error:
        for first in error.errors():
            where = ".".join([*([within] if within else []), *(str(part) for part in first["loc"])])
            if partial and first["type"] == "extra_forbidden":
                continue
            if first["type"] != "missing":
                held = f"the field {where!r} holds {short(first['input'])}" if where else "it holds no fields"
                return f"{held}: {in_words(first)}"
            if not partial:
                return f"the field {where!r} is missing"
    return ""


def in_words(error: Mapping[str, Any]) -> str:
    """What one error of a validation asks for."""
    return str(error["ctx"]["error"]) if error["type"] == "value_error" else wanted(error) or str(error["msg"])


def short(value: object) -> str:
    """A value as JSON, cut where it is long."""
    text = json_escaped(json.dumps(value, ensure_ascii=False, default=str))
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
