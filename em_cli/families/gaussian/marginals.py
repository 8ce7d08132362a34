"""Normal components as they look where some columns are missing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.patterns import decoded
from em_cli.engine.sweep_operator import Lacking, conditional, swept
from em_cli.families.gaussian.conditional import Given, given
from em_cli.families.gaussian.parameters import LOG_2PI, GaussianParameters, pairs, square

Key = tuple[float, ...]  # the codes of a pattern


@dataclass(frozen=True, slots=True, eq=False)
class Marginals:
    """Of R × K components in P patterns of missing cells; concentrated ones, T in all, have no natural parameters."""

    places: dict[Key, int]  # of the patterns, by their codes
    theta: Array  # (P, R, K, F) natural parameters, zero for what is missing
    fill: Array  # (P, R, K, 1 + D, 1 + D) maps of (1, z) to its expectation
    spread: Array  # (P, R, K, 1 + D, 1 + D) conditional covariance of z
    entropy: Array  # (P, R, K) of the missing cells, given the others
    given: Given | None  # concentrated components; None if there are none

    @property
    def size(self) -> int:
        own = 0 if self.given is None else self.given.axes.size + self.given.whitening.size
        return self.theta.size + self.fill.size + self.spread.size + own


def marginals(at: GaussianParameters, wanted: tuple[Key, ...]) -> Marginals:
    """The marginals in the patterns of these codes."""
    d = at.means.shape[-1]
    lacking, times, places = _patterns(wanted, d)
    concentrated, theta = np.nonzero(at.concentrated), at.theta
    if len(concentrated[0]):
        theta = theta.copy()
        theta[concentrated] = _standard(d)
    forms, log_determinant = swept((theta * _times(d)).take(matrix(d), axis=-1), lacking)
    fill, spread = conditional(forms, lacking)
    theta = forms.reshape(*forms.shape[:-2], -1).take(packed(d), axis=-1)
    theta[..., 0] -= lacking.count * LOG_2PI - log_determinant
    theta *= times
    entropy = 0.5 * (lacking.count * (1 + LOG_2PI) - log_determinant)
    exact: Given | None = None
    if len(concentrated[0]):
        lower = np.linalg.inv(at.factors[concentrated]).astype(np.float64, copy=False)
        exact = given(at.means[concentrated], lower, lacking.missing)
        r, k = concentrated
        fill[:, r, k], spread[:, r, k], entropy[:, r, k] = _of_given(exact)
    return Marginals(places, theta, fill, spread, entropy, exact)


def _of_given(some: Given) -> tuple[Array, Array, Array]:
    """Maps (P, T, 1 + D, 1 + D), conditional covariances of the same shape, and entropies (P, T)."""
    (p, d), t = some.missing.shape, len(some.means)
    lacks = some.missing[:, None].astype(np.float64)
    fill, spread = np.zeros((p, t, 1 + d, 1 + d)), np.zeros((p, t, 1 + d, 1 + d))
    slope = some.lower @ some.axes @ some.whitening * lacks[..., None]
    fill[..., 0, 0] = 1.0
    fill[..., 1:, 0] = some.means * lacks - (slope @ some.means[..., None])[..., 0]
    fill[..., 1:, 1:] = slope + np.eye(d) * (1 - lacks)[..., None]
    covariances = some.lower @ some.unknown(slice(None)) @ np.swapaxes(some.lower, -1, -2)
    spread[..., 1:, 1:] = covariances * lacks[..., None] * lacks[..., None, :]
    half = np.log(np.diagonal(some.lower, axis1=-2, axis2=-1)).sum(axis=-1) + some.log_determinant
    return fill, spread, half + 0.5 * lacks.sum(axis=-1) * (1 + LOG_2PI)


@lru_cache
def matrix(d: int) -> Integers:
    """Where the products of (1, z) are among the features (1 + D, 1 + D)."""
    places = np.empty((1 + d, 1 + d), np.intp)
    places[0] = places[:, 0] = np.arange(1 + d)
    places[1:, 1:] = 1 + d + square(d)
    return places


@lru_cache
def packed(d: int) -> Integers:
    """Where the features are among the products of (1, z), one row behind the other."""
    i, j = pairs(d)
    return np.concatenate([np.arange(1 + d), (1 + i) * (1 + d) + 1 + j])


@lru_cache
def _times(d: int) -> Array:
    """The quadratic form is minus twice the exponent; those of different elements stand for two."""
    i, j = pairs(d)
    return np.concatenate([[-2.0], np.full(d, -1.0), np.where(i == j, -2.0, -1.0)])


@lru_cache
def _standard(d: int) -> Array:
    """The natural parameters of a standard normal component, up to its constant."""
    i, j = pairs(d)
    return np.concatenate([np.zeros(1 + d), np.where(i == j, -0.5, 0.0)])


@lru_cache(maxsize=16)
def _patterns(wanted: tuple[Key, ...], d: int) -> tuple[Lacking, Array, dict[Key, int]]:
    """Patterns by their codes; what their forms are multiplied by (P, 1, 1, F) for natural parameters; their places.

    Features to which a missing cell belongs have none, and where all cells are missing none has any.
    """
    missing = decoded(np.array(wanted).T, d)
    i, j = pairs(d)
    nothing: Flags = np.logical_and.reduce(missing, axis=1, keepdims=True)
    seen = ~np.concatenate([nothing, missing, missing[:, i] | missing[:, j]], axis=1)
    return Lacking(missing), (seen / _times(d))[:, None, None], {key: place for place, key in enumerate(wanted)}
