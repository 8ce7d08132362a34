"""How the levels of a column may be written where rows are scored."""

from __future__ import annotations

from collections.abc import Sequence

TRUE, FALSE = ("true", "t", "yes", "y"), ("false", "f", "no", "n")  # as databases read them, whatever the capitals
TRUTHS = dict.fromkeys(TRUE, "true") | dict.fromkeys(FALSE, "false")


def trimmed(levels: Sequence[str]) -> bool:
    """Whether blanks around a cell are none of its level, as where CSV files are read."""
    return all(level == level.strip() for level in levels)


def spellings(levels: Sequence[str]) -> dict[str, int]:
    """The code of every level by its name, and by what becomes of that where it is held as a number or a truth value.

    A whole number gets a zero behind the point; what is true is `true`, `True` or `TRUE`. None is written as another.
    """
    own = {level: code for code, level in enumerate(levels)}
    whole = [level for level in levels if level.isascii() and level.removeprefix("-").isdecimal()]
    also = {f"{level}.0": own[level] for level in whole}
    truths = [TRUTHS.get(level.lower(), "") for level in levels]
    if all(truths) and len(set(truths)) == len(levels):
        also |= {way: code for code, text in enumerate(truths) for way in (text, text.title(), text.upper())}
    return own | {text: code for text, code in also.items() if text not in own}
