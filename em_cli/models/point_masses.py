"""Where the point masses of semicontinuous columns stand, and what their other cells are taken for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from operator import add

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.column_summary import summarize
from em_cli.engine.commonest import Commonest
from em_cli.engine.rows import Block, cells, quanta
from em_cli.errors import DataError
from em_cli.families import FAMILIES
from em_cli.models.groups import MIXED, Group, Wish, options_of, takes
from em_cli.sources.in_memory import InMemory
from em_cli.sources.quoting import argument, quoted
from em_cli.sources.table import Data

SEMICONTINUOUS = "semicontinuous"
VALUE = "value"  # the option of a family of such columns
POSITIVE = {"zero_inflated_lognormal": "lognormal", "zero_inflated_gamma": "gamma"}
ANY = {"zero_inflated_gaussian": "gaussian"}


def with_point_masses(wanted: Sequence[Wish], data: Data, asked: str, options: Mapping[str, object]) -> list[Wish]:
    """The wishes, with a value for every point mass, and those of the semicontinuous columns of which none speaks.

    Their family is the one that was asked for, if it describes such columns; else the likeliest.
    """
    found = [wish for wish in wanted if takes(wish.family) != SEMICONTINUOUS]
    of_columns: list[tuple[str, str, Mapping[str, object]]] = [
        (name, wish.family, wish.options)
        for wish in wanted
        if takes(wish.family) == SEMICONTINUOUS
        for name in wish.columns
    ]
    spoken = {name for wish in wanted for name in wish.columns}
    named = asked not in ("auto", MIXED) and takes(asked) == SEMICONTINUOUS
    for place in data.schema.indices(SEMICONTINUOUS):
        name = data.schema.names[place]
        if name not in spoken:
            family = asked if named else likeliest(cells(data.source, [place])[0], commonest_of(data, name))
            of_columns.append((name, family, options if named else {}))
    alike: dict[str, list[Wish]] = {}
    for name, family, given in of_columns:
        if VALUE in options_of(family) and given.get(VALUE) is None:
            given = {**given, VALUE: commonest_of(data, name)}
        alike.setdefault(f"{family} {given}", []).append(Wish(family, (name,), given))
    return found + [
        Wish(first.family, tuple(name for wish in (first, *others) for name in wish.columns), first.options)
        for first, *others in alike.values()
    ]


def commonest_of(data: Data, name: str) -> float:
    """The value at which the point mass of a column stands; `DataError` if none stands out."""
    place = data.schema.names.index(name)
    blocks = (data.source[index] for index in range(len(data.source)))
    found = reduce(add, (_commonest(rows, place) for block in blocks for rows in quanta(block)))
    if np.count_nonzero(cells(data.source, [place]) == found.value) < 2:
        raise DataError(
            f"{data.name}, column {quoted(name)}: no value stands out by the rows that bear it, so there is no point "
            f"mass. Use --type {argument(name)}=numeric, or say where it stands: "
            f"--type {argument(name)}=zero_inflated_gaussian:0."
        )
    return found.value


def _commonest(rows: Block, place: int) -> Commonest:
    seen = ~np.isnan(rows.x[place])
    return Commonest.of(rows.x[place][seen], None if rows.weights is None else rows.weights[seen])


def likeliest(values: Array, at: float) -> str:
    """The family under which one component of the cells that are not at the value has the highest likelihood."""
    x = values[~np.isnan(values) & (values != at)]
    if (x <= 0).any():
        return next(iter(ANY))
    candidates = POSITIVE if at < x.min() else POSITIVE | ANY
    return max(candidates, key=lambda name: _log_likelihood(candidates[name], x))


def _log_likelihood(family: str, values: Array) -> float:
    """Of one component."""
    x = values[None]
    bound = FAMILIES.make(family).bind(summarize(InMemory(x)))
    features = np.empty((bound.n_features(), len(values)))
    bound.features(x, features)
    statistics = bound.statistics(features, np.ones((1, 1, len(values))), None)
    parameters = bound.maximize(statistics, None)
    return float(bound.expected_log_density(statistics, parameters).sum() + bound.base_measure(x).sum())


def point_mass(group: Group) -> float | None:
    """Where the point mass of the columns of a group stands, if they have one."""
    value = group.options.get(VALUE) if takes(group.family) == SEMICONTINUOUS else None
    return float(value) if isinstance(value, int | float) else None
