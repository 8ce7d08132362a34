"""What a number of a model is of, by its name in the document: component, column or term, level."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from em_cli.documents.params_json import Params
from em_cli.engine.documents import field
from em_cli.families import FAMILIES

MOMENTS = ("mean", "sd")  # of each component and column, beside the parameters
OF_DESIGN = ("coefficients", "common_coefficients", "typical_design")
CONCOMITANT = "concomitant."  # what tells the mixing weights
NAME = re.compile(r"^(?:groups\[(?P<group>\d+)\]\.)?(?:[\w.]+\.)?(?P<parameter>\w+)(?P<places>(?:\[\d+\])*)$")


def place_of(name: str, document: Params) -> dict[str, Any]:
    """Counted from one as in `rates[2][1]`: the second component's rate of the first column of its family."""
    found = NAME.match(name)
    if found is None:
        return {"component": None, "column": None, "level": None}
    own = _own(document, found["group"])
    parameter, places = found["parameter"], [int(place) for place in re.findall(r"\d+", found["places"])]
    if name.startswith(CONCOMITANT):
        return _of_log_odds(places, field(document["concomitant"], "names"))
    if parameter in OF_DESIGN:
        component = places[0] if len(places) > 1 else None
        return {"component": component, "column": _at(own.get("design", ()), places[-1]), "level": None}
    component, column = places[0] if places else None, None
    if len(places) > 1 and (parameter in MOMENTS or _is_by_column(parameter, own, document)):
        columns = document["feature_names_in"] if parameter in MOMENTS else _columns(document, own)
        column = _at(columns, _first_of(own.get(parameter), columns, places[1]))
    level = _level(document, column, places[2]) if len(places) > 2 and column is not None else None
    return {"component": component, "column": column, "level": level}


def _of_log_odds(places: Sequence[int], names: Sequence[str]) -> dict[str, Any]:
    """Of a coefficient, by component but the first and term; or of the mean of a term but the intercept."""
    if len(places) > 1:
        return {"component": places[0] + 1, "column": _at(names, places[1]), "level": None}
    return {"component": None, "column": _at(names, places[0] + 1) if places else None, "level": None}


def _is_by_column(parameter: str, own: Mapping[str, object], document: Mapping[str, object]) -> bool:
    """Whether its family declares that it has a number for each component and column."""
    family = str(own.get("family", document.get("family")))
    return FAMILIES.knows(family) and parameter in {one.name for one in FAMILIES.load(family).parameters}


def _first_of(numbers: object, columns: Sequence[str], place: int) -> int:
    """The column of a number: where there are fewer of them than columns, each is of as many that stand together."""
    wide = len(numbers[0]) if isinstance(numbers, list) and numbers else len(columns)
    return 1 + (place - 1) * (len(columns) // wide)


def _own(document: Mapping[str, object], group: str | None) -> Mapping[str, Any]:
    """What the document tells of the group of columns."""
    several = document.get("groups")
    if group is None or not isinstance(several, Sequence):
        return document
    own: Mapping[str, Any] = several[int(group) - 1]
    return own


def _columns(document: Params, own: Mapping[str, Any]) -> Sequence[str]:
    if own is document:
        return [str(name) for name in document["feature_names_in"]]
    return [str(name) for name in own["columns"]]


def _level(document: Params, column: str, place: int) -> str | None:
    for told in document["columns"]:
        if told["name"] == column and told.get("levels"):
            return _at(told["levels"], place)
    return None


def _at(names: Sequence[object], place: int) -> str | None:
    return str(names[place - 1]) if place <= len(names) else None
