"""Normal components as they look where some columns are missing."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.elimination import Eliminated, Lacking, completed, eliminated, lacking
from em_cli.engine.patterns import decoded
from em_cli.families.gaussian.conditional import Given, given
from em_cli.families.gaussian.parameters import LOG_2PI, GaussianParameters, pairs, square

Key = tuple[float, ...]  # the codes of a pattern


@dataclass(frozen=True, slots=True, eq=False)
class Marginals:
    """Of R × K components in P patterns of missing cells; concentrated ones, T in all, have no natural parameters."""

    n_missing: Array  # (P, 1, 1)
    theta: Array  # (P, R, K, F) natural parameters, zero for what is missing
    entropy: Array  # (P, R, K) of the missing cells, given the others
    given: Given | None  # concentrated components; None if there are none
    _concentrated: tuple[Integers, ...]
    _without: Lacking
    _eliminated: Eliminated

    @property
    def size(self) -> int:
        own = 0 if self.given is None else self.given.axes.size + self.given.whitening.size
        return self.theta.size + self._eliminated.size + own

    def completed(self, sums: Array, mass: Array, exactly: bool) -> Array:
        """Expected statistics (R, K, F) of all patterns, from those of the observed cells (P, R, K, F).

        What is missing has its conditional covariance times the mass (P, R, K). One component may stand for all. Those
        of concentrated ones are asked for exactly, or mean nothing.
        """
        p, r, k, f = sums.shape
        d = self._without.missing.shape[1]
        flat = np.ascontiguousarray(sums.reshape(p, r * k, f).swapaxes(1, 2))
        whole = completed(flat, mass.reshape(p, r * k), self._eliminated, self._without)
        total = np.ascontiguousarray(whole.reshape((1 + d) ** 2, r * k).take(packed(d), axis=0).T).reshape(r, k, f)
        if exactly and self.given is not None:
            which = np.full(self.entropy.shape[1:], -1)
            which[self._concentrated] = np.arange(len(self.given.means))
            i, j = np.nonzero(np.broadcast_to(which, (r, k)) >= 0)
            own = np.broadcast_to(which, (r, k))[i, j]
            fill, spread = (each[:, own] for each in _of_given(self.given))
            exact = fill @ sums[:, i, j].take(matrix(d), axis=-1) @ np.swapaxes(fill, -1, -2)
            exact += mass[:, i, j, None, None] * spread
            total[i, j] = np.add.reduce(exact, axis=0).reshape(-1, (1 + d) ** 2).take(packed(d), axis=-1)
        return total


def marginals(at: GaussianParameters, wanted: tuple[Key, ...]) -> Marginals:
    """The marginals in the patterns of these codes."""
    r, k, d = at.means.shape
    without, seen = _patterns(wanted, d)
    concentrated, theta = np.nonzero(at.concentrated), at.theta
    if len(concentrated[0]):
        theta = theta.copy()
        theta[concentrated] = _standard(d)
    found = eliminated((theta * _times(d)).reshape(r * k, -1).T, without)
    theta = np.ascontiguousarray(found.forms.swapaxes(1, 2)).reshape(len(wanted), r, k, -1)
    lacks = without.missing.sum(axis=1)[:, None, None].astype(np.float64)
    log_determinant = found.log_determinant.reshape(len(wanted), r, k)
    theta[..., 0] -= lacks * LOG_2PI - log_determinant
    theta *= seen
    entropy = 0.5 * (lacks * (1 + LOG_2PI) - log_determinant)
    exact: Given | None = None
    if len(concentrated[0]):
        factors = at.factors[concentrated]
        lower = np.linalg.inv(factors).astype(np.float64, copy=False)
        exact = given(at.means[concentrated], lower, without.missing, factors)
        half = np.log(np.diagonal(lower, axis1=-2, axis2=-1)).sum(axis=-1) + exact.log_determinant
        entropy[:, *concentrated] = half + 0.5 * lacks[..., 0] * (1 + LOG_2PI)
    return Marginals(lacks, theta, entropy, exact, concentrated, without, found)


def _of_given(some: Given) -> tuple[Array, Array]:
    """Maps (P, T, 1 + D, 1 + D) of (1, z) to its expectation, and conditional covariances of the same shape."""
    (p, d), t = some.missing.shape, len(some.means)
    lacks = some.missing[:, None].astype(np.float64)
    fill, spread = np.zeros((p, t, 1 + d, 1 + d)), np.zeros((p, t, 1 + d, 1 + d))
    slope = some.lower @ some.axes @ some.whitening * lacks[..., None]
    fill[..., 0, 0] = 1.0
    fill[..., 1:, 0] = some.means * lacks - (slope @ some.means[..., None])[..., 0]
    fill[..., 1:, 1:] = slope + np.eye(d) * (1 - lacks)[..., None]
    covariances = some.lower @ some.unknown(slice(None)) @ np.swapaxes(some.lower, -1, -2)
    spread[..., 1:, 1:] = covariances * lacks[..., None] * lacks[..., None, :]
    return fill, spread


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


@lru_cache(maxsize=32)
def _patterns(wanted: tuple[Key, ...], d: int) -> tuple[Lacking, Array]:
    """What their forms are multiplied by (P, 1, 1, F) for natural parameters; none where all cells are missing."""
    missing = decoded(np.array(wanted).T, d)
    some: Flags = ~np.logical_and.reduce(missing, axis=1)
    return lacking(missing, matrix(d)), (some[:, None] / _times(d))[:, None, None]
