"""Documents that are defined once: their fields are read by the definition, told in its JSON Schema, and explained."""

from __future__ import annotations

import json
from collections import ChainMap
from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial, reduce
from operator import or_
from types import MappingProxyType, UnionType
from typing import Annotated, Any, NotRequired, get_args, get_origin, get_type_hints, is_typeddict

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, create_model, model_validator

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


Rules = Mapping[tuple[type, str], Callable[[Any], str]]  # what is wrong with a field of a document, or all of it
NO_RULES: Rules = MappingProxyType({})


def checked(kind: type, rules: Rules = NO_RULES) -> type[Described]:
    """What checks a document that is declared as a dictionary, and tells its schema."""
    fields: dict[str, Any] = {}
    for name, declared in get_type_hints(kind, include_extras=True).items():
        sometimes = get_origin(declared) is NotRequired
        hint, limits, (text,) = _parted(get_args(declared)[0] if sometimes else declared)
        default = limits.pop("default", None if sometimes else ...)
        marks = [*one_of(words, list(words))] if (words := limits.pop("one_of", None)) else []
        marks += [AfterValidator(partial(_refused, rules[kind, name]))] if (kind, name) in rules else []
        marks += [says(text), Field(**limits)] if limits else [says(text)]
        marks += [SOMETIMES] if sometimes else []
        own = _annotated(_checked(hint, rules), marks)
        fields[name] = (own, default)
    whole: dict[str, Any] = (
        {"rule": model_validator(mode="after")(partial(_wrong, rules[kind, ""]))} if (kind, "") in rules else {}
    )
    made: type[Described] = create_model(
        kind.__name__, __base__=Described, __doc__=kind.__doc__, __validators__=whole, **fields
    )
    return made


def _annotated(hint: Any, marks: Sequence[object]) -> Any:
    return Annotated[(hint, *marks)]


def _parted(declared: Any) -> tuple[Any, dict[str, Any], list[str]]:
    """A type, and what is said of it: limits, and texts."""
    hint, *said = get_args(declared)
    limits = [each for each in said if isinstance(each, dict)]
    return hint, dict(ChainMap(*limits)), [each for each in said if isinstance(each, str)]


def _checked(hint: Any, rules: Rules) -> Any:
    """The type of a field, each document within as what checks it."""
    if is_typeddict(hint):
        return checked(hint, rules)
    if get_origin(hint) is Annotated:
        of, limits, _ = _parted(hint)
        return Annotated[_checked(of, rules), Field(**limits)]
    of, parts = get_origin(hint), [_checked(part, rules) for part in get_args(hint)]
    return reduce(or_, parts) if of is UnionType else of[tuple(parts)] if of in (list, dict) else hint


def _refused(rule: Callable[[Any], str], value: object) -> object:
    if wrong := rule(value):
        raise ValueError(wrong)
    return value


def _wrong(rule: Callable[[Any], str], made: Described) -> Described:
    _refused(rule, made.model_dump())
    return made


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
