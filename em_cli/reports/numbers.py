"""Numbers for people."""

from __future__ import annotations

from math import floor, isfinite, log10

from em_cli.printable import FEW_DIGITS, fixed, mean_and_sd


def shown(value: float | None, decimals: int) -> str:
    return fixed(value, decimals)


def significant(value: float | None, digits: int = 4) -> str:
    """With so many digits, in fixed point where that is readable."""
    if value is None or not isfinite(value):
        return "—"
    if value and not 1e-4 <= abs(value) < 1e9:
        return f"{value:.{digits - 1}e}"
    return shown(value, decimals_of(value, digits))


def decimals_of(value: float, digits: int) -> int:
    """That show so many digits of the value."""
    return min(12, max(0, digits - 1 - floor(log10(abs(value))))) if value else 0


def spread(mean: float | None, sd: float | None) -> str:
    """A mean with its standard deviation in brackets."""
    return "{} ({})".format(*mean_and_sd(mean, sd))


def with_error(mean: float, error: float, sd: float | None) -> str:
    """A mean with its standard error, and the standard deviation in brackets."""
    mean_shown, error_shown = mean_and_sd(mean, error, FEW_DIGITS)
    return f"{mean_shown} ± {error_shown} ({mean_and_sd(0.0, sd, FEW_DIGITS)[1]})"


def percent(share: float) -> str:
    """What is nearly none is not called none, nor what is nearly all all."""
    if share in (0, 1):
        return f"{share:.0%}".replace("%", " %")
    if 0 < share < 0.001:
        return "< 0.1 %"
    if 0.999 < share < 1:
        return "> 99.9 %"
    return f"{100 * share:.1f} %" if share < 0.1 or share > 0.9 else f"{100 * share:.0f} %"


def several(n: int, noun: str) -> str:
    """In words where it is small."""
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return f"{words[n] if n < len(words) else f'{n:,}'} {noun}{'' if n == 1 else 's'}"
