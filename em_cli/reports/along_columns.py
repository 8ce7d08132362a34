"""The components as they look along single columns, from the parameters alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.reports.extents import MARGIN, long_tailed, wider
from em_cli.reports.finished_run import FinishedRun

DRAWN = 2000  # rows of each component, whose middle is the range to look at
TAIL = 0.002  # of them are left out at each end


@dataclass(frozen=True, slots=True, eq=False)
class Marginal:
    """Along one column: n intervals from low to high, or the n whole numbers."""

    low: float
    high: float
    densities: Array  # (K, n) times the weights; (K + 1, n) where there is noise
    whole: bool
    logarithmic: bool = False  # the intervals are equal in the logarithm, and so is the density


def by_itself(run: FinishedRun, place: int) -> bool:
    """Whether the cells of a column have a probability without others of their rows."""
    return run.beside(place) == ()


def ranges(run: FinishedRun) -> tuple[Array, Flags]:
    """(D, 2) where the components are, column by column, and (D,) whether only a logarithmic axis shows most of it."""
    labels = np.repeat(np.arange(run.k), DRAWN)
    drawn = run.model.family.sample(run.parameters.components, labels, np.random.default_rng(0))
    drawn = drawn.reshape(-1, run.k, DRAWN)
    ends = np.stack(
        [np.quantile(drawn, TAIL, axis=2).min(axis=1), np.quantile(drawn, 1 - TAIL, axis=2).max(axis=1)], axis=1
    )
    share = np.floor(DRAWN * run.weights[: run.k] / run.weights[: run.k].max()).astype(np.intp)
    mixed = np.concatenate([drawn[:, k, : share[k]] for k in range(run.k)], axis=1)
    logarithmic = np.array([long_tailed(run, place, x) and ends[place, 0] > 0 for place, x in enumerate(mixed)])
    found = [
        (low / (high / low) ** MARGIN, high * (high / low) ** MARGIN) if bent else wider(run, place, low, high)
        for place, ((low, high), bent) in enumerate(zip(ends.tolist(), logarithmic, strict=True))
    ]
    return np.array(found), logarithmic


def marginal(run: FinishedRun, place: int, low: float, high: float, n: int, logarithmic: bool = False) -> Marginal:
    """Of the column at that place, in so many intervals; of a count by whole numbers, if there are no more of them."""
    if logarithmic:
        at = low * (high / low) ** ((np.arange(n) + 0.5) / n)
        densities = run.weights[:, None] * np.exp(run.log_density_beside([place], at[None])) * at
        return Marginal(low, high, densities, False, True)
    count = run.column(place).type == "count"
    if count:
        low, high = max(np.ceil(low), 0.0), np.floor(high)
    whole = count and high - low < n
    at = np.arange(low, high + 1) if whole else low + (np.arange(n) + 0.5) / n * (high - low)
    with np.errstate(over="ignore"):  # a density may have a pole
        densities = run.weights[:, None] * np.exp(run.log_density_beside([place], (np.rint(at) if count else at)[None]))
    mass = run.mass(place)
    if mass is not None and low <= mass <= high:  # spread over its interval
        share = run.weights * np.exp(run.log_density([place], np.array([[mass]]))[:, 0])
        densities[:, min(int((mass - low) / (high - low) * n), n - 1)] += share * n / (high - low)
    return Marginal(low, high, densities, whole)
