"""Text from anywhere, made fit to be shown.

A control character may move the cursor or change the title of a window, in one byte (C1) as well as in two; a mark of
direction may show a text in another order than it has. On screens and in documents they stand as escapes.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from unicodedata import category


def safe(text: str) -> str:
    """The text with its control characters, line ends, marks of direction and the like escaped as Python does."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def harmful(text: str) -> bool:
    """Whether it holds more than characters to see, blanks and line ends."""
    return not text.isprintable() and any(map(_acts, set(text)))


def json_escaped(text: str) -> str:
    r"""JSON in which all that is no blank and cannot be seen stands as \uXXXX."""
    return _replaced(text, lambda c: json.dumps(c)[1:-1])


def yaml_escaped(text: str) -> str:
    """The same of YAML in which texts that hold such characters stand in double quotes."""
    return _replaced(text, safe)


def _replaced(text: str, escape: Callable[[str], str]) -> str:
    if not harmful(text):
        return text
    return "".join(escape(c) if _acts(c) else c for c in text)


def _acts(character: str) -> bool:
    return not character.isprintable() and character != "\n" and category(character) != "Zs"
