"""Dictionaries that have been checked, or made, as the documents that they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar, cast

T = TypeVar("T")


def known_as(kind: type[T], document: Mapping[str, object]) -> T:
    """The same dictionary; mypy looks at its fields from here on."""
    return cast("T", document)  # what was read as JSON, or has the parameters of a family beside its fields
