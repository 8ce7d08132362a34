"""What a number of a model is of, by its name in the document: component, column or term, level."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

BY_COLUMN = ("mean", "sd", "means", "rates", "probabilities", "sizes", "shapes", "scales", "noise_variances")
OF_DESIGN = ("coefficients", "common_coefficients", "typical_design")
NAME = re.compile(r"^(?:groups\[(?P<group>\d+)\]\.)?(?:[\w.]+\.)?(?P<parameter>\w+)(?P<places>(?:\[\d+\])*)$")


def place_of(name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Counted from one as in `rates[2][1]`: the second component's rate of the first column of its family."""
    found = NAME.match(name)
    if found is None:
        return {"component": None, "column": None, "level": None}
    own = _own(document, found["group"])
    parameter, places = found["parameter"], [int(place) for place in re.findall(r"\d+", found["places"])]
    if parameter in OF_DESIGN:
        component = places[0] if len(places) > 1 else None
        return {"component": component, "column": _at(own.get("design", ()), places[-1]), "level": None}
    component, column = places[0] if places else None, None
    if len(places) > 1 and parameter in BY_COLUMN:
        columns = document["feature_names_in"] if parameter in ("mean", "sd") else _columns(document, own)
        column = _at(columns, places[1])
    level = _level(document, column, places[2]) if len(places) > 2 and column is not None else None
    return {"component": component, "column": column, "level": level}


def _own(document: Mapping[str, object], group: str | None) -> Mapping[str, Any]:
    """What the document tells of the group of columns."""
    several = document.get("groups")
    if group is None or not isinstance(several, Sequence):
        return document
    own: Mapping[str, Any] = several[int(group) - 1]
    return own


def _columns(document: Mapping[str, Any], own: Mapping[str, Any]) -> Sequence[str]:
    if own is document:
        return [str(name) for name in document["feature_names_in"]]
    return [str(name) for name in own["columns"]]


def _level(document: Mapping[str, Any], column: str, place: int) -> str | None:
    for told in document["columns"]:
        if told["name"] == column and told.get("levels"):
            return _at(told["levels"], place)
    return None


def _at(names: Sequence[object], place: int) -> str | None:
    return str(names[place - 1]) if place <= len(names) else None
