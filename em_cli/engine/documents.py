"""Reading the parameters of a document that anyone may have edited."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.errors import DataError

LARGEST = 1e102  # number: more than the square of the largest of the data
LEAST = 1 / LARGEST  # number that must be positive
LARGEST_RATE = 1e15  # of counts


def table(
    document: Mapping[str, object], name: str, shape: tuple[int, int], valid: Callable[[Array], Flags], fault: str
) -> Array:
    """The field `name`: K lists of D numbers, all of them valid, or it holds "a number that is" the fault."""
    found = numbers(field(document, name), name)
    if found.shape != shape:
        raise DataError(f"the field {name!r} must hold {shape[0]} lists of {shape[1]} numbers.")
    if not ((np.abs(found) <= LARGEST) & valid(found)).all():
        raise DataError(f"the field {name!r} holds a number that is {fault}, not finite, or too large to compute with.")
    return found


def positive(document: Mapping[str, object], name: str, size: int) -> Array:
    """The field `name`: so many numbers above zero in a list, or one number by itself."""
    found = numbers(field(document, name), name)
    if found.size != size or found.ndim > 1:
        raise DataError(
            f"the field {name!r} must hold {size} numbers." if size > 1 else f"{name!r} must be one number."
        )
    if not ((found >= LEAST) & (found <= LARGEST)).all():
        raise DataError(
            f"the field {name!r} holds a number that is not positive, or too small or large to compute with."
        )
    return found.ravel()


def finite(document: Mapping[str, object], name: str) -> Array:
    """The numbers of the field `name`, whatever their shape."""
    found = numbers(field(document, name), name)
    if not (np.abs(found) <= LARGEST).all():
        raise DataError(f"the field {name!r} holds a number that is not finite, or too large to compute with.")
    return found


def field(document: Mapping[str, object], name: str) -> Any:
    """What a document holds there; `DataError` if it is missing."""
    if name not in document:
        raise DataError(f"the field {name!r} is missing.")
    return document[name]


def of_groups(document: Mapping[str, object]) -> list[Mapping[str, object]]:
    """What a document says of each group of columns; itself, where there is one."""
    groups = document.get("groups")
    return groups if isinstance(groups, list) and groups else [document]


def numbers(value: object, name: str) -> Array:
    """An array of numbers in lists of lists; `DataError` names the field if they are anything else."""
    if not _lists(value):
        raise DataError(f"the field {name!r} must hold numbers only, in lists.")
    try:
        return np.array(value, np.float64)
    except (TypeError, ValueError):
        raise DataError(f"the field {name!r} must hold numbers only, in lists of equal length.") from None


def _lists(value: object) -> bool:
    """Whether these are numbers, lists or an array of them: NumPy would take texts, truths and null for numbers."""
    if isinstance(value, np.ndarray):
        return value.dtype.kind in "fiu"
    if isinstance(value, list):
        return all(isinstance(item, float) for item in value) or all(map(_lists, value))
    return isinstance(value, int | float) and not isinstance(value, bool)
