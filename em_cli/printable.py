"""Text from anywhere, made fit to be shown.

A control character may move the cursor or change the title of a window, in one byte (C1) as well as in two; a mark of
direction may show a text in another order than it has. On screens and in documents they stand as escapes.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from math import floor, isfinite, log10, sqrt
from textwrap import fill
from unicodedata import category

DIGITS = 3  # of a standard deviation
FEW_DIGITS = 2  # of a standard error, and of a deviation beside it
MOST_DECIMALS = 6
INDENT = "    "  # of further lines of a message
Pair = tuple[float | None, float | None]  # mean and standard deviation
ZERO = 1e-7  # times the largest of a column, and what is less is zero where its deviation is so too
MOST_DIGITS = 15  # that a number in fixed point has
WHOLE = re.compile(r"(?<!\w)'[^'\n]{1,40}'(?!\w)| = ")  # a quoted name or argument, an equation; no apostrophe
KEPT = "\0"  # in place of a blank at which no line ends


def safe(text: str) -> str:
    """The text with its control characters, line ends, marks of direction and the like escaped as Python does."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape", "surrogatepass").decode() for c in text)


def say(message: str, begin: str = "em: ") -> None:
    """A message on standard error; a terminal would break its lines within words, and has them broken before."""
    told = f"{begin}{message}"
    if sys.stderr.isatty():
        width = shutil.get_terminal_size((80, 24)).columns
        told = "\n".join(
            fill(_kept(line), width - 1, subsequent_indent=INDENT, break_long_words=False, break_on_hyphens=False)
            for line in told.split("\n")
        ).replace(KEPT, " ")
    sys.stderr.write(f"{told}\n")


def words(sentence: str) -> list[str]:
    """Between which lines may end: an argument of the shell in quotes is one."""
    return [word.replace(KEPT, " ") for word in _kept(sentence).split(" ")]


def _kept(text: str) -> str:
    return WHOLE.sub(lambda found: found[0].replace(" ", KEPT), text)


def harmful(text: str) -> bool:
    """Whether it holds more than characters to see, blanks and line ends."""
    return not text.isprintable() and any(map(_acts, set(text)))


def json_escaped(text: str) -> str:
    r"""JSON in which all that is no blank and cannot be seen stands as \uXXXX."""
    return _replaced(text, lambda c: json.dumps(c)[1:-1])


def xml_escaped(text: str) -> str:
    """The same of XML, by the numbers of the characters."""
    return _replaced(text, lambda c: f"&#{ord(c)};")


def yaml_escaped(text: str) -> str:
    """The same of YAML in which texts that hold such characters stand in double quotes."""
    return _replaced(text, safe)


def _replaced(text: str, escape: Callable[[str], str]) -> str:
    if not harmful(text):
        return text
    return "".join(escape(c) if _acts(c) else c for c in text)


def _acts(character: str) -> bool:
    return not character.isprintable() and character != "\n" and category(character) != "Zs"


def fixed(value: float | None, decimals: int) -> str:
    """In fixed point; what rounds to zero has no sign."""
    if value is None or not isfinite(value):
        return "—"
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def mean_and_sd(mean: float | None, sd: float | None, digits: int = DIGITS) -> tuple[str, str]:
    """A mean with as many decimals as so many digits of its standard deviation deserve, and that deviation."""
    mean = None if mean is None or not isfinite(mean) else mean
    sd = None if sd is None or not isfinite(sd) else sd
    size = max(abs(mean or 0.0), sd or 0.0)
    if not size:
        return fixed(mean, 1), fixed(sd, 1)
    largest = floor(log10(size))
    decimals = digits - 1 - (floor(log10(sd)) if sd else largest - 1)
    if largest < -3 or (decimals < 0 and largest >= 7):
        return _scientific(mean, min(max(largest + decimals, digits), 9)), _scientific(sd, digits - 1)
    decimals = max(0, min(decimals, MOST_DECIMALS, MOST_DIGITS - 1 - max(largest, 0)))
    spread = fixed(sd, decimals)
    return fixed(mean, decimals), f"{sd:.1e}" if sd and float(spread) == 0 else spread


def estimate(value: float, error: float) -> str:
    """A value and its standard error, both to as many decimals as the error deserves."""
    return " ± ".join(mean_and_sd(value, error, FEW_DIGITS))


def spread(sd: float | None) -> str:
    """A standard error, or a deviation beside one, by itself."""
    return mean_and_sd(0.0, sd, FEW_DIGITS)[1]


def without_dust(pairs: Sequence[Pair]) -> list[Pair]:
    """The same, zero where a component is at zero but for what its climb had left."""
    sizes = [max(abs(mean or 0.0), sd or 0.0) for mean, sd in pairs]
    least = ZERO * max((size for size in sizes if isfinite(size)), default=0.0)
    return [
        (0.0, 0.0) if mean and sd and size < least else (mean, sd)
        for (mean, sd), size in zip(pairs, sizes, strict=True)
    ]


def _scientific(value: float | None, digits: int) -> str:
    return "—" if value is None else "0" if value == 0 else f"{value:.{digits}e}"


def beside_mass(mean: float, sd: float, value: float, p: float) -> tuple[float | None, float | None]:
    """Mean and standard deviation of what is not at a value that has the probability p; None where all is there."""
    if p >= 1:
        return None, None
    rest = (mean - p * value) / (1 - p)
    squares = (sd * sd + p * (mean - value) * (value - mean)) / (1 - p) - (rest - mean) ** 2
    return rest, sqrt(max(squares, 0.0))
