"""Parameters and statistics are dataclasses of arrays; these act on all their arrays at once."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from operator import attrgetter
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Integers = NDArray[np.intp]
Flags = NDArray[np.bool_]
T = TypeVar("T")


def map_arrays(function: Callable[..., Any], first: T, *others: T) -> T:
    """Apply `function` to corresponding arrays of like-built trees of dataclasses and tuples."""
    kind: Any = type(first)
    if kind is np.ndarray or isinstance(first, LEAVES):
        mapped: T = function(first, *others)
        return mapped
    if first is None:
        return first
    values = None if kind is tuple else _FIELDS.get(kind) or _fields(kind)
    if not others:
        own: Any = first if values is None else values(first)
        parts = [function(part) if type(part) is np.ndarray else map_arrays(function, part) for part in own]
    else:
        trees = (first, *others) if values is None else map(values, (first, *others))
        parts = [map_arrays(function, *corresponding) for corresponding in zip(*trees, strict=True)]
    made: T = kind(parts) if values is None else kind(*parts)
    return made


LEAVES = (np.ndarray, np.generic)
_FIELDS: dict[type, Callable[[Any], tuple[Any, ...]]] = {}  # what reads those of a dataclass, a million times


def _fields(kind: type) -> Callable[[object], tuple[object, ...]]:
    names = [field.name for field in fields(kind)]
    alone = attrgetter(names[0])
    _FIELDS[kind] = attrgetter(*names) if len(names) > 1 else lambda tree: (alone(tree),)
    return _FIELDS[kind]


def n_candidates(stacked: Any) -> int:
    """R, the length of the leading axis of a stack."""
    while not isinstance(stacked, np.ndarray):
        kind = type(stacked)
        stacked = stacked[0] if kind is tuple else (_FIELDS.get(kind) or _fields(kind))(stacked)[0]
    return len(stacked)


def stack(items: Sequence[T]) -> T:
    """Candidates one behind the other on a new leading axis R."""
    return map_arrays(_stacked, *items)


def _stacked(*arrays: Any) -> Any:
    """As `numpy.stack`, which takes several times as long where they are many and small."""
    if arrays[0].ndim == 0:
        return np.array(arrays)
    return np.concatenate(arrays).reshape(len(arrays), *arrays[0].shape)


def side_by_side(arrays: Sequence[Array]) -> Array:
    """Arrays (n,) as one (R, n): ten times as fast as `numpy.stack`, where they are many and short."""
    return np.concatenate(arrays).reshape(len(arrays), -1)


def take(stacked: T, index: int | slice | Integers | Flags) -> T:
    """One candidate (or some of them) of a stack."""
    return map_arrays(lambda array: array[index], stacked)


def copies(tree: Any, parts: Sequence[slice]) -> list[Any]:
    """A tree for each of some parts of the leading axis, on a leading axis of its own; none holds the others."""
    if tree is None:
        return [None] * len(parts)
    kind: Any = type(tree)
    if kind is np.ndarray:
        return [tree[None, part].copy() for part in parts]
    own = tree if kind is tuple else (_FIELDS.get(kind) or _fields(kind))(tree)
    each = zip(*[copies(part, parts) for part in own], strict=True)
    return [*each] if kind is tuple else [kind(*values) for values in each]


def flat(stacked: T) -> T:
    """The components of all candidates of a stack one behind the other."""
    return map_arrays(lambda array: array.reshape(-1, *array.shape[2:]), stacked)


@dataclass(frozen=True, slots=True)
class OfUnits:
    """What is told of each unit (…, U) of some rows, in parts: those of rows that follow are appended, not added."""

    parts: tuple[Array, ...]


def add(first: Any, second: Any) -> Any:
    """The sums over the rows of both, of which the second follow the first."""
    if isinstance(first, OfUnits):
        return OfUnits(first.parts + second.parts)
    if isinstance(first, tuple):
        return tuple(map(add, first, second))
    return map_arrays(lambda a, b: a + b, first, second)


def joined(sums: object) -> Any:
    """Sums with what is told of units in one array."""
    if isinstance(sums, OfUnits):
        return np.concatenate(sums.parts, axis=-1)
    return tuple(map(joined, sums)) if isinstance(sums, tuple) else sums
