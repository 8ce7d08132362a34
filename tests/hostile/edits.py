"""Documents with one thing changed that should not be."""

import copy
from collections.abc import Iterator
from typing import Any

Place = tuple[str | int, ...]
GONE, TWICE = object(), object()  # what is taken out, or stands there twice
VALUES: list[Any] = [
    *(GONE, TWICE, None, True, "x", "1.5", "\x1b[31m", [], {}, [1, [2]], [[[[1]]]], -1, 0, 1.5),
    *(1e308, 1e-308, 5e-324, 1e100, 1e25, 100.0, 1e-100, 10**18, 2**63, 10**200),
]


def places(document: Any, within: Place = ()) -> Iterator[Place]:
    """Every key, and the first two items of every list."""
    if within:
        yield within
    if isinstance(document, dict):
        for key, value in document.items():
            yield from places(value, (*within, key))
    elif isinstance(document, list):
        for place, value in enumerate(document[:2]):
            yield from places(value, (*within, place))


def edited(document: dict[str, Any], place: Place, value: Any) -> dict[str, Any]:
    changed = copy.deepcopy(document)
    inner: Any = changed
    for key in place[:-1]:
        inner = inner[key]
    if value is GONE:
        del inner[place[-1]]
    elif value is TWICE:
        if isinstance(inner, list):
            inner.append(inner[place[-1]])
    else:
        inner[place[-1]] = value
    return changed
