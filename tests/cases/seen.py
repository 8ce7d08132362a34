"""What tells of rows whose cells may be missing, by scipy.stats and NumPy alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from scipy import optimize
from support import SMALLEST, Case, Document

from em_cli.engine.arrays import Array, Flags, Integers


def by_pattern(x: Array) -> Iterator[tuple[Flags, Integers]]:
    """Which cells (D,) are observed, and in which rows (m,)."""
    patterns, place = np.unique(~np.isnan(x), axis=1, return_inverse=True)
    for number, seen in enumerate(patterns.T):
        yield seen, np.flatnonzero(place.ravel() == number)


def of_complete(family: Any) -> Any:
    """The family of complete data, where it stands inside one of data with missing cells."""
    return getattr(family, "base", family)


def of_observed(by_cell: Array, x: Array) -> Array:
    """(n,) sums over the observed cells (D, n)."""
    return np.where(np.isnan(x), 0.0, np.where(np.isneginf(by_cell), SMALLEST, by_cell)).sum(axis=0)


def averages(x: Array, weights: Array) -> Array:
    """(D,) of the observed cells."""
    observed = ~np.isnan(x)
    return (np.where(observed, x, 0.0) * weights).sum(axis=1) / (observed * weights).sum(axis=1)


def by_columns(name: str, law: Callable[[Array], Any]) -> Callable[[Any, Document, Array], Array]:
    """The log-density of columns that all have the law of scipy.stats, from the field of that name."""

    def log_density(family: Any, document: Document, x: Array) -> Array:
        laws = [law(np.array(own)[:, None]) for own in document[name]]
        cells = [each.logpmf(x) if hasattr(each, "logpmf") else each.logpdf(x) for each in laws]
        return np.stack([of_observed(by_cell, x) for by_cell in cells])

    return log_density


def by_pairs(names: tuple[str, str], law: Callable[[Array, Array, Array], Array]) -> Callable[..., Array]:
    """Of columns with two parameters each."""

    def log_density(family: Any, document: Document, x: Array) -> Array:
        both = zip(*[np.array(document[name]) for name in names], strict=True)
        return np.stack([of_observed(law(x, one[:, None], other[:, None]), x) for one, other in both])

    return log_density


def root(falling: Callable[[float], float], most: float) -> float:
    return float(optimize.brentq(falling, 1e-2, most, xtol=1e-14, rtol=1e-15))


def with_and_without_gaps(case: Case) -> list[Case]:
    return [case, replace(case, name=f"{case.name}-gaps", gaps=0.15)]
