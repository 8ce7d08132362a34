"""Which family describes which columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from inspect import signature
from typing import TYPE_CHECKING, Any

import numpy as np

from em_cli import parts
from em_cli.engine.columns import Columns
from em_cli.engine.family import Family
from em_cli.engine.rows import Source
from em_cli.errors import UsageError
from em_cli.families import FAMILIES
from em_cli.families.product import BoundProduct, Product
from em_cli.parts import Setting
from em_cli.sources.number_formats import number
from em_cli.sources.schema import LEVELLED, Schema

if TYPE_CHECKING:
    from em_cli.engine.arrays import Integers
    from em_cli.engine.expectation import Parameters
    from em_cli.engine.model import Model
    from em_cli.families.regression.generalized import BoundGeneralized
    from em_cli.families.regression.linear import BoundLinear

MIXED = "product"  # of the families of several groups
Rows = tuple[Source, Columns]  # with what is known of their columns
REGRESSION = "regression"  # of a response, given other columns


@dataclass(frozen=True, slots=True)
class Group:
    """Columns that one family describes."""

    family: str
    columns: tuple[int, ...]  # places in the schema
    options: Mapping[str, object] = field(default_factory=dict)  # of the family

    @property
    def has_covariance(self) -> bool:
        """Whether a covariance structure may be chosen for it, and none is fixed."""
        return "covariance" in options_of(self.family) and "covariance" not in self.options

    def build(self, schema: Schema, covariance: str) -> Family:
        """The family, with its options; not yet bound to data."""
        options = dict(self.options)
        if self.has_covariance and covariance:
            options["covariance"] = covariance
        if "levels" in signature(FAMILIES.load(self.family)).parameters:
            options["levels"] = tuple(len(schema.columns[place].levels) for place in self.columns)
        if self.family == REGRESSION:
            options["names"] = tuple(schema.names[place] for place in self.columns)
            options["level_names"] = tuple(schema.columns[place].levels for place in self.columns)
        family = FAMILIES.make(self.family, **options)
        known = schema.transforms
        own = {at: known[place] for at, place in enumerate(self.columns) if place in known}
        if not own:
            return family
        from em_cli.families.transformed import Transformed

        return Transformed(family, own)


@dataclass(frozen=True, slots=True)
class Wish:
    """A family that the user wants for some columns."""

    family: str
    columns: tuple[str, ...]
    options: Mapping[str, object] = field(default_factory=dict)


def wish_of(family: str, column: str, argument: str) -> Wish:
    """The wish `family:argument` for a column: the argument is the number that a family wants, or a further column."""
    if not argument:
        return Wish(family, (column,))
    options = options_of(family)
    option = next((name for name, setting in options.items() if {int, float} & set(setting.kinds)), None)
    if option is None:
        raise UsageError(
            f"--type {column}={family}:{argument}: {family} has nothing that is told behind a colon. "
            f"Use --type {column}={family}."
        )
    told = number(argument)
    if told is None and f"{option}_columns" in options:
        return Wish(family, (column, argument), {f"{option}_columns": True})
    whole = told is not None and told.is_integer() and int in options[option].kinds
    value = argument if told is None else int(told) if whole else told
    if reason := options[option].wrong(value):
        raise UsageError(f"--type {column}={family}:{argument}: the {option} {reason}")
    return Wish(family, (column,), {option: value})


def takes(family: str) -> str:
    """The type of column that a family describes; `UsageError` if there is no such family."""
    return FAMILIES.load(family).describes


def check_comparable(families: Sequence[str]) -> None:
    """`UsageError` if their likelihoods are not of the same thing."""
    for vague in ("auto", MIXED):
        if vague in families:
            raise UsageError(f"family {vague!r} is none that others can be compared with: name the families.")
    types = [f"{family}: {takes(family)}" for family in families]
    if len({takes(family) for family in families}) > 1:
        raise UsageError(
            f"these families describe columns of different types ({', '.join(types)}): "
            "a density and a probability, or those of other cells, cannot be compared."
        )
    for family in families:
        if not FAMILIES.load(family).comparable:
            raise UsageError(
                f"the likelihood of {family!r} is that of cells of which something, as their total, is given: "
                "it cannot be compared with that of other families."
            )


def options_of(family: str) -> Mapping[str, Setting]:
    """What may be set of a family."""
    return parts.options_of(FAMILIES.load(family))


def grouped(
    schema: Schema, asked: str, options: Mapping[str, object], wishes: Sequence[Wish], told: Sequence[str] = ()
) -> tuple[Group, ...]:
    """The groups in the order of their first columns, without those that are told: they are not described.

    A wish makes a group of its own where its family describes columns jointly; columns of one family
    that nothing else was said of are a group.
    """
    schema = Schema(tuple(column for column in schema.columns if column.name not in told))
    places = {name: place for place, name in enumerate(schema.names)}
    wished = {name: wish for wish in wishes for name in wish.columns}
    groups: dict[tuple[int, str], list[int]] = {}
    for column in schema.columns:
        wish = wished.get(column.name)
        family = wish.family if wish else _family_for(column.type, asked)
        groups.setdefault((id(wish) if wish else 0, family), []).append(places[column.name])
    given = {id(wish): wish.options for wish in wishes}
    made = tuple(
        Group(family, tuple(columns), given[key] if key else dict(options) if family == asked else {})
        for (key, family), columns in groups.items()
    )
    families = {group.family for group in made}
    if asked not in ("auto", MIXED, *families) or (asked == MIXED and len(made) < 2):
        types = ", ".join(f"{column.name}: {column.type}" for column in schema.columns)
        fitting = family_name(made)
        raise UsageError(f"family {asked!r} does not go with the types of the columns ({types}): {fitting!r} does.")
    for group in made:
        check_group(group, schema)
    return made


def _family_for(type: str, asked: str) -> str:
    if asked not in ("auto", MIXED) and describes(asked, type):
        return asked
    return next(family for family in FAMILIES if takes(family) == type)


def describes(family: str, type: str) -> bool:
    """Two levels are a case of several."""
    wanted = takes(family)
    return wanted in (type, "any") or (wanted == "categorical" and type in LEVELLED)


def check_group(group: Group, schema: Schema) -> None:
    """`UsageError` if the family cannot describe the columns, or has no such options."""
    for column in (schema.columns[place] for place in group.columns):
        if not describes(group.family, column.type):
            raise UsageError(
                f"column {column.name!r} has type {column.type}; "
                f"family {group.family!r} describes columns of type {takes(group.family)}."
            )
    if group.family == REGRESSION:
        from em_cli.families.regression.options import check_options

        check_options(group.options)
    else:
        parts.check_options(f"family {group.family!r}", FAMILIES.load(group.family), group.options)


def regression_in(groups: Sequence[Group]) -> Group | None:
    """The group that is a response and its regressors, if there is one."""
    return next((group for group in groups if group.family == REGRESSION), None)


def described(groups: Sequence[Group], schema: Schema) -> tuple[int, ...]:
    """Places of the columns of which something is said; of regressors nothing is, they are what is told."""
    found = [
        place
        for group in groups
        for place in group.columns
        if group.family != REGRESSION or schema.names[place] == group.options["response"]
    ]
    return tuple(sorted(found))


def grouped_places(groups: Sequence[Group]) -> tuple[int, ...]:
    """Places of the columns that a family has to do with; others tell the mixing weights alone."""
    return tuple(sorted(place for group in groups for place in group.columns))


def family_name(groups: Sequence[Group]) -> str:
    """As documents name the family of the whole mixture."""
    return groups[0].family if len(groups) == 1 else MIXED


def built(schema: Schema, groups: Sequence[Group], covariance: str, rows: Rows | None = None) -> Family:
    """The family of all columns, not yet bound to data; it may look at the rows, if they are given."""
    members = tuple(_surveyed(group.build(schema, covariance), group, rows) for group in groups)
    places = tuple(np.array(group.columns, np.intp) for group in groups)
    family = members[0] if len(members) == 1 else Product(members, places)
    n_own = sum(map(len, places))
    if n_own == len(schema.columns):
        return family
    from em_cli.families.with_covariates import WithCovariates

    return WithCovariates(family, n_own)


def _surveyed(family: Family, group: Group, rows: Rows | None) -> Family:
    """A regression must know how its regressors vary together."""
    if rows is None or group.family != REGRESSION:
        return family
    from em_cli.families.regression.options import Regression

    if not isinstance(family, Regression):  # of a response on another scale
        return family
    source, columns = rows
    return family.surveyed(source, group.columns, columns.select(np.array(group.columns, np.intp)))


def regression_of(
    groups: Sequence[Group], model: Model, parameters: Parameters
) -> tuple[BoundLinear | BoundGeneralized, Any, Integers] | None:
    """The regression in a model, its parameters and the places of its columns; None if there is none."""
    group = regression_in(groups)
    if group is None:
        return None
    from em_cli.families.regression.generalized import BoundGeneralized
    from em_cli.families.regression.linear import BoundLinear

    family, own = model.family, parameters.components
    if isinstance(family, BoundProduct):
        at = list(groups).index(group)
        family, own = family.families[at], own.parts[at]
    assert isinstance(family, BoundLinear | BoundGeneralized), "it is a regression"
    return family, own, np.array(group.columns, np.intp)
