"""A formula of the cells of a row, in no language yet."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce

LARGEST_CALL = 50  # arguments of a function, which some databases limit


@dataclass(frozen=True, slots=True)
class Formula:
    """A number, a name, or what a language makes of the parts; conditions are formulas too."""

    kind: str  # number, name, + - * /, or one of the templates of a language
    parts: tuple[Formula | float | str, ...]

    def __add__(self, other: Formula | float) -> Formula:
        other = number(other)
        if other.is_number(0.0):
            return self
        return other if self.is_number(0.0) else _signed("+", "-", self, other)

    def __radd__(self, other: float) -> Formula:
        return number(other) + self

    def __sub__(self, other: Formula | float) -> Formula:
        other = number(other)
        return self if other.is_number(0.0) else _signed("-", "+", self, other)

    def __rsub__(self, other: float) -> Formula:
        return number(other) - self

    def __mul__(self, other: Formula | float) -> Formula:
        other = number(other)
        if other.is_number(1.0) or self.is_number(0.0):
            return self
        if self.is_number(1.0) or other.is_number(0.0):
            return other
        return Formula("*", (self, other))

    def __rmul__(self, other: float) -> Formula:
        return number(other) * self

    def __truediv__(self, other: Formula | float) -> Formula:
        return Formula("/", (self, number(other)))

    def __rtruediv__(self, other: float) -> Formula:
        return Formula("/", (number(other), self))

    def is_number(self, value: float) -> bool:
        return self.kind == "number" and self.parts[0] == value


def number(value: Formula | float) -> Formula:
    """A number, or the formula that stands for one; `ValueError` if it is not finite."""
    if isinstance(value, Formula):
        return value
    if not math.isfinite(value):
        raise ValueError(f"a formula holds no {value}")
    return Formula("number", (float(value),))


def label(value: int) -> Formula:
    """A whole number that is written as one."""
    return Formula("number", (value,))


def name(text: str) -> Formula:
    return Formula("name", (text,))


def call(kind: str, *parts: Formula | float) -> Formula:
    """A function, or a condition, that every language has a template for."""
    return Formula(kind, tuple(map(number, parts)))


def ln(x: Formula) -> Formula:
    return call("ln", x)


def exp(x: Formula) -> Formula:
    return call("exp", x)


def log_factorial(x: Formula) -> Formula:
    return call("log_gamma", x + 1.0)


def log1p(x: Formula) -> Formula:
    """log(1 + x) of small x too, by a logarithm alone (Kahan)."""
    u = 1.0 + x
    return choose(equal(u, 1.0), x, ln(u) * x / (u - 1.0))


def missing(x: Formula) -> Formula:
    return call("missing", x)


def equal(x: Formula, value: float) -> Formula:
    return call("equal", x, value)


def below(x: Formula | float, y: Formula | float) -> Formula:
    return call("below", x, y)


def either(conditions: Sequence[Formula]) -> Formula:
    return reduce(lambda one, other: call("or", one, other), conditions)


def choose(condition: Formula, yes: Formula | float, no: Formula | float) -> Formula:
    yes, no = number(yes), number(no)
    return yes if yes == no else call("choose", condition, yes, no)


def known(cells: Sequence[Formula], found: Formula | float) -> Formula:
    """What is found, or zero where one of the cells is missing."""
    return choose(either([missing(cell) for cell in cells]), 0.0, found)


def looked_up(code: Formula, values: Sequence[float]) -> Formula:
    """The value of a code 0, 1, …"""
    return number(values[0]) if len(set(values)) == 1 else call("lookup", code, *values)


def total(terms: Iterable[Formula | float]) -> Formula:
    return reduce(lambda one, other: one + other, terms, number(0.0))


def largest(terms: Sequence[Formula]) -> Formula:
    """The largest of all; of more than a call may have, by groups."""
    if len(terms) == 1:
        return terms[0]
    if len(terms) > LARGEST_CALL:
        groups = [terms[first : first + LARGEST_CALL] for first in range(0, len(terms), LARGEST_CALL)]
        return largest([largest(group) for group in groups])
    return call("largest", *terms)


def square(x: Formula) -> Formula:
    return x * x


def stirling_rest(y: Formula) -> Formula:
    """What Stirling's formula leaves of log Γ(y), to 1e-13 from y = 9 on (Abramowitz & Stegun 6.1.41)."""
    inverse = 1.0 / y
    rest = number(1 / 1188)
    for coefficient in (-1 / 1680, 1 / 1260, -1 / 360, 1 / 12):
        rest = coefficient + rest * square(inverse)
    return rest * inverse


def log_gamma(x: Formula) -> Formula:
    """log Γ(x), x > 0, where a language has nothing but logarithms."""
    y = x + 9.0
    stirling = (y - 0.5) * ln(y) - y + 0.5 * math.log(2 * math.pi) + stirling_rest(y)
    return stirling - total(ln(x + float(step)) for step in range(9))


def _signed(kind: str, opposite: str, one: Formula, other: Formula) -> Formula:
    """A sum or a difference, without a sign behind a sign."""
    if other.kind == "number" and (value := float(str(other.parts[0]))) < 0:
        return Formula(opposite, (one, number(-value)))
    if other.kind == "*":
        first, second = (number(part) for part in other.parts if not isinstance(part, str))
        if first.kind == "number" and (value := float(str(first.parts[0]))) < 0:
            return Formula(opposite, (one, number(-value) * second))
    return Formula(kind, (one, other))
