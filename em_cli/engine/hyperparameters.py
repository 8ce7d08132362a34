"""What is said of a prior: by its keys numbers, or the name of a law and its numbers."""

from __future__ import annotations

from collections.abc import Mapping


def law_in(said: Mapping[str, object], key: str) -> tuple[str, tuple[float, ...]]:
    """The name of the law and its numbers; without a name, and without numbers, where nothing is said of it."""
    match said.get(key):
        case (str(name), tuple(numbers)):
            return name, numbers
    return "", ()
