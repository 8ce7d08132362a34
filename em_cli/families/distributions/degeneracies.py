"""When a component of independent columns is degenerate."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import Columns
from em_cli.engine.family import Degeneracy

INDEPENDENT = 15  # distinct rows that support a component, however many its columns
SOME, HARDLY_ANY = 1e-3, 1e-6  # variances beside those of the data: suspicious on few rows, on any number


def floor(columns: Columns, narrowest: float = 0.0) -> Array:
    """(D,) standard deviations below which no component may be.

    They are those of rounding to the resolution of the data, or what a family can resolve,
    relative to the standard deviation of the column.
    """
    rounding: Array = np.maximum(columns.resolution / np.sqrt(12), 1e-300)
    return np.maximum(rounding, narrowest * columns.sd) if narrowest else rounding


def degeneracies(at_resolution: Flags, variance: Array, support: Array) -> list[Degeneracy | None]:
    """From flags (K, D) and variances (K, D) relative to those of the columns: the rules of `Gaussian.degenerate`."""
    needed = min(at_resolution.shape[1] + 1, INDEPENDENT)
    return [
        held_up(tuple(np.flatnonzero(low).tolist()), float(rows), needed)
        if low.any()
        else verdict(float(rows), needed, float(own.min()), (int(own.argmin()),))
        for low, own, rows in zip(at_resolution, variance, support, strict=True)
    ]


def held_up(columns: tuple[int, ...], rows: float, needed: int) -> Degeneracy:
    """That of a component of so many distinct rows without any width of its own along these columns."""
    reason = _few(rows, needed) if rows <= needed else "its variance is at the resolution of the data"
    return Degeneracy(reason, True, columns)


def verdict(rows: float, needed: int, narrowest: float, along: tuple[int, ...]) -> Degeneracy | None:
    """On a component of so many distinct rows, where more than those needed must be; and so narrow along columns."""
    if rows <= needed:
        return Degeneracy(_few(rows, needed), False)
    if narrowest < HARDLY_ANY or (narrowest < SOME and rows < 5 * needed):
        times = 1 / np.sqrt(max(narrowest, 1e-300))
        on = f" and rests on {rows:.3g} distinct rows only" if rows < 5 * needed else ""
        return Degeneracy(f"it is {times:,.0f} times narrower than the data{on}", False, along)
    return None


def _few(rows: float, needed: int) -> str:
    return (
        f"it rests on {rows:.3g} distinct {'row' if rows == 1 else 'rows'}, fewer than the {needed + 1} that it needs"
    )
