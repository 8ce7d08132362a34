"""Which texts are numbers, and in whose way of writing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from functools import cache

# pandas's own, written down because ids are to be spared them
MISSING = [
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN"),
    *("<NA>", "N/A", "NA", "NULL", "NaN", "n/a", "nan", "null"),
]  # but not None, which is a level among words: `dress` sees to it
BLANKS = " \u00a0\u2009\u202f"  # that stand between thousands; in typeset numbers they do not break
_MINUS = str.maketrans(dict.fromkeys("−–﹣－", "-"))  # before a number none of these means anything else


def number(text: str, decimal: str = ".", thousands: str | None = None) -> float | None:
    """The value of a cell; None if it is not a number."""
    text = text.strip().translate(_MINUS)
    if thousands is not None:
        marks = BLANKS if thousands in BLANKS else thousands
        if any(mark in text for mark in marks):
            if not _grouped(marks, decimal).fullmatch(text):
                return None
            text = text.translate(dict.fromkeys(map(ord, marks)))
    if decimal != ".":
        text = text.replace(decimal, ".") if "." not in text else ""
    try:
        value = float(text)
    except ValueError:
        return None
    return None if "_" in text or math.isnan(value) else value


@cache
def _grouped(marks: str, decimal: str) -> re.Pattern[str]:
    """Digits in groups of three, or of two before the last as in India."""
    mark, point = f"[{re.escape(marks)}]", re.escape(decimal)
    return re.compile(rf"[+-]?\d{{1,3}}({mark}\d{{2,3}})*{mark}\d{{3}}({point}\d*)?([eE][+-]?\d+)?")


_WRITINGS = {
    "--decimal ','": re.compile(r"[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?", re.IGNORECASE),
    "--thousands ','": re.compile(r"[+-]?\d{1,3}(,\d{3})+(\.\d*)?"),
    "--decimal ',' --thousands .": re.compile(r"[+-]?\d{1,3}(\.\d{3})*(,\d*)?"),
    '--thousands "\'"': re.compile(r"[+-]?\d{1,3}('\d{3})+(\.\d*)?"),
    "--thousands ' '": re.compile(rf"[+-]?\d{{1,3}}([{BLANKS}]\d{{3}})+(\.\d*)?"),
    "--decimal ',' --thousands ' '": re.compile(rf"[+-]?\d{{1,3}}([{BLANKS}]\d{{3}})*(,\d*)?"),
    "--decimal .": re.compile(r"[+-]?(\d+\.\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE),
}


_MARKS = re.compile(rf"[-+\d.,'eE{BLANKS}]+")  # what all of them are made of


def writings(texts: Iterable[str]) -> list[str]:
    """Options with which all these texts would be numbers."""
    texts = [text.strip().translate(_MINUS) for text in texts]
    if not all(map(_MARKS.fullmatch, texts)):
        return []
    found = [option for option, form in _WRITINGS.items() if all(map(form.fullmatch, texts))]
    simplest = found[0] if found else ""
    return [option for option in found if option == simplest or not option.startswith(simplest)]


def written(value: float) -> str:
    """A number as the name of a level: 1, not 1.0."""
    return str(int(value)) if value == math.floor(value) and abs(value) < 1e15 else repr(float(value))
