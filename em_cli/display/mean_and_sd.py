"""Means, their standard errors and standard deviations of a column, in its units, one under the other."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, log10

LONGEST = 14  # digits
Pair = tuple[float, float]  # mean and standard deviation


def aligned(pairs: Sequence[Pair], errors: Sequence[float] | None = None) -> list[str]:
    """`mean (sd)` of each component, or `mean ± error (sd)`: as many decimals as the last of them deserve."""
    means, sds = [mean for mean, _ in pairs], [f"({_formatted([0.0], [sd], digits=2)[1][0]})" for _, sd in pairs]
    if errors is None:
        left, right = _formatted(means, [sd for _, sd in pairs])
        return _columns(left, [f"({sd})" for sd in right])
    left, right = _formatted(means, errors, digits=2)
    return _columns(left, [f"± {error}" for error in right], sds)


def _columns(first: Sequence[str], *others: Sequence[str]) -> list[str]:
    widths = [max(map(len, texts)) for texts in (first, *others)]
    made = zip(first, *others, strict=True)
    return [f"{one:>{widths[0]}} " + " ".join(map(str.ljust, more, widths[1:])) for one, *more in made]


def _formatted(means: Sequence[float], sds: Sequence[float], digits: int = 3) -> tuple[list[str], list[str]]:
    """So many digits of the deviations; fixed point where that is readable, else powers of ten."""
    sizes = [abs(value) for value in (*means, *sds) if isfinite(value) and value]
    spreads = [sd for sd in sds if isfinite(sd) and sd > 0]
    if not sizes:
        return [_fixed(mean, 1) for mean in means], [_fixed(sd, 1) for sd in sds]
    largest = _power(max(sizes))
    finest = max(_power(min(spreads)), _power(max(spreads)) - 2) if spreads else largest - 1
    decimals = digits - 1 - finest
    if largest < -3 or (decimals < 0 and largest >= 7):
        of_means = min(max(largest - finest + digits - 1, 2), 9)
        return [_scientific(mean, of_means) for mean in means], [_scientific(sd, digits - 1) for sd in sds]
    decimals = min(max(decimals, 0), max(LONGEST - max(largest, 0), 0))
    return [_fixed(mean, decimals) for mean in means], [_deviation(sd, decimals) for sd in sds]


def _power(value: float) -> int:
    return floor(log10(value))


def _fixed(value: float, decimals: int) -> str:
    text = f"{value:.{decimals}f}" if isfinite(value) else "—"
    return text.removeprefix("-") if float(value) < 0 and not text.strip("-0.") else text


def _scientific(value: float, digits: int) -> str:
    return "0" if value == 0 else f"{value:.{digits}e}" if isfinite(value) else "—"


def _deviation(value: float, decimals: int) -> str:
    """In fixed point too, unless that would show none of it."""
    text = _fixed(value, decimals)
    return f"{value:.1e}" if isfinite(value) and value > 0 and float(text) == 0 else text
