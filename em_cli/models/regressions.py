"""Mixtures of regressions as they are asked for: which columns they need, of which types, and whether cells will do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from em_cli.engine.arrays import Flags, Integers
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.rows import cells
from em_cli.errors import DataError, UsageError
from em_cli.families.product import BoundProduct
from em_cli.families.regression.generalized import BoundGeneralized
from em_cli.families.regression.linear import BoundLinear
from em_cli.families.regression.options import Regression
from em_cli.families.regression.responses import RESPONSES
from em_cli.families.regression.terms import columns_in
from em_cli.models.groups import REGRESSION, Group, regression_in
from em_cli.sources.number_formats import number
from em_cli.sources.quoting import quoted
from em_cli.sources.schema import TYPES

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig
    from em_cli.sources.table import Data

LAWS = {
    "numeric": "gaussian",
    "positive": "gaussian",
    "count": "poisson",
    "binary": "binomial",
    "gaussian": "gaussian",
    "poisson": "poisson",
    "binomial": "binomial",
    "bernoulli": "binomial",
    "gamma": "gamma",
    "negative_binomial": "negative_binomial",
}  # by what --type says of a response, or the reader found
READ_AS = {"bernoulli": "binary", "binary": "binary", "positive": "positive", "gaussian": "numeric"}
OF_LAWS = {
    "gaussian": "numeric",
    "poisson": "count",
    "binomial": "count",
    "gamma": "numeric",
    "negative_binomial": "count",
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What a regression is to be of."""

    response: str
    kind: str | None  # of the response, as --type says
    trials: int | str | None
    on: tuple[str, ...]
    common: tuple[str, ...]  # terms whose coefficients all components share
    offset: str | None
    concomitant: tuple[str, ...]  # columns that tell the mixing weights

    @property
    def regressors(self) -> tuple[str, ...]:
        """All other columns."""
        beside = [name for name in (self.offset, self.trials) if isinstance(name, str)]
        return tuple(dict.fromkeys([*columns_in(self.on, self.common), *beside, *self.concomitant]))

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.response, *self.regressors)


def asked_regression(config: RunConfig) -> Asked | None:
    """None if there is no response; `UsageError` if it cannot be."""
    said = config.regression
    if said is None or said.response is None:
        if said is not None:
            raise UsageError(
                "--on, --common and --offset are about the response of a regression: name it with --response."
            )
        if config.family == REGRESSION:
            raise UsageError(f"family {REGRESSION!r} needs to know of what, and on what: --response y --on x1,x2.")
        return None
    _check_alone(config)
    kind, trials = _response_type(said.response, config.data.types.get(said.response))
    terms = tuple(said.on), tuple(said.common)
    asked = Asked(said.response, kind, trials, *terms, said.offset, tuple(config.concomitant))
    if said.response in asked.regressors:
        raise UsageError(
            f"column {said.response!r} is the response: it cannot be told by itself. Leave it out of --on."
        )
    return asked


def _check_alone(config: RunConfig) -> None:
    """`UsageError` for what does not go with a response."""
    if config.family not in ("auto", REGRESSION):
        raise UsageError(
            f"with --response the family is {REGRESSION!r}, not {config.family!r}: the law of the response is its "
            "type, as in --type y=poisson."
        )
    if config.family_options or config.groups:
        raise UsageError("with --response there are no other families, and no groups of columns.")
    if config.data.columns is not None or config.data.exclude:
        raise UsageError(
            "with --response the columns are those that it and --on name: leave out --columns and --exclude."
        )
    if config.data.transforms:
        name = next(iter(config.data.transforms))
        raise UsageError(f"--transform {name}: a regression takes the logarithm of a regressor by --on 'log({name})'.")


def _response_type(name: str, said: str | None) -> tuple[str | None, int | str | None]:
    """The type of a response, and its trials."""
    if said is None:
        return None, None
    kind, _, argument = said.partition(":")
    if kind not in LAWS or (argument and kind != "binomial"):
        raise UsageError(
            f"--type {name}={said}: a response can be gaussian (numeric), gamma, poisson (count), "
            "negative_binomial, binary, or binomial with its trials, as in binomial:12 or binomial:games."
        )
    if kind != "binomial":
        return kind, 1 if LAWS[kind] == "binomial" else None
    value = number(argument)
    if not argument or (value is not None and not (value.is_integer() and value >= 1)):
        raise UsageError(f"--type {name}={said}: say among how many trials: binomial:12, or a column of trials.")
    return kind, argument if value is None else int(value)


def types_of(asked: Asked, config: RunConfig) -> dict[str, str]:
    """The types to read columns as; what is not said of a regressor, its cells say: numbers or levels."""
    types: dict[str, str] = {}
    for name, kind in config.data.types.items():
        if name not in asked.columns:
            raise UsageError(f"--type {name}={kind}: neither the response nor a regressor is {name!r}.")
        if name != asked.response:
            if kind not in TYPES:
                raise UsageError(
                    f"--type {name}={kind}: {name!r} is a regressor: numeric or categorical is all it can be."
                )
            types[name] = kind
    if asked.kind is not None:
        types[asked.response] = READ_AS.get(asked.kind, OF_LAWS[LAWS[asked.kind]])
    return types


def regression_group(asked: Asked, data: Data) -> Group:
    """All columns, once their cells have been looked at."""
    known = {column.name: column for column in data.schema.columns}
    found = known[asked.response].type
    if asked.kind is None and found not in ("numeric", "count", "binary"):
        raise DataError(
            f"{data.name}, column {quoted(asked.response)}: a response must be of numbers, or of two levels, and this "
            "is text of several. Name another column with --response."
        )
    law, trials = LAWS[asked.kind or found], asked.trials
    if law == "binomial" and trials is None:
        trials = 1
    terms = {"on": list(asked.on), "common": list(asked.common)}
    options = {"response": asked.response, "law": law, **terms, "offset": asked.offset, "trials": trials}
    options = {name: value for name, value in options.items() if value not in (None, [])}
    group = Group(REGRESSION, tuple(range(len(data.schema.columns))), options)
    _check_cells(data, group)
    return group


def _check_cells(data: Data, group: Group) -> None:
    """`DataError` names the first cell that cannot be."""
    family = group.build(data.schema, "")
    assert isinstance(family, Regression), "it is one"
    x, roles, names = cells(data.source, group.columns), family.roles, data.schema.names
    places = [*family.design.places, *(place for place in (roles.offset, roles.trials) if place is not None)]
    for place in dict.fromkeys(places):
        if data.schema.columns[place].levels and place in (roles.offset, roles.trials):
            raise DataError(f"{data.name}, column {quoted(names[place])}: an offset or trials must be numbers.")
        refuse_cells(
            data,
            place,
            np.isnan(x[place]),
            "is missing: a response is described given its regressors. Use --missing drop, which leaves such rows out",
        )
    for place, refused in enumerate(family.design.refused(x)):
        refuse_cells(data, place, refused, "has no logarithm, which must be of numbers above 0", x[place])
    if family.law != "gaussian":
        trials = np.full(x.shape[1], roles.n_trials) if roles.trials is None else x[roles.trials]
        y, law = x[roles.response], RESPONSES[family.law]
        refused = ~law.allows(y, trials) & ~np.isnan(y)
        refuse_cells(
            data, roles.response, refused, f"cannot be; a response of law {family.law} must be {law.requirement}", y
        )


def refuse_cells(data: Data, place: int, refused: Flags, fault: str, values: Sequence[float] | None = None) -> None:
    """`DataError` names the first of the cells of a column that are refused, if any is."""
    if refused.any():
        row = int(refused.argmax())
        cell = "the cell" if values is None else f"{values[row]:.15g}"
        name = quoted(data.schema.names[place])
        raise DataError(f"{data.name}, row {data.row_of(row)}, column {name}: {cell} {fault}.")


def regression_of(
    groups: Sequence[Group], model: Model, parameters: Parameters
) -> tuple[BoundLinear | BoundGeneralized, Any, Integers] | None:
    """The regression in a model, its parameters and the places of its columns; None if there is none."""
    group = regression_in(groups)
    if group is None:
        return None
    family, own = model.family, parameters.components
    if isinstance(family, BoundProduct):
        at = list(groups).index(group)
        family, own = family.families[at], own.parts[at]
    assert isinstance(family, BoundLinear | BoundGeneralized), "it is a regression"
    return family, own, np.array(group.columns, np.intp)
