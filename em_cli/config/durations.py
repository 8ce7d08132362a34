"""Lengths of time as users write them."""

from __future__ import annotations

import re
from math import floor, isfinite, log10

SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}
FORMS = "write 10m, 90s, 1.5h, or 45 for seconds"


def parse_duration(value: float | str) -> float:
    """10m, 90s, 1.5h or 45 → seconds.

    Raises `ValueError` with what is wrong.
    """
    match = re.fullmatch(r"([-+]?[0-9]+(?:\.[0-9]*)?|[-+]?\.[0-9]+)\s*([smh]?)", str(value).strip().lower())
    if not match:
        raise ValueError(f"{str(value)!r} is not a length of time: {FORMS}")
    seconds = float(match[1]) * SECONDS[match[2]]
    if seconds <= 0 or not isfinite(seconds):
        raise ValueError(f"{str(value)!r} is no time in which to search: {FORMS}")
    return seconds


def duration_text(value: float | str) -> str:
    """The length of time as it was written, with its unit."""
    text = str(value).strip().lower()
    return text if text[-1] in SECONDS else f"{text}s"


def roughly(seconds: float) -> str:
    """To one digit, in the unit that suits it."""
    if seconds < 1:
        return "less than a second"
    unit, size = next(
        (unit, size) for unit, size in (("h", 3600), ("min", 60), ("s", 1)) if seconds >= 1.5 * size or size == 1
    )
    n = seconds / size
    digit = 10 ** floor(log10(max(n, 1)))
    return f"about {max(round(n / digit), 1) * digit:,} {unit}"
