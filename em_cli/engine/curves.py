"""Columns that are the logarithm, a power or the reciprocal of another one, exactly or as far as rounding can show."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.collinearity import ROUNDING, resolution

MOST = 100  # columns among which curves are looked for
LOOK_AT = 200  # rows, of which a pair that is no curve shows it
ENOUGH = 20  # rows, and
DISTINCT = 5  # values in them, which no curve passes by chance
NEARLY = 1e-3  # of a variance, that a curve may leave at most; and
FINE = 0.03  # of a spread; what is rounded more coarsely must lie on the curve
COARSE = 1e-3  # of a spread; what rounding of a column makes of its curve is heeded below that


@dataclass(frozen=True, slots=True)
class Shape:
    """What is made of a column, and its slope."""

    text: str
    of: Callable[[Array], Array]
    slope: Callable[[Array], Array]
    holds: Callable[[Array], bool]  # whether it can be made of all these cells


SHAPES = (
    Shape("log({})", np.log, lambda x: 1 / x, lambda x: bool((x > 0).all())),
    Shape("log(1 + {})", np.log1p, lambda x: 1 / (1 + x), lambda x: bool((x > -1).all())),
    Shape("{}²", np.square, lambda x: 2 * x, lambda x: True),
    Shape("{}³", lambda x: x**3, lambda x: 3 * x**2, lambda x: True),
    Shape("1/{}", np.reciprocal, lambda x: -1 / x**2, lambda x: bool((x != 0).all())),
)


@dataclass(frozen=True, slots=True)
class Curve:
    """Column i is a + b g(x), x being column `of`."""

    of: int
    shape: Shape
    a: float
    b: float


Pieces = Callable[[Sequence[int]], Iterable[Array]]  # all cells (C, m) of some columns, piece by piece


def curves(x: Array, wanted: Sequence[int], pieces: Pieces | None = None) -> dict[int, Curve]:
    """Which of these columns (D, n) are such functions of another one, which is none itself; NaN is a missing cell.

    Where the rows are a sample, what is found in them must hold in all `pieces`.
    """
    found = dict[int, Curve]()
    if not 2 <= len(x) <= MOST:
        return found
    with np.errstate(all="ignore"):  # what is beyond numbers is no curve
        for i, j, shape in _candidates(x, wanted):
            if i in found or j in found or any(curve.of == i for curve in found.values()):
                continue
            curve = _fitted(x[i], x[j], j, shape)
            if curve is not None and (pieces is None or all(_is_curve(y, z, curve) for y, z in pieces([i, j]))):
                found[i] = curve
    return found


def _candidates(x: Array, wanted: Sequence[int]) -> Iterator[tuple[int, int, Shape]]:
    """Pairs of a column and another one, and a shape, on which few rows leave next to nothing."""
    rows = x[:, np.linspace(0, x.shape[1] - 1, min(LOOK_AT, x.shape[1])).astype(np.intp)]
    for shape in SHAPES:
        for j, cells in enumerate(rows):
            seen = ~np.isnan(cells)
            if seen.sum() < ENOUGH or not shape.holds(cells[seen]) or len(np.unique(cells[seen])) < DISTINCT:
                continue
            made = np.full(len(cells), np.nan)
            made[seen] = shape.of(cells[seen])
            left = _left(rows[list(wanted)], made)
            yield from (
                (i, j, shape) for i, rest in zip(wanted, left.tolist(), strict=True) if i != j and rest < NEARLY
            )


def _left(y: Array, g: Array) -> Array:
    """The share of the variance (C,) of each of these rows (C, n) that a line in g (n,) leaves, where both are seen."""
    seen: Flags = ~np.isnan(y) & ~np.isnan(g)
    n = np.maximum(seen.sum(axis=1), 1)
    u = np.where(seen, y, 0.0)
    v = np.where(seen, g, 0.0)
    u = np.where(seen, u - (u.sum(axis=1) / n)[:, None], 0.0)
    v = np.where(seen, v - (v.sum(axis=1) / n)[:, None], 0.0)
    both = (u * u).sum(axis=1) * (v * v).sum(axis=1)
    square = (u * v).sum(axis=1) ** 2
    left: Array = 1 - np.divide(square, both, out=np.zeros_like(both), where=(both > 0) & (seen.sum(axis=1) >= ENOUGH))
    return left


def _fitted(y: Array, x: Array, of: int, shape: Shape) -> Curve | None:
    """The curve through all rows; None if rounding does not explain what it leaves."""
    seen = ~np.isnan(y) & ~np.isnan(x)
    if not shape.holds(x[~np.isnan(x)]):
        return None
    g = shape.of(x[seen])
    centred, spread = g - g.mean(), float(g.std())
    if not spread > 0 or len(np.unique(x[seen])) < DISTINCT:
        return None
    b = float(centred @ (y[seen] - y[seen].mean()) / (centred @ centred))
    for digits in range(1, 8):
        slope = float(f"{b:.{digits - 1}e}")
        rest = y[seen] - slope * g
        for a in (0.0, float(f"{(rest.max() + rest.min()) / 2:.6g}")):
            curve = Curve(of, shape, a, slope)
            if _is_curve(y, x, curve):
                return curve
    return None


def _is_curve(y: Array, x: Array, curve: Curve) -> bool:
    """Whether rounding explains how far cells are from it; so it does where none is seen."""
    seen = ~np.isnan(y) & ~np.isnan(x)
    y, x = y[seen], x[seen]
    if not len(y):
        return True
    if not curve.shape.holds(x):
        return False
    spread = float(y.std())
    step = resolution(y) if resolution(y) <= FINE * spread else 0.0
    own = step / 2 * (1 + 4 / np.sqrt(len(y))) + 4 * np.sqrt(ROUNDING) * spread
    theirs = np.abs(curve.b * curve.shape.slope(x)) * resolution(x) / 2
    if np.sqrt(np.mean(theirs**2)) > COARSE * spread:
        theirs = np.zeros_like(x)
    rest = np.abs(y - curve.a - curve.b * curve.shape.of(x))
    return bool((rest <= own + theirs).all())
