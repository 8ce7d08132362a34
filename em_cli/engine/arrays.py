"""Parameters and statistics are dataclasses of arrays; these act on all their arrays at once."""

from collections.abc import Callable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.intp]
Flags = NDArray[np.bool_]
T = TypeVar("T")


def map_arrays(function: Callable[..., Any], first: T, *others: T) -> T:
    """Apply `function` to corresponding arrays of like-built trees of dataclasses and tuples."""
    if first is None:
        return first
    if isinstance(first, tuple):
        return type(first)(map_arrays(function, *parts) for parts in zip(first, *others, strict=True))
    if is_dataclass(first) and not isinstance(first, type):
        mapped = {
            field.name: map_arrays(
                function, getattr(first, field.name), *(getattr(other, field.name) for other in others)
            )
            for field in fields(first)
        }
        return replace(first, **mapped)
    result: T = function(first, *others)
    return result


def stack(items: Sequence[T]) -> T:
    """Candidates one behind the other on a new leading axis R."""
    return map_arrays(lambda *arrays: np.stack(arrays), items[0], *items[1:])


def take(stacked: T, index: int | slice) -> T:
    """One candidate (or a slice of them) of a stack."""
    return map_arrays(lambda array: array[index], stacked)


def add(first: T, second: T) -> T:
    return map_arrays(lambda a, b: a + b, first, second)
