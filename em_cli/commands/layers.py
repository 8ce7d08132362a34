"""The options of a command as a layer of the run configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from em_cli.errors import UsageError


def layer(*groups: Any) -> dict[str, Any]:
    """What the options say, as a layer of the run configuration; options not given are not in it."""
    said: dict[str, Any] = {}
    for group in groups:
        values = {
            field.name: _read(field.name, getattr(group, field.name))
            for field in fields(group)
            if getattr(group, field.name) not in (None, [], ())
        }
        if not group.section:
            said |= values
        elif values:
            said.setdefault(group.section, {}).update(values)
    return said


def _read(name: str, value: Any) -> Any:
    """The value as the configuration wants it."""
    if name in ("columns", "exclude", "covariance"):
        listed = [part.strip() for part in value.split(",") if part.strip()]
        if not listed:
            raise UsageError(f"--{name} {value!r} names nothing.")
        return listed
    if name == "family" and "," in value:
        return [part.strip() for part in value.split(",") if part.strip()]
    if name == "types":
        return _types(value)
    if name in ("restarts", "threads", "k"):
        number = _number(value)
        if name == "k" and number == 0:
            raise UsageError("the number of components must be at least 1, not 0.")
        return number
    return value


def _number(text: str) -> int | str:
    return int(text) if text.strip().lstrip("+-").isdecimal() else text


def _types(pairs: list[str]) -> Mapping[str, str]:
    types: dict[str, str] = {}
    for pair in pairs:
        name, equals, kind = pair.rpartition("=")
        if not equals or not name:
            raise UsageError(f"--type {pair!r}: write --type COLUMN=TYPE, as in --type visits=count.")
        if types.setdefault(name, kind) != kind:
            raise UsageError(f"--type gives column {name!r} two types: {types[name]!r} and {kind!r}.")
    return types
