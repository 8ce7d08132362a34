"""Confidence intervals from bootstrap replicates: Wald's, on a scale on which estimates are nearly normal."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from em_cli.engine.arrays import Array

PROBABILITIES = (
    "weights", "probabilities", "value_probabilities", "zero_probabilities", "noise", "transmat", "startprob",
    "stationary",
)  # fmt: skip
LOCATIONS = (
    "means", "mean", "loadings", "locations", "directions", "coefficients", "common_coefficients", "typical_design",
)  # fmt: skip
SQUARES = ("covariances", "scales")  # matrices, whose numbers aside of the diagonal may be negative
OF_TYPE = {"count": "log", "positive": "log", "proportion": "logit"}  # the scale of a mean, by the type of its column
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


def interval(
    name: str,
    estimate: float,
    values: Array,
    level: float,
    jackknife: bool = False,
    of_type: str | None = None,
    declared: str | None = None,
) -> Interval:
    """Of a number of a fit, from those (B,) of the replicates.

    Its scale is that which its family has `declared`, or goes by its name and the type of its column.
    """
    scale = scale_of(name, estimate, values, of_type, declared)
    moved = _to(scale, values)
    spread = _jackknifed if jackknife else _deviation
    half = NormalDist().inv_cdf((1 + level) / 2) * spread(moved)
    middle = _to(scale, np.array([estimate]))[0]
    low, high = _back(scale, np.array([middle - half, middle + half]))
    error = spread(values)
    return Interval(error, error / float(np.sqrt(2 * len(values))), float(low), float(high), scale)


def fixed(name: str, values: Array) -> bool:
    """Whether replicates (B,) leave a number where it is: at the end of its range, or altogether."""
    if parameter_of(name) in PROBABILITIES and (np.minimum(values, 1 - values) < AT_END).all():
        return True
    return bool(np.ptp(values) <= AT_END * np.abs(values).max())


def at_bound(name: str, estimate: float, error: float) -> bool:
    """Whether a probability is zero or one but for the end of a climb: its error is far larger than its distance."""
    return parameter_of(name) in PROBABILITIES and error > BEYOND * min(estimate, 1 - estimate)


def parameter_of(name: str) -> str:
    """`groups[1].rates[2][1]` is one of the rates."""
    return name.rpartition(".")[2].partition("[")[0]


def scale_of(name: str, estimate: float, values: Array, of_type: str | None = None, declared: str | None = None) -> str:
    """Logit for probabilities, log for what is positive by its nature."""
    parameter, places = parameter_of(name), name.rpartition(".")[2].count("[")
    lowest, highest = min(estimate, float(values.min())), max(estimate, float(values.max()))
    wanted = "logit" if parameter in PROBABILITIES else "log"
    if declared is not None:
        wanted = declared
    elif parameter in LOCATIONS:
        wanted = OF_TYPE.get(of_type or "", "identity")
    elif parameter in SQUARES and places == 3 and len(set(name[:-1].replace("]", "").split("[")[-2:])) > 1:
        wanted = "identity"
    inside = lowest > 0 and (wanted == "log" or highest < 1)
    return wanted if inside else "identity"


def _deviation(values: Array) -> float:
    return float(values.std(ddof=1))


def _jackknifed(values: Array) -> float:
    n = len(values)
    return float(np.sqrt((n - 1) / n * np.square(values - values.mean()).sum()))


def _to(scale: str, values: Array) -> Array:
    if scale == "identity":
        return values
    logs: Array = np.log(values)
    return logs if scale == "log" else logs - np.log1p(-values)


def _back(scale: str, values: Array) -> Array:
    if scale == "identity":
        return values
    with np.errstate(over="ignore"):
        return np.exp(values) if scale == "log" else 1 / (1 + np.exp(-values))
