"""What a document says of parameters that a penalty holds: means at those of the data, precisions at zero."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from em_cli.engine.documents import field, of_groups
from em_cli.errors import DataError

MEANS, PRECISIONS = "means_held", "precisions_zero"


def has_held(document: Mapping[str, object]) -> bool:
    """Whether a prior was there that holds parameters."""
    return bool(_groups(document, MEANS) or _groups(document, PRECISIONS))


def n_held(document: Mapping[str, object]) -> int:
    """How many parameters fewer there are.

    Means at that of the data are one of each column (Pan & Shen 2007), precisions of zero none (Zhou, Pan & Shen 2009).
    """
    means: int = sum(max(sum(own) - 1, 0) for _, held in _groups(document, MEANS) for own in zip(*held, strict=True))
    return means + sum(len(pairs) for pairs, _ in _pairs(document))


def not_separated(document: Mapping[str, object]) -> list[str]:
    """The columns in which no component of several has a mean of its own."""
    return [
        name
        for columns, held in _groups(document, MEANS)
        for name, own in zip(columns, zip(*held, strict=True), strict=False)
        if all(own) and len(own) > 1
    ]


def independent(document: Mapping[str, object]) -> tuple[int, int, list[str]]:
    """How many pairs of columns are independent in a component, given the others; of how many; and which in all."""
    found = _pairs(document)
    everywhere = [pair for pair in (found[0][0] if found else []) if all(pair in pairs for pairs, _ in found)]
    return sum(len(pairs) for pairs, _ in found), sum(n for _, n in found), everywhere


def _pairs(document: Mapping[str, object]) -> list[tuple[list[str], int]]:
    """Of each component the pairs whose precision is zero, by the names of their columns; and of how many."""
    found = []
    for columns, zeros in _groups(document, PRECISIONS):
        for own in zeros:
            pairs = list(combinations(range(len(columns)), 2))
            found.append(([f"{columns[i]}–{columns[j]}" for i, j in pairs if own[i][j]], len(pairs)))
    return found


def _groups(document: Mapping[str, object], key: str) -> list[tuple[Sequence[str], Sequence[Any]]]:
    """The names of the columns and what is held of each component, of each group of columns that has such a prior."""
    known = [own for own in of_groups(document) if key in own]
    for own in known:
        rows, d = field(own, key), len(field(own, "columns"))
        if key == MEANS and not _truths(rows, d):
            raise DataError("the field 'means_held' must hold true or false for each column of each component.")
        if key == PRECISIONS and not (isinstance(rows, list) and all(_truths(m, d) and len(m) == d for m in rows)):
            raise DataError(
                "the field 'precisions_zero' must hold true or false for each two columns of each component."
            )
    named = [[one["name"] if isinstance(one, Mapping) else one for one in field(own, "columns")] for own in known]
    return list(zip(named, (field(own, key) for own in known), strict=True))


def _truths(rows: object, d: int) -> bool:
    """Whether these are lists of so many truths each."""
    lists = isinstance(rows, list) and all(isinstance(row, list) and len(row) == d for row in rows)
    return isinstance(rows, list) and lists and all(isinstance(cell, bool) for row in rows for cell in row)
