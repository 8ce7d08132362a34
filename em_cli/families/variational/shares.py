"""Ends of intervals that hold a share of the posterior of a number, with as much left out at either end."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array

SHARE = 0.95


def ends(share: float = SHARE) -> Array:
    """(2,) the probabilities of what lies below."""
    return np.array([(1 - share) / 2, (1 + share) / 2])


def of_t(location: Array, scale: Array, dof: Array) -> Array:
    """(…, 2) of what is t distributed."""
    from scipy.special import stdtrit

    found: Array = location[..., None] + scale[..., None] * stdtrit(dof[..., None], ends())
    return found


def of_precisions(scale: Array, dof: Array) -> Array:
    """(…, 2) of standard deviations √(S/χ²), whose precisions are χ²/S with ν degrees of freedom."""
    from scipy.special import chdtri

    found: Array = np.sqrt(scale[..., None] / chdtri(dof[..., None], ends()))
    return found


def of_gamma(shape: Array, rate: Array) -> Array:
    """(…, 2) of what is gamma distributed."""
    from scipy.special import gammaincinv

    found: Array = gammaincinv(shape[..., None], ends()) / rate[..., None]
    return found


def of_beta(a: Array, b: Array) -> Array:
    """(…, 2) of what is beta distributed."""
    from scipy.special import betaincinv

    return np.asarray(betaincinv(a[..., None], b[..., None], ends()), np.float64)
