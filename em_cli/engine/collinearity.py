"""Columns that are linear functions of others, exactly or as far as their rounding can show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.column_summary import RELATIVE_RESOLUTION
from em_cli.engine.columns import WIDE

ROUNDING = 1e-12  # of a variance, by which one that is none may seem to be some
NEGLIGIBLE = 1e-8  # of a variance: four digits of a column are told by others, and what is left means nothing
LEFT = 0.01  # of a variance; a column of which others leave more than that is no function of theirs
SAMPLE = 20_000  # rows on which functions are looked for; they must hold in all
SLACK = 2.0  # of a variance of a sample
COARSER = 3.0  # times; what is rounded more coarsely than that is taken for exact
FARTHEST = 10.0  # times the deviation that is negligible, in no row
SPARE = 5  # rows beyond those that any function would fit
DIGITS = 7  # of a coefficient, at most
DECIMALS = 9  # of numbers that are taken for rounded ones


@dataclass(frozen=True, slots=True)
class LinearFunction:
    """What a column is of others, in the rows in which all of them are seen."""

    of: tuple[int, ...]
    coefficients: tuple[float, ...]
    intercept: float
    exact: bool  # but for the last digits of floating-point numbers; else as far as rounding can show


Pieces = Callable[[Sequence[int]], Iterable[Array]]  # all cells (C, m) of some columns, piece by piece


def sampled(n: int) -> Integers:
    """The rows, of so many, on which functions are looked for."""
    return np.arange(n) if n <= SAMPLE else np.linspace(0, n - 1, SAMPLE).astype(np.intp)


def linear_functions(x: Array, order: Sequence[int], pieces: Pieces | None = None) -> dict[int, LinearFunction]:
    """Which columns (D, n) are linear functions of others, and of which: of one other column if that is possible.

    Of two that tell the same it is the later in this order; of a column and its rounded copy, the copy.
    NaN is a missing cell. Among more than WIDE columns none is looked for. Where these rows are a sample, what is
    found in them must hold in all `pieces`.
    """
    if not 2 <= len(x) <= WIDE:
        return {}
    fine = _rounding(x)
    alike = _alike(x, fine)
    seek = _Seek(x, pieces)
    found: dict[int, LinearFunction] = {}
    for place, j in enumerate(order):
        _note_copies(seek, alike, j, order[:place], found)
    for place, j in enumerate(order):
        if j not in found:
            _note_copies(seek, alike, j, order[place + 1 :], found)
    return found | _of_several(seek, fine, [j for j in order if j not in found])


@dataclass(frozen=True, slots=True, eq=False)
class _Seek:
    """Columns (D, n) in which functions are looked for, and all rows, where these are some of them."""

    x: Array
    pieces: Pieces | None

    def function(self, j: int, of: list[int]) -> LinearFunction | None:
        """Column j as a linear function of these; None if it is none as far as the rounding of all can show."""
        found = _function(self.x, j, of)
        if found is None or self.pieces is None:
            return None if found is None else found[0]
        function, furthest = found
        exact, slopes = function.exact, np.array(function.coefficients)
        for y, *others in self.pieces([j, *function.of]):
            rest = np.abs(y - slopes @ np.array(others) - function.intercept)
            rest = rest[~np.isnan(rest)]
            if (rest > furthest).any():
                return None
            exact = exact and bool(rest.max(initial=0.0) <= _no_more(y))
        return replace(function, exact=exact)


def _note_copies(seek: _Seek, alike: Flags, j: int, others: Sequence[int], found: dict[int, LinearFunction]) -> None:
    """Note of which of the others column j is a function, if of any."""
    for i in others:
        if i not in found and alike[i, j] and (function := seek.function(j, [i])) is not None:
            found[j] = function
            return


def _rounding(x: Array) -> Array:
    """The variance (D,) that rounding gives each column (D, n), as a share of its own; at least what may seem some."""
    shares = np.zeros(len(x))
    for j, column in enumerate(x):
        seen = column[~np.isnan(column)]
        if len(seen) and (sd := float(seen.std())) > 0:
            shares[j] = (resolution(seen) / sd) ** 2 / 12
    return shares


def _alike(x: Array, fine: Array) -> Flags:
    """Whether rounding may be all that one column leaves (D, D) of another, where both are seen (D, n)."""
    seen = (~np.isnan(x)).astype(np.float64)
    filled = np.where(seen > 0, x, 0.0)
    mean = filled.sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
    z = np.where(seen > 0, x - mean[:, None], 0.0)
    scale = np.abs(z).max(axis=1, initial=0.0)
    z /= np.where(scale > 0, scale, 1.0)[:, None]
    n = np.maximum(seen @ seen.T, 1)
    sums, squares = z @ seen.T, (z * z) @ seen.T
    variance = squares - sums**2 / n  # of row i where column j is seen
    covariance = z @ z.T - sums * sums.T / n
    both = variance * variance.T
    left = 1 - np.divide(covariance**2, both, out=np.zeros_like(both), where=both > 0)
    flags: Flags = left <= np.minimum(LEFT, SLACK * (fine + fine[:, None]) + NEGLIGIBLE)
    return flags


def _of_several(seek: _Seek, fine: Array, order: list[int]) -> dict[int, LinearFunction]:
    """Functions of two columns or more, found by sweeping out (D, D) the correlation of complete rows."""
    found: dict[int, LinearFunction] = {}
    x = seek.x
    rows = x[order][:, ~np.isnan(x[order]).any(axis=0)]
    if len(order) < 3 or rows.shape[1] < len(order) + SPARE:
        return found
    z = rows - rows.mean(axis=1, keepdims=True)
    norm = np.sqrt((z * z).sum(axis=1))
    if not (norm > 0).all():
        return found
    z /= norm[:, None]
    correlation, fine = z @ z.T, fine[order]
    rest, kept = correlation.copy(), list[int]()
    for j in range(len(order)):
        if len(kept) > 1 and rest[j, j] <= LEFT and (some := _fewest(correlation, fine, j, kept)):
            function = seek.function(order[j], sorted(order[place] for place in some))
            if function is not None:
                found[order[j]] = function
                continue
        if rest[j, j] > ROUNDING:
            rest -= rest[:, [j]] * (rest[j] / rest[j, j])
            kept.append(j)
    return found


def _fewest(correlation: Array, fine: Array, j: int, kept: list[int]) -> list[int]:
    """The fewest of the kept columns that leave nothing but rounding of column j; none if all of them leave more."""
    share = _shares(correlation, j, kept)
    if _left(correlation, fine, j, kept, share) > 0:
        return []
    weighty = [kept[place] for place in np.argsort(-np.abs(share))]
    fewest, most = 2, len(kept)
    while fewest < most:
        middle = (fewest + most) // 2
        some = weighty[:middle]
        if _left(correlation, fine, j, some, _shares(correlation, j, some)) > 0:
            fewest = middle + 1
        else:
            most = middle
    return weighty[:most]


def _shares(correlation: Array, j: int, of: list[int]) -> Array:
    """The slopes of column j on these, all of variance one."""
    return np.asarray(np.linalg.lstsq(correlation[np.ix_(of, of)], correlation[of, j])[0], np.float64)


def _left(correlation: Array, fine: Array, j: int, of: list[int], share: Array) -> float:
    """What these leave of column j beyond rounding."""
    left = 1 - float(share @ correlation[of, j])
    return left - min(LEFT, SLACK * float(fine[j] + share**2 @ fine[of]) + NEGLIGIBLE)


def _function(columns: Array, j: int, of: list[int]) -> tuple[LinearFunction, float] | None:
    """Column j as a linear function of these, and how far off it may be; None if it is none in these rows."""
    seen: Flags = ~np.isnan(columns[j])
    for i in of:
        seen &= ~np.isnan(columns[i])
    n, m = int(seen.sum()), len(of)
    if n < 2 * (m + 1) or n < m + 1 + SPARE:
        return None
    y, x = columns[j][seen], np.array([columns[i][seen] for i in of])
    mean, sd = x.mean(axis=1), x.std(axis=1)
    if not (sd > 0).all() or not (y_sd := float(y.std())) > 0:
        return None
    z, centred = (x - mean[:, None]) / sd[:, None], y - y.mean()
    slopes = np.linalg.lstsq(z.T, centred)[0] / sd
    own, steps = resolution(y), np.array([resolution(row) for row in x])
    steps[np.abs(slopes) * steps > COARSER * own] = 0.0  # a finer column is no function of a coarse one
    residual = centred - slopes @ (x - mean[:, None])
    variance = float(residual @ residual) / (n - m - 1)
    rounded = float(own**2 + (slopes**2) @ steps**2) / 12 + ROUNDING * y_sd**2
    furthest = (own + float(np.abs(slopes) @ steps)) / 2 * (1 + 4 / np.sqrt(n)) + 4 * np.sqrt(ROUNDING) * y_sd
    furthest = max(furthest, FARTHEST * np.sqrt(NEGLIGIBLE) * y_sd)
    if (
        variance > min(max(rounded * (1 + 4 / np.sqrt(n)), NEGLIGIBLE * y_sd**2), LEFT * y_sd**2)
        or np.abs(residual).max() > furthest
    ):
        return None
    readable, intercept = _readable(slopes, y, x, furthest)
    kept = [place for place, slope in enumerate(readable) if slope]
    exact = bool(np.abs(y - readable @ x - intercept).max() <= _no_more(y))
    function = LinearFunction(
        tuple(of[place] for place in kept), tuple(float(readable[place]) for place in kept), intercept, exact
    )
    return function, furthest


def _no_more(y: Array) -> float:
    """How far from a column an exact function of others may be, for its last digits."""
    seen = y[~np.isnan(y)]
    return float(np.sqrt(ROUNDING) * seen.std() + 1e-14 * np.abs(seen).max()) if len(seen) else 0.0


def _readable(slopes: Array, y: Array, x: Array, furthest: float) -> tuple[Array, float]:
    """The slopes with the fewest digits that do no worse than rounding, and the intercept."""
    for digits in range(1, DIGITS + 1):
        rounded = np.array([float(f"{slope:.{digits - 1}e}") for slope in slopes])
        rounded[np.abs(rounded) * x.std(axis=1) < np.sqrt(ROUNDING) * y.std()] = 0.0
        rest = y - rounded @ x
        middle = (float(rest.max()) + float(rest.min())) / 2
        for places in range(-3, DECIMALS + 1):
            intercept = round(middle, places)
            if np.abs(rest - intercept).max() <= furthest:
                return rounded, intercept + 0.0
    return slopes, float((y - slopes @ x).mean())


def resolution(values: Array) -> float:
    """The unit of decimal places in which all values (n,) are whole; a small part of their spread if there is none."""
    smallest = RELATIVE_RESOLUTION * float(values.std())
    for places in range(DECIMALS + 1):
        unit = 10.0**-places
        if unit < smallest:
            break
        if all(_whole(some / unit) for some in (values[:100], values)):
            return unit
    return smallest


def _whole(values: Array) -> bool:
    return bool((np.abs(values - np.round(values)) <= 1e-9 * np.maximum(np.abs(values), 1.0)).all())


def one_to_one(pairs: Iterable[tuple[Integers, Integers]], n_levels: int) -> bool:
    """Whether two columns of as many levels, -1 where a cell is missing, part the rows alike; they come in pieces."""
    found = np.empty(0, np.intp)
    for codes, others in pairs:
        seen = (codes >= 0) & (others >= 0)
        found = np.union1d(found, codes[seen] * n_levels + others[seen])
        if len(found) > n_levels:
            return False
    return len(found) == n_levels == len(np.unique(found // n_levels)) == len(np.unique(found % n_levels))
