"""Means and standard deviations of a column, in the units of the data, one under the other."""

from __future__ import annotations

from collections.abc import Sequence
from math import floor, isfinite, log10

LONGEST = 14  # digits
Pair = tuple[float, float]  # mean and standard deviation


def aligned(pairs: Sequence[Pair]) -> list[str]:
    """`mean ± sd` of each component: as many decimals as the deviations deserve, the same in all."""
    means, sds = [mean for mean, _ in pairs], [sd for _, sd in pairs]
    left, right = _formatted(means, sds)
    widths = max(map(len, left)), max(map(len, right))
    return [f"{mean:>{widths[0]}} ± {sd:<{widths[1]}}" for mean, sd in zip(left, right, strict=True)]


def _formatted(means: Sequence[float], sds: Sequence[float]) -> tuple[list[str], list[str]]:
    """Fixed point where that is readable, else powers of ten."""
    sizes = [abs(value) for value in (*means, *sds) if isfinite(value) and value]
    spreads = [sd for sd in sds if isfinite(sd) and sd > 0]
    if not sizes:
        return [_fixed(mean, 1) for mean in means], [_fixed(sd, 1) for sd in sds]
    largest = _power(max(sizes))
    finest = max(_power(min(spreads)), _power(max(spreads)) - 2) if spreads else largest - 1
    decimals = 2 - finest
    if largest < -3 or (decimals < 0 and largest >= 7):
        digits = min(max(largest - finest + 2, 2), 9)
        return [_scientific(mean, digits) for mean in means], [_scientific(sd, 2) for sd in sds]
    decimals = min(max(decimals, 0), max(LONGEST - max(largest, 0), 0))
    return [_fixed(mean, decimals) for mean in means], [_deviation(sd, decimals) for sd in sds]


def _power(value: float) -> int:
    return floor(log10(value))


def _fixed(value: float, decimals: int) -> str:
    return f"{value:.{decimals}f}" if isfinite(value) else "—"


def _scientific(value: float, digits: int) -> str:
    return "0" if value == 0 else f"{value:.{digits}e}" if isfinite(value) else "—"


def _deviation(value: float, decimals: int) -> str:
    """In fixed point too, unless that would show none of it."""
    text = _fixed(value, decimals)
    return f"{value:.1e}" if isfinite(value) and value > 0 and float(text) == 0 else text
