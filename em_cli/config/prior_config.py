"""What a configuration says of priors: one by its name, and hyperparameters of conjugate ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_serializer

NONE, WEAK = "none", "weak"
FORMS: Mapping[str, Mapping[str, int]] = {
    "weights": {"dirichlet": 1, "process": 1},
    "levels": {"dirichlet": 1},
    "transitions": {"dirichlet": 2},
    "rates": {"gamma": 2},
    "means": {"laplace": 1},
    "precisions": {"laplace": 1},
}  # the priors that each key may name, and how many numbers may follow


class PriorConfig(BaseModel):
    """A bare name stands for a prior without hyperparameters."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, allow_inf_nan=False)

    name: Annotated[
        Literal["none", "weak"],
        Field(
            description="weak: a pseudo-observation for each component, spread as the data are; maximises the posterior"
        ),
    ] = "none"
    weights: Annotated[
        str | None, Field(description="of the mixing weights: dirichlet:0.1, or process:1 for a Dirichlet process")
    ] = None
    transitions: Annotated[
        str | None,
        Field(
            description="of each row of transitions: dirichlet:2, or dirichlet:2:20 with another number for staying; "
            "goes with --inference map"
        ),
    ] = None
    levels: Annotated[str | None, Field(description="of the probabilities of levels: dirichlet:1")] = None
    rates: Annotated[str | None, Field(description="of rates: gamma:1, a shape, or gamma:1:0.5, shape and rate")] = None
    means: Annotated[
        str | None,
        Field(description="of the means of normal components: laplace:5, an L1 penalty; goes with --inference map"),
    ] = None
    precisions: Annotated[
        str | None,
        Field(
            description="of the inverse covariances off their diagonals, with --covariance full: laplace:5, a "
            "graphical lasso; goes with --inference map"
        ),
    ] = None
    mean: Annotated[list[float] | None, Field(description="about which the means of normal components lie")] = None
    mean_precision: Annotated[float | None, Field(gt=0, description="rows that this mean is worth")] = None
    degrees_of_freedom: Annotated[float | None, Field(gt=0, description="of the Wishart prior of precisions")] = None
    covariance: Annotated[
        list[float] | list[list[float]] | None,
        Field(description="inverse scale matrix of the Wishart prior; variances of diagonal covariances"),
    ] = None

    @field_validator(*FORMS)
    @classmethod
    def _known(cls, value: str | None, info: Any) -> str | None:
        if value is not None:
            parsed(info.field_name, value)
        return value

    @field_validator("mean_precision", "degrees_of_freedom", mode="before")
    @classmethod
    def _real(cls, value: object) -> Any:
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    @field_validator("mean", "covariance", mode="before")
    @classmethod
    def _reals(cls, value: object) -> Any:
        return _floats(value)

    @property
    def hyperparameters(self) -> dict[str, object]:
        """Those that are said, by their keys; of the named priors their names and numbers."""
        said = {key: getattr(self, key) for key in type(self).model_fields if key != "name"}
        return {key: parsed(key, value) if key in FORMS else value for key, value in said.items() if value is not None}

    @model_serializer
    def _written(self) -> str | dict[str, object]:
        said = {key: getattr(self, key) for key in type(self).model_fields if getattr(self, key) is not None}
        return self.name if len(said) == 1 else said


def _floats(value: object) -> Any:
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def parsed(key: str, text: str) -> tuple[str, tuple[float, ...]]:
    """The name of a prior and its numbers; `ValueError` says what is wrong with the text."""
    name, *rest = text.split(":")
    forms = FORMS[key]
    if name not in forms:
        raise ValueError(f"{text!r} names no prior of {key}; there is {' or '.join(forms)}")
    try:
        numbers = tuple(map(float, rest))
    except ValueError:
        numbers = (0.0,)
    if len(numbers) > forms[name] or not all(0 < number < float("inf") for number in numbers):
        most = "a number" if forms[name] == 1 else f"up to {forms[name]} numbers"
        raise ValueError(f"{text!r}: {name} is followed by {most} above 0, as in {name}:1")
    return name, numbers


def read_prior(value: object) -> Any:
    """A bare name is a section with that name."""
    return {"name": value} if isinstance(value, str) else value
