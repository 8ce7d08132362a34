"""A regression as it is asked for, before any data: of what, on what, by which law."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from em_cli.errors import UsageError
from em_cli.models.groups import REGRESSION
from em_cli.sources.number_formats import number
from em_cli.sources.schema import TYPES

if TYPE_CHECKING:
    from em_cli.config.run_config import RunConfig

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
        from em_cli.families.regression.terms import columns_in

        return tuple(dict.fromkeys([*columns_in(self.on, self.common), *self.beside, *self.concomitant]))

    @property
    def beside(self) -> tuple[str, ...]:
        """Columns of the offset and of trials."""
        return tuple(name for name in (self.offset, self.trials) if isinstance(name, str))

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
