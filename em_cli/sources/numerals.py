"""Which texts are numbers, and in whose way of writing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable


def number(text: str, decimal: str = ".", thousands: str | None = None) -> float | None:
    """The value of a cell; None if it is not a number."""
    text = text.strip()
    if thousands is not None:
        text = text.replace(thousands, "")
    if decimal != ".":
        text = text.replace(decimal, ".") if "." not in text else ""
    try:
        value = float(text)
    except ValueError:
        return None
    return None if "_" in text or math.isnan(value) else value


_WRITINGS = {
    "--decimal ','": re.compile(r"[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?", re.IGNORECASE),
    "--thousands ','": re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?"),
    "--decimal ',' --thousands .": re.compile(r"[+-]?\d{1,3}(\.\d{3})*(,\d*)?"),
    '--thousands "\'"': re.compile(r"[+-]?\d{1,3}('\d{3})+(\.\d*)?"),
    "--thousands ' '": re.compile(r"[+-]?\d{1,3}( \d{3})+(\.\d*)?"),
}


def writings(texts: Iterable[str]) -> list[str]:
    """Options with which all these texts would be numbers."""
    texts = list(texts)
    found = [option for option, form in _WRITINGS.items() if all(form.fullmatch(text.strip()) for text in texts)]
    simplest = found[0] if found else ""
    return [option for option in found if option == simplest or not option.startswith(simplest)]
