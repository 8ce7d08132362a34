"""Bars of block characters, in eighths of a cell, and the axis beneath them."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

STANDING = " ▁▂▃▄▅▆▇█"
LYING = " ▏▎▍▌▋▊▉█"


def standing(heights: Sequence[float], lines: int) -> list[str]:
    """Bars side by side, each of a height from 0 to 1; so many lines, the uppermost first."""
    eighths = [round(8 * lines * min(max(height, 0.0), 1.0)) for height in heights]
    return ["".join(STANDING[min(max(e - 8 * below, 0), 8)] for e in eighths) for below in range(lines - 1, -1, -1)]


def lying(length: float, cells: int) -> str:
    """A bar of a length from 0 to 1, with blanks up to the end of so many cells."""
    full, rest = divmod(round(8 * cells * min(max(length, 0.0), 1.0)), 8)
    return ("█" * full + LYING[rest] * (rest > 0)).ljust(cells)


def axis(low: float, high: float, cells: int, logarithmic: bool = False) -> tuple[str, str]:
    """A line with ticks at round numbers, and these beneath it, for cells that cover the range between them."""
    line, below = ["─"] * cells, ""
    most = max(2, cells // 12)
    for value, label in ticks_of_logarithms(low, high, most) if logarithmic else ticks(low, high, most):
        share = log10(value / low) / log10(high / low) if logarithmic else (value - low) / (high - low)
        at = min(cells - 1, floor(share * cells))
        begin = min(max(0, at - (len(label) - 1) // 2), cells - len(label))
        if begin > len(below) or not below:
            line[at] = "┬"
            below = below.ljust(begin) + label
    return "".join(line), below


def ticks(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """Round numbers in a range, at most so many and one more, each with its label."""
    if not high > low:
        return []
    rough = (high - low) / most
    power = 10.0 ** floor(log10(rough))
    step = next(power * times for times in (1, 2, 5, 10) if power * times >= rough * (1 - 1e-9))
    last = floor(log10(step) + 1e-9)  # the power of ten of the last digit that is shown
    places = range(ceil(low / step - 1e-9), floor(high / step + 1e-9) + 1)
    first = floor(log10(max(abs(low), abs(high))))
    shown = f".{max(0, -last)}f" if first < 7 and last >= -6 else f".{first - last + 1}g"
    return [(place * step, f"{place * step or 0.0:{shown}}") for place in places]


def ticks_of_logarithms(low: float, high: float, most: int) -> list[tuple[float, str]]:
    """The same along a logarithmic axis: 1, 2 and 5 times powers of ten, or these alone, or every second of them, …"""
    if not high > low > 0:
        return []
    powers = range(floor(log10(low)), ceil(log10(high)) + 1)
    for step, times in ((1, (1, 2, 5)), *((step, (1,)) for step in range(1, len(powers) + 1))):
        places = [(time, power) for power in powers if power % step == 0 for time in times]
        found = [float(f"{time}e{power}") for time, power in places]
        found = [value for value in found if low * (1 - 1e-9) <= value <= high * (1 + 1e-9)]
        if len(found) <= most + 1:
            break
    return [(value, f"{value:,.6g}" if 1e-4 <= value < 1e6 else f"{value:.0e}") for value in found]
