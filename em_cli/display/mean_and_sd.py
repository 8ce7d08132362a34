"""Means and standard deviations of a column, in the units of the data, one under the other."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from em_cli.printable import FEW_DIGITS, Pair, mean_and_sd, spread, without_dust


def aligned(pairs: Sequence[Pair], errors: Sequence[float] | None = None) -> list[str]:
    """`mean (sd)` of each component, or `mean ± error (sd)`, by the decimal point of the means."""
    pairs = without_dust(pairs)
    if errors is None:
        said = [mean_and_sd(mean, sd) for mean, sd in pairs]
        return _columns([mean for mean, _ in said], [f"({sd})" for _, sd in said])
    near = [_near(mean, error, sd) for (mean, sd), error in zip(pairs, errors, strict=True)]
    spreads = [spread(sd) for _, sd in pairs]
    return _columns([mean for mean, _ in near], [f"± {error}" for _, error in near], [f"({sd})" for sd in spreads])


def _near(mean: float | None, error: float, sd: float | None) -> tuple[str, str]:
    """The mean by its error; by its deviation, where the error is not known."""
    if isfinite(error):
        return mean_and_sd(mean, error, FEW_DIGITS)
    return mean_and_sd(mean, sd, FEW_DIGITS)[0], "—"


def _columns(means: Sequence[str], *others: Sequence[str]) -> list[str]:
    wholes = [mean.partition(".")[0] for mean in means]
    parts = [mean[len(whole) :] for mean, whole in zip(means, wholes, strict=True)]
    left, right = max(map(len, wholes)), max(map(len, parts))
    first = [f"{whole:>{left}}{part:<{right}}" for whole, part in zip(wholes, parts, strict=True)]
    widths = [max(map(len, texts)) for texts in others]
    return [" ".join([one, *map(str.ljust, more, widths)]) for one, *more in zip(first, *others, strict=True)]
