"""What the numbers of a document are, as the parts declare that they are of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum

from em_cli.engine.arrays import Array, Flags

Map = Callable[[Array, Array], Array]


class Quantity(Enum):
    """What a number is."""

    REAL = "any number"
    POSITIVE = "positive"
    PROBABILITY = "from zero to one"
    COVARIANCE = "of a matrix whose diagonal is positive"
    LOADING = "on a factor, which may be rotated with the others"


@dataclass(frozen=True, slots=True)
class Domain:
    """Numbers, and a step that leads from one of them to another: any step leads to one of them."""

    holds: Callable[[Array], Flags]
    fault: str  # in words that follow "a number that is"
    quantity: Quantity
    steps: Map  # from base and values
    moved: Map  # from base and steps


@dataclass(frozen=True, slots=True)
class Parameter:
    """One number for each column and component, or for each level of the column."""

    name: str  # in documents
    domain: Domain


def quantities(parameters: Iterable[Parameter]) -> dict[str, Quantity]:
    """Of each parameter, by its name."""
    return {one.name: one.domain.quantity for one in parameters}
