"""How concentrated a von Mises variable is: A(κ) = I₁(κ)/I₀(κ), and its inverse, without a lost digit.

Beyond LARGE the asymptotic series are exact to the last digit (Mardia & Jupp 2000, A.1).
"""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.distributions.roots import settled

LARGE = 1e3
LARGEST_CONCENTRATION = 1e15


def resultant_gap(kappa: Array) -> Array:
    """1 − A(κ), which falls from 1 to 0."""
    from scipy.special import i0e, i1e

    small, inverse = np.minimum(kappa, LARGE), 1 / np.maximum(kappa, LARGE)
    series = inverse * (1 / 2 + inverse * (1 / 8 + inverse * (1 / 8 + inverse * (25 / 128 + inverse * 13 / 32))))
    return np.where(kappa > LARGE, series, 1 - i1e(small) / i0e(small))


def resultant_slope(kappa: Array) -> Array:
    """A'(κ), the variance of the cosine: it falls from 1/2 to 0."""
    small, inverse = np.clip(kappa, 1e-8, LARGE), 1 / np.maximum(kappa, LARGE)
    series = inverse**2 * (1 / 2 + inverse * (1 / 4 + inverse * (3 / 8 + inverse * 25 / 32)))
    gap = resultant_gap(small)
    return np.where(kappa > LARGE, series, gap * (2 - gap) - (1 - gap) / small)


def resultant_share(kappa: Array) -> Array:
    """A(κ)/κ, the variance of the sine: it falls from 1/2 to 0."""
    some = np.maximum(kappa, 1e-8)
    share: Array = (1 - resultant_gap(some)) / some
    return share


def concentration(gap: Array) -> Array:
    """κ where 1 − A(κ) is the gap."""
    gap = np.clip(gap, 0.5 / LARGEST_CONCENTRATION, 1.0)
    length = 1 - gap
    guess = length * (2 - length**2) / (gap * (1 + length))  # Banerjee, Dhillon, Ghosh & Sra 2005

    def step(at: tuple[Array, ...]) -> tuple[Array, ...]:
        kappa = np.exp(at[0])
        return ((resultant_gap(kappa) - gap) / (kappa * resultant_slope(kappa)),)

    (logs,) = settled(step, (np.log(np.maximum(guess, 1e-300)),))
    return np.where(length > 0, np.exp(logs), 0.0)
