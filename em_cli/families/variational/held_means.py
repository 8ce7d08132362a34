"""What a document says of means that are held at those of the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from em_cli.errors import DataError


def has_held_means(document: Mapping[str, Any]) -> bool:
    """Whether a prior was there that holds means at those of the data."""
    return bool(_groups(document))


def n_held(document: Mapping[str, Any]) -> int:
    """How many parameters fewer there are: means at that of the data are one of each column (Pan & Shen 2007)."""
    return sum(max(sum(own) - 1, 0) for _, held in _groups(document) for own in zip(*held, strict=True))


def not_separated(document: Mapping[str, Any]) -> list[str]:
    """The columns in which no component of several has a mean of its own."""
    return [
        name
        for columns, held in _groups(document)
        for name, own in zip(columns, zip(*held, strict=True), strict=False)
        if all(own) and len(own) > 1
    ]


def _groups(document: Mapping[str, Any]) -> list[tuple[Sequence[str], Sequence[Sequence[bool]]]]:
    """The names of the columns and the held means (K, D) of each group of columns that has such a prior."""
    known = [own for own in document.get("groups") or [document] if "means_held" in own]
    for own in known:
        rows, d = own["means_held"], len(own["columns"])
        whole = isinstance(rows, list) and all(isinstance(row, list) and len(row) == d for row in rows)
        if not whole or not all(isinstance(cell, bool) for row in rows for cell in row):
            raise DataError("the field 'means_held' must hold true or false for each column of each component.")
    named = [[one["name"] if isinstance(one, Mapping) else one for one in own["columns"]] for own in known]
    return list(zip(named, (own["means_held"] for own in known), strict=True))
