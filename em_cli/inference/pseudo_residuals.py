"""Pseudo-residuals of rows that follow each other: normal scores of what was forecast one step before.

Where the model is right they are independent and standard normal (Zucchini, MacDonald & Langrock 2016, 6.2). The
distribution function of a column in a state is summed up from its density, with the other columns integrated out.
Of levels, in their order, a place is drawn within what is between less and no more (Dunn & Smyth 1996), the same in
every run: so these are normal too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.engine.scoring import component_log_density
from em_cli.errors import UsageError
from em_cli.sources.schema import Column

POINTS = 20_001  # at which a density is looked at
CERTAIN = 1e-3  # by which a density may miss a sum of one
FAR = 12.0  # standard deviations beyond the mean, to which counts are summed
MOST_COUNTS = 10_000_000
TYPES = ("numeric", "positive", "proportion", "count", "binary", "categorical")


def forecast_of(model: Model, parameters: Parameters, filtered: Array, groups: Integers) -> Array:
    """(K, n) what is known of each step before it is seen, from what is known with it; of groups of steps."""
    decoder, law = model.latent.decoder, parameters.latent
    assert decoder is not None, "rows follow each other"
    before = np.empty_like(filtered)
    before[:, 1:] = decoder.ahead(law, filtered, 1)[:, :-1, 0]
    before[:, groups[:-1]] = decoder.law_of_first(law)[:, None]
    return before


@dataclass(frozen=True, slots=True, eq=False)
class Forecasts:
    """What a model expects of rows before they are seen; any cell of it may be missing."""

    model: Model
    parameters: Parameters
    columns: Sequence[Column]
    states: Array  # (K, n) probabilities of the states of rows before they were seen

    def residuals(self, place: int, x: Array) -> Array:
        """(n,) of one column; NaN where its cell is missing."""
        from scipy.special import ndtri

        known, column = ~np.isnan(x), self.columns[place]
        within = np.random.default_rng(place).random(len(x))[known]
        found = np.full(len(x), np.nan)
        below, above = np.zeros(known.sum()), np.zeros(known.sum())
        for state, share in enumerate(self.states[:, known]):
            if column.type in ("binary", "categorical"):
                lower, upper = _tails_of_levels(self, place, state, x[known], within)
            else:
                lower, upper = _tails(self, place, state, x[known])
            below += share * lower
            above += share * upper
        tiny = np.finfo(float).tiny
        found[known] = np.where(below <= above, ndtri(np.maximum(below, tiny)), -ndtri(np.maximum(above, tiny)))
        return found


def _tails(by: Forecasts, place: int, state: int, x: Array) -> tuple[Array, Array]:
    """(n,) the probability of less and of more than each value in a state; a whole number is half below, half above."""
    column = by.columns[place]
    means, sds = by.model.family.moments(by.parameters.components)
    centre, spread = float(means[state, place]), float(sds[state, place])
    if not np.isfinite(centre):
        centre = float(np.median(x))
    if not np.isfinite(spread) or spread <= 0:
        spread = float(np.median(np.abs(x - centre))) or 1.0
    if column.type == "count":
        return _tails_of_counts(by, place, state, x, centre + FAR * spread)
    z, at, slope = _grid(column, centre, spread)
    density = np.exp(_log_density(by, place, state, at)) * slope
    steps = np.diff(z) * (density[1:] + density[:-1]) / 2
    total = steps.sum()
    _check(total, column)
    lower = np.concatenate([[0.0], np.cumsum(steps)]) / total
    upper = np.concatenate([np.cumsum(steps[::-1])[::-1], [0.0]]) / total
    where = _inverse(column, x)
    return np.interp(where, z, lower), np.interp(where, z, upper)


def _tails_of_levels(by: Forecasts, place: int, state: int, x: Array, within: Array) -> tuple[Array, Array]:
    """(n,) the probability of less and of more than each level, its own parted where the row's lot (n,) says."""
    p = np.exp(_log_density(by, place, state, np.arange(max(2.0, len(by.columns[place].levels)))))
    _check(p.sum(), by.columns[place])
    below, above, at = np.cumsum(p) - p, np.cumsum(p[::-1])[::-1] - p, x.astype(np.intp)
    return below[at] + within * p[at], above[at] + (1 - within) * p[at]


def _tails_of_counts(by: Forecasts, place: int, state: int, x: Array, far: float) -> tuple[Array, Array]:
    last = int(max(x.max(initial=0), far)) + 1
    if last > MOST_COUNTS:
        raise UsageError(f"--residuals: counts up to {last:,} are too large to sum their probabilities.")
    p = np.exp(_log_density(by, place, state, np.arange(last + 1.0)))
    _check(p.sum(), by.columns[place])
    lower, upper = np.cumsum(p) - p / 2, np.cumsum(p[::-1])[::-1] - p / 2
    at = x.astype(np.intp)
    return lower[at], upper[at]


def _log_density(by: Forecasts, place: int, state: int, values: Array) -> Array:
    """(m,) of one column in a state, whatever the others hold."""
    rows = np.full((len(by.columns), len(values)), np.nan)
    rows[place] = values
    density: Array = component_log_density(by.model, by.parameters, rows)[state]
    return density


def _grid(column: Column, centre: float, spread: float) -> tuple[Array, Array, Array]:
    """Places z on the whole line, the values (m,) of the column there and their slope; dense where these are likely."""
    u = np.tan(np.pi * (np.arange(1, POINTS + 1) / (POINTS + 1) - 0.5))
    if column.type == "positive":
        z = np.log(centre) + np.sqrt(np.log1p((spread / centre) ** 2)) * u
        z = z[np.abs(z) < 700]
        return z, np.exp(z), np.exp(z)
    if column.type == "proportion":
        inside = centre * (1 - centre)
        z = np.log(centre / (1 - centre)) + min(spread / inside, 50.0) * u
        z = z[np.abs(z) < 36]
        at = 1 / (1 + np.exp(-z))
        return z, at, at * (1 - at)
    z = centre + spread * u
    return z, z, np.ones_like(z)


def _inverse(column: Column, x: Array) -> Array:
    if column.type == "positive":
        return np.log(x)
    return np.log(x / (1 - x)) if column.type == "proportion" else x


def _check(total: float, column: Column) -> None:
    """`UsageError` if a density of this column alone does not sum to one."""
    if not abs(total - 1) < CERTAIN:
        raise UsageError(
            f"--residuals: the density of column {column.name!r} alone cannot be summed (it gives {total:.4g}): "
            "it depends on another column, or is too sharp."
        )
