"""The degrees of freedom of t components: what a sample of distances says of them.

At the scale matrix that is best for given degrees of freedom ν, the log-likelihood of N rows
grows with ν at the rate ½N (g(ν) − b), where g(ν) = φ(ν/2) − φ((ν + D)/2), φ(x) = log x − ψ(x),
falls from one end to the other, and b ≥ 0 tells by how much the distances vary.
"""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array

LEAST, MOST = 1.0, 1000.0  # that are estimated
STEPS = 4  # of Newton


def solved(b: Array, n_columns: int) -> Array:
    """The ν with g(ν) = b, within the bounds; Newton's iteration on logarithms of both."""
    d, b = n_columns, np.maximum(b, 1e-300)
    dof = np.clip(0.5 * (np.sqrt(d * d + 4 * d / b) - d), LEAST, MOST)
    for _ in range(STEPS):
        g, slope = fall(dof, d)
        dof = np.clip(dof * np.exp(np.clip(np.log(b / g) * g / (dof * slope), -2.0, 2.0)), LEAST, MOST)
    return dof


def fall(dof: Array, n_columns: int) -> tuple[Array, Array]:
    """g(ν) and its derivative."""
    from scipy.special import psi, zeta  # a quarter of a second to import: only where there are t components

    low, high = 0.5 * dof, 0.5 * (dof + n_columns)
    g: Array = psi(high) - psi(low) - np.log(high / low)
    slope: Array = 0.5 * (zeta(2.0, high) - zeta(2.0, low) + n_columns / (2 * low * high))
    return g, slope


def log_constant(dof: Array, n_columns: int | Array) -> Array:
    """log Γ((ν + D)/2) − log Γ(ν/2) − D/2 log(πν), without the loss of a difference of large numbers."""
    from scipy.special import betaln, gammaln

    half: Array = 0.5 * n_columns * np.ones_like(dof)
    constant: Array = gammaln(half) - betaln(0.5 * dof, half) - half * np.log(np.pi * dof)
    return constant


def log_slope(dof: Array, n_columns: int) -> Array:
    """The derivative of that by ν."""
    from scipy.special import psi

    slope: Array = 0.5 * (psi(0.5 * (dof + n_columns)) - psi(0.5 * dof) - n_columns / dof)
    return slope
