"""Numbers of components as users write them."""

from __future__ import annotations

import re

LARGEST = 10_000
FEWEST_OF_TESTS, MOST_OF_TESTS = 19, 9999  # data sets drawn for each: with fewer, p is never as low as 0.05


def parse_k(value: int | str | list[int] | None) -> tuple[int, ...]:
    """3, "1-10", "1-10:3", "2,4,8" or [2, 4, 8] → increasing numbers; None → none.

    Raises `ValueError` with what is wrong.
    """
    if value is None:
        numbers = []
    elif isinstance(value, int):
        numbers = [value]
        if value < 1:
            raise ValueError(f"the number of components must be at least 1, not {value}")
    elif isinstance(value, list):
        numbers = value
        if not numbers:
            raise ValueError("the list of numbers of components is empty")
    else:
        numbers = [k for part in value.split(",") for k in _span(part.strip(), value)]
    if any(not 1 <= k <= LARGEST for k in numbers):
        raise ValueError(f"numbers of components must lie between 1 and {LARGEST}")
    return tuple(sorted(set(numbers)))


def _span(part: str, whole: str) -> list[int]:
    match = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6})(?::(\d{1,6}))?)?", part)
    if not match:
        raise ValueError(f"{whole!r} is not a number of components: write 3, 1-10, 1-10:3 or 2,4,8")
    first, last, step = (int(text) if text else None for text in match.groups())
    assert first is not None, "the pattern demands it"
    if last is None:
        return [first]
    if last < first:
        raise ValueError(f"the range {part!r} runs backwards")
    if step == 0:
        raise ValueError(f"the range {part!r} has step 0")
    return list(range(first, last + 1, step or 1))
