"""A part that a configuration chooses by its name, with options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_serializer

CONCOMITANT = "concomitant"  # the law of the labels where columns tell the mixing weights
GROUPED = "grouped"  # the law of the labels where rows share one
INDEPENDENT, NOISE = "independent", "noise"  # the latent structures that the short forms are of
AUTO = "auto"  # several starts in turn


class Choice(BaseModel):
    """A part by its name; further keys are its options. Without any, a configuration holds the bare name."""

    model_config = ConfigDict(extra="allow", frozen=True, strict=True, allow_inf_nan=False)

    name: str

    @property
    def options(self) -> dict[str, Any]:
        return dict(self.model_extra or {})

    @model_serializer
    def _written(self) -> str | dict[str, object]:
        return {"name": self.name} | self.options if self.options else self.name


def read_choice(value: object, default: str) -> Any:
    """The keys of a choice that is written as a bare name, or as options of the default alone."""
    if isinstance(value, str):
        return {"name": value}
    if isinstance(value, Mapping):
        return {"name": default} | dict(value)
    if isinstance(value, Choice):
        return value
    raise ValueError("should be a name, or a section with a name and options")
