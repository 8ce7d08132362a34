"""What a value should have been, in words of this program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

WANTED = {
    "int": "a whole number is wanted",
    "float": "a number is wanted",
    "finite_number": "a finite number is wanted",
    "bool": "true or false is wanted",
    "string": "a text is wanted",
    "list": "a list is wanted",
    "tuple": "a list is wanted",
    "dict": "a section with keys of its own is wanted",
    "model": "a section with keys of its own is wanted",
}
BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("above", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("below", "lt"),
}


def wanted(error: Mapping[str, Any]) -> str | None:
    """What one error of a validation asks for; None if there are no words for it here."""
    kind, limits = str(error["type"]), error.get("ctx", {})
    if kind in BOUNDS:
        words, name = BOUNDS[kind]
        limit = limits[name]
        return f"it must be {words} {int(limit) if limit == int(limit) else limit:,}"
    if kind == "missing":
        return "it is required"
    if kind == "string_too_long" and limits.get("max_length") == 1:
        return "one character is wanted"
    if kind in ("string_too_short", "too_short"):
        return "it must not be empty"
    return WANTED.get(kind) or WANTED.get(kind.rpartition("_")[0])


def what_is_wrong(error: BaseException | None) -> str:
    """The value that a validation refused, and what it should have been; '' if that is not what went wrong."""
    if not isinstance(error, ValidationError):
        return ""
    first = error.errors()[0]
    return f"{first['input']!r}: {wanted(first) or first['msg']}"
