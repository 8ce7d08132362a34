"""The numbers that a family has for each component and column, as it declares them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from em_cli.engine.arrays import Array, Flags

Map = Callable[[Array, Array], Array]


@dataclass(frozen=True, slots=True)
class Domain:
    """Numbers, and a step that leads from one of them to another: any step leads to one of them."""

    holds: Callable[[Array], Flags]
    fault: str  # in words that follow "a number that is"
    scale: str  # on which any number is possible: identity, log or logit
    steps: Map  # from base and values
    moved: Map  # from base and steps


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number for each column and component, or for each level of the column."""

    name: str  # in documents
    domain: Domain

    @property
    def scale(self) -> str:
        return self.domain.scale
