"""Confidence intervals from bootstrap replicates: Wald's, on a scale on which estimates are nearly normal."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.declared_numbers import Quantity

IDENTITY, LOG, LOGIT = "identity", "log", "logit"
SCALES = {
    Quantity.REAL: IDENTITY, Quantity.LOADING: IDENTITY, Quantity.POSITIVE: LOG, Quantity.PROBABILITY: LOGIT,
}  # fmt: skip
OF_TYPE = {"count": LOG, "positive": LOG, "proportion": LOGIT}  # the scale of a mean, by the type of its column
PLACES = re.compile(r"(\[\d+\])*$")
AT_END = 1e-9
BEYOND = (
    10.0  # standard errors for each unit of a probability's distance from zero or one: less than 0.01 rows are there
)
MOST_LOST = 0.05  # of the replicates, beyond which there is no interval
MOST_DOUBTFUL = 0.10  # lost or ambiguous ones


@dataclass(frozen=True, slots=True)
class Interval:
    standard_error: float
    monte_carlo_error: float  # of it, by the number of replicates
    low: float
    high: float
    scale: str  # identity, log or logit


def interval(estimate: float, values: Array, level: float, scale: str, jackknife: bool = False) -> Interval:
    """Of a number of a fit, from those (B,) of the replicates, of which a jackknife leaves out each row once.

    It is Wald's on the scale, or on none where one of the numbers has no place on it, such as the logarithm of zero.
    """
    lowest, highest = min(estimate, float(values.min())), max(estimate, float(values.max()))
    if not (lowest > 0 and (scale == LOG or highest < 1)):
        scale = IDENTITY
    moved = _to(scale, values)
    spread = _jackknifed if jackknife else _deviation
    half = NormalDist().inv_cdf((1 + level) / 2) * spread(moved)
    middle = _to(scale, np.array([estimate]))[0]
    low, high = _back(scale, np.array([middle - half, middle + half]))
    error = spread(values)
    return Interval(error, error / float(np.sqrt(2 * len(values))), float(low), float(high), scale)


def fixed(quantity: Quantity | None, values: Array) -> bool:
    """Whether replicates (B,) leave a number where it is: at the end of its range, or altogether."""
    if quantity is Quantity.PROBABILITY and (np.minimum(values, 1 - values) < AT_END).all():
        return True
    return bool(np.ptp(values) <= AT_END * np.abs(values).max())


def at_bound(quantity: Quantity | None, estimate: float, error: float) -> bool:
    """Whether a probability is zero or one but for the end of a climb: its error is far larger than its distance."""
    return quantity is Quantity.PROBABILITY and error > BEYOND * min(estimate, 1 - estimate)


def field_of(name: str) -> str:
    """That which a number stands in: `groups[1].rates[2][1]` in `groups[1].rates`."""
    return PLACES.sub("", name)


def places_of(name: str) -> tuple[int, ...]:
    """Where in its field, counted from one: (2, 1) of `groups[1].rates[2][1]`."""
    return tuple(int(place) for place in re.findall(r"\d+", name[len(field_of(name)) :]))


def scale_of(name: str, quantities: Mapping[str, Quantity], of_type: str | None = None) -> str:
    """On which a number may be any, by what it is, or if it is a mean, by the type of its column."""
    quantity = quantities.get(field_of(name))
    if quantity is Quantity.COVARIANCE:
        *_, row, column = places_of(name)
        return LOG if row == column else IDENTITY
    if quantity is not None:
        return SCALES[quantity]
    return OF_TYPE.get(of_type or "", IDENTITY) if name.startswith("mean[") else LOG


def _deviation(values: Array) -> float:
    return float(values.std(ddof=1))


def _jackknifed(values: Array) -> float:
    n = len(values)
    return float(np.sqrt((n - 1) / n * np.square(values - values.mean()).sum()))


def _to(scale: str, values: Array) -> Array:
    if scale == IDENTITY:
        return values
    logs: Array = np.log(values)
    return logs if scale == LOG else logs - np.log1p(-values)


def _back(scale: str, values: Array) -> Array:
    if scale == IDENTITY:
        return values
    with np.errstate(over="ignore"):
        return np.exp(values) if scale == LOG else 1 / (1 + np.exp(-values))
