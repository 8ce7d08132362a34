"""The components as they look along single columns, from the parameters alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.reports.run import Run

DRAWN = 2000  # rows of each component, whose middle is the range to look at
TAIL = 0.002  # of them are left out at each end
WIDER = 0.08  # of the range, beyond it on both sides
ENDS = {"positive": (0.0, np.inf), "proportion": (0.0, 1.0), "count": (0.0, np.inf)}  # of the types that have any


@dataclass(frozen=True, slots=True, eq=False)
class Marginal:
    """Along one column: n intervals from low to high, or the n whole numbers."""

    low: float
    high: float
    densities: Array  # (K, n) times the weights; (K + 1, n) where there is noise
    whole: bool


def ranges(run: Run) -> Array:
    """(D, 2) where the components are, column by column."""
    k, rng = run.k, np.random.default_rng(0)
    labels = np.repeat(np.arange(k), DRAWN)
    drawn = run.model.family.sample(run.parameters.components, labels, rng).reshape(-1, k, DRAWN)
    low = np.quantile(drawn, TAIL, axis=2).min(axis=1)
    high = np.quantile(drawn, 1 - TAIL, axis=2).max(axis=1)
    wider = np.where(high > low, WIDER * (high - low), 0.5)
    found = np.stack([low - wider, high + wider], axis=1)
    for place, column in enumerate(run.schema.columns):
        found[place] = np.clip(found[place], *ENDS.get(column.type, (-np.inf, np.inf)))
    return found


def marginal(run: Run, place: int, low: float, high: float, n: int) -> Marginal:
    """Of the column at that place, in so many intervals; of a count by whole numbers, if there are no more of them."""
    count = run.column(place).type == "count"
    if count:
        low, high = np.ceil(low), np.floor(high)
    whole = count and high - low < n
    at = np.arange(low, high + 1) if whole else low + (np.arange(n) + 0.5) / n * (high - low)
    with np.errstate(over="ignore"):  # a density may have a pole
        densities = run.weights[:, None] * np.exp(run.log_density([place], np.rint(at)[None] if count else at[None]))
    return Marginal(low, high, np.nan_to_num(densities, nan=0.0), whole)


def moments(run: Run, places: Sequence[int]) -> tuple[Array, Array]:
    """Mean and standard deviation (K, d) of the components in these columns, where they have them."""
    mean, sd = run.model.family.moments(run.parameters.components)
    return mean[:, list(places)], sd[:, list(places)]


def standardised_means(run: Run, places: Sequence[int]) -> Array:
    """(K, d) means of the components in standard deviations of the mixture, from its mean; NaN where it has none."""
    mean, sd = moments(run, places)
    share = run.weights[: run.k] / run.weights[: run.k].sum()
    centre = share @ mean
    with np.errstate(invalid="ignore"):
        spread = np.sqrt(share @ (sd**2 + (mean - centre) ** 2))
        found: Array = (mean - centre) / np.where(spread > 0, spread, np.nan)
    return found


def separation(run: Run, places: Sequence[int]) -> Array:
    """(d,) how far apart the means of the components are: the share of the variance that lies between them."""
    share = run.weights[: run.k] / run.weights[: run.k].sum()
    between: Array = share @ np.nan_to_num(standardised_means(run, places)) ** 2
    return between
