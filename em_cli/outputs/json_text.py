"""Strict JSON, as anyone may have written it: no key twice, no number that is none, only text that can be written."""

from __future__ import annotations

import json
from math import isinf
from typing import Any

LONGEST_INTEGER = 300  # digits; a longer one would be no finite number


def parse(text: bytes) -> Any:
    """The value; `ValueError` says what is wrong with the text."""
    try:
        value = json.loads(
            text, parse_constant=_constant, parse_float=_float, parse_int=_int, object_pairs_hook=_object
        )
        if b"\\u" in text:
            json.dumps(value, ensure_ascii=False).encode()  # half a character is none
    except RecursionError:
        raise ValueError("it is nested too deep") from None
    except UnicodeEncodeError:
        raise ValueError("it holds half a character, \\ud800 or the like") from None
    return value


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice[:60]!r} stands there twice")
    return found


def _constant(constant: str) -> Any:
    raise ValueError(f"{constant} is not a JSON number")


def _float(text: str) -> float:
    value = float(text)
    if isinf(value):
        raise ValueError(f"the number {text[:60]} is too large")
    return value


def _int(text: str) -> int:
    if len(text) > LONGEST_INTEGER:
        raise ValueError(f"the number {text[:20]}… is too long")
    return int(text)
