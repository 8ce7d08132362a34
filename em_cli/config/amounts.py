"""Amounts of memory as users write them."""

from __future__ import annotations

import re
from math import isfinite

POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}
FORMS = "write 2GB, 500MB, 1.5GiB, or a number of bytes"


def parse_size(value: float | str) -> float:
    """2GB, 500MB, 1.5GiB or 1000000 → bytes.

    Raises `ValueError` with what is wrong.
    """
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]*)?|\.[0-9]+)\s*([kmgt]?)(i?)b?", str(value).strip().lower())
    if not match or (match[3] and not match[2]):
        raise ValueError(f"{str(value)!r} is no amount of memory: {FORMS}")
    size: float = float(match[1]) * float(1024 if match[3] else 1000) ** float(POWERS[match[2]])
    if not isfinite(size):
        raise ValueError(f"{str(value)!r} is no amount of memory: {FORMS}")
    return size
