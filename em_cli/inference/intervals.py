"""Confidence intervals from bootstrap replicates: Wald's, on a scale on which estimates are nearly normal."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from em_cli.engine.arrays import Array

PROBABILITIES = ("weights", "probabilities", "value_probabilities", "zero_probabilities", "noise")
LOCATIONS = ("means", "mean", "loadings", "locations", "directions")
AT_END = 1e-9
MOST_LOST = 0.05  # of the replicates, beyond which there is no interval
MOST_DOUBTFUL = 0.10  # lost or ambiguous ones


@dataclass(frozen=True, slots=True)
class Interval:
    standard_error: float
    monte_carlo_error: float  # of it, by the number of replicates
    low: float
    high: float
    scale: str  # identity, log or logit


def interval(name: str, estimate: float, values: Array, level: float, jackknife: bool = False) -> Interval:
    """Of a number of a fit, by its name, from those (B,) of the replicates."""
    scale = scale_of(name, estimate, values)
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


def parameter_of(name: str) -> str:
    """`groups[1].rates[2][1]` is one of the rates."""
    return name.rpartition(".")[2].partition("[")[0]


def scale_of(name: str, estimate: float, values: Array) -> str:
    """Logit for probabilities, log for what is positive by its nature."""
    parameter = parameter_of(name)
    lowest, highest = min(estimate, float(values.min())), max(estimate, float(values.max()))
    if parameter in PROBABILITIES:
        return "logit" if lowest > 0 and highest < 1 else "identity"
    return "log" if parameter not in LOCATIONS and lowest > 0 else "identity"


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
