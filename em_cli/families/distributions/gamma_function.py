"""The gamma function by what it adds to Stirling's leading terms, which cancel in densities: no digit is lost.

Beyond LARGE the asymptotic series are exact to the last digit (Abramowitz & Stegun 1964, 6.1.41, 6.3.18, 6.4.12).
SciPy's functions take 0.12 s to import: they are asked for below it only.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from em_cli.engine.arrays import Array

LARGE = 16.0


def stirling_rest(a: Array) -> Array:
    """a log a − a − log Γ(a)."""

    def exact(a: Array) -> Array:
        from scipy.special import gammaln, xlogy

        rest: Array = xlogy(a, a) - a - gammaln(a)
        return rest

    def series(a: Array) -> Array:
        return 0.5 * np.log(a / (2 * np.pi)) - _odd(a, 1 / 12, -1 / 360, 1 / 1260, -1 / 1680, 1 / 1188)

    return _by_size(a, exact, series)


def log_minus_digamma(a: Array) -> Array:
    """log a − ψ(a), which falls from ∞ to 0."""

    def exact(a: Array) -> Array:
        from scipy.special import digamma

        gap: Array = np.log(a) - digamma(a)
        return gap

    def series(a: Array) -> Array:
        rest: Array = (0.5 + _odd(a, 1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132)) / a
        return rest

    return _by_size(a, exact, series)


def trigamma_rest(a: Array) -> Array:
    """a² ψ'(a) − a, which falls from 1 to 1/2."""

    def exact(a: Array) -> Array:
        from scipy.special import zeta

        rest: Array = a * (a * zeta(2, a) - 1)
        return rest

    def series(a: Array) -> Array:
        rest: Array = 0.5 + _odd(a, 1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66)
        return rest

    return _by_size(a, exact, series)


def _odd(a: Array, *coefficients: float) -> Array:
    """Σ c_i a^−(2i+1)."""
    inverse = 1 / a
    square, total = inverse * inverse, np.zeros_like(a)
    for coefficient in reversed(coefficients):
        total = total * square + coefficient
    return total * inverse


def _by_size(a: Array, exact: Callable[[Array], Array], series: Callable[[Array], Array]) -> Array:
    large = a > LARGE
    if large.all():
        return series(a)
    if not large.any():
        return exact(a)
    return np.where(large, series(np.where(large, a, LARGE)), exact(np.where(large, LARGE, a)))
