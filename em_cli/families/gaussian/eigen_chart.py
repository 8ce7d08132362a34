"""Local coordinates of normal components whose covariances have something in common.

The logarithms of a component's standard deviations (along its axes, or on the diagonal of a
triangular factor) are turned so that the first coordinate is the volume's and the others are the shape's.
These, and the orientation's, are common to the components or their own, as the letters of the structure say.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.families.covariances.structure import Letters
from em_cli.families.gaussian.chart import LARGEST_LOG, Completed, MomentsOf, in_a_row
from em_cli.families.gaussian.forms import Axes, Columns, Form, Triangle
from em_cli.families.gaussian.parameters import GaussianParameters


class EigenChart:
    """Of structures with at least one E: each coordinate is multiplied by the root of its information."""

    def __init__(
        self, base: GaussianParameters, weight: Array, letters: Letters, completed: Completed, moments: MomentsOf
    ) -> None:
        d = base.means.shape[-1]
        self.diagonal = letters.diagonal
        self.base, self.completed, self.moments = base, completed, moments
        if letters.diagonal:
            self.form: Form = Columns(base)
            self.lower: Array = 1 / base.factors
        else:
            self.form = Axes(base, letters) if letters.rotated else Triangle(base, letters)
            self.lower = np.asarray(np.linalg.inv(self.form.factors), np.float64)
        rows = np.maximum(weight, 1.0)[..., None]
        self.parts = (
            Part.of("V", rows * np.ones(d)),
            Part.of(letters.volume, 2 * rows),
            Part.of(letters.shape, 2 * rows * np.ones(0 if letters.isotropic else d - 1)),
            Part.of(letters.orientation, rows * self.form.information),
        )
        self.ends = np.cumsum([part.size for part in self.parts])[:-1]
        self.turned = volume_and_shapes(d)[:, : 1 if letters.isotropic else d]

    def coordinates(self, parameters: GaussianParameters) -> Array:
        a = self._times(self.form.factors, parameters.means - self.base.means)
        logs, orientation = self.form.read(parameters)
        turned = logs @ self.turned
        values = (a, turned[..., :1], turned[..., 1:], orientation)
        parts = zip(self.parts, values, strict=True)
        return np.concatenate([part.coordinates(own) for part, own in parts], axis=-1)

    def parameters(self, u: Array) -> GaussianParameters:
        pieces = zip(self.parts, np.split(u, self.ends, axis=-1), strict=True)
        a, volume, shape, orientation = (part.values(own) for part, own in pieces)
        k = a.shape[-2]
        turned = np.concatenate([np.repeat(own, k // own.shape[-2], axis=-2) for own in (volume, shape)], axis=-1)
        logs = np.clip(turned @ self.turned.T, -LARGEST_LOG, LARGEST_LOG)
        return self.completed(self.base.means + self._times(self.lower, a), self.form.covariances(logs, orientation))

    def gradient(self, statistics: Array, parameters: GaussianParameters) -> Array:
        moments = self.moments(statistics, parameters)
        by_log, by_orientation = self.form.pulled(moments, parameters)
        if self.diagonal:
            first = moments.first * parameters.factors * self.lower
        else:
            first = self._times((parameters.factors @ self.lower).swapaxes(-1, -2), moments.first)
        turned = by_log @ self.turned
        slopes = (first, turned[..., :1], turned[..., 1:], by_orientation)
        parts = zip(self.parts, slopes, strict=True)
        return np.concatenate([part.gradient(own) for part, own in parts], axis=-1)

    def _times(self, matrices: Array, vectors: Array) -> Array:
        """Matrices, or the diagonals of some, times vectors (…, K, D)."""
        product: Array = matrices * vectors if self.diagonal else (matrices @ vectors[..., None])[..., 0]
        return product


@dataclass(frozen=True, slots=True)
class Part:
    """Coordinates that the components have in common, or each its own."""

    root: Array  # (…, 1 or K, m) of the information

    @staticmethod
    def of(letter: str, information: Array) -> Part:
        return Part(np.sqrt(information.sum(axis=-2, keepdims=True) if letter == "E" else information))

    @property
    def size(self) -> int:
        """Coordinates of one candidate."""
        return int(np.prod(self.root.shape[-2:]))

    def values(self, u: Array) -> Array:
        values: Array = u.reshape(*u.shape[:-1], *self.root.shape[-2:]) / self.root
        return values

    def coordinates(self, values: Array) -> Array:
        """From the values of each component (…, K, m)."""
        return in_a_row(values[..., : self.root.shape[-2], :] * self.root)

    def gradient(self, slopes: Array) -> Array:
        """From the slopes by the values of each component (…, K, m)."""
        if self.root.shape[-2] < slopes.shape[-2]:
            slopes = slopes.sum(axis=-2, keepdims=True)
        return in_a_row(slopes / self.root)


@lru_cache
def volume_and_shapes(d: int) -> Array:
    """An orthogonal matrix (D, D) whose first column is constant (Helmert 1876)."""
    columns = np.triu(np.ones((d, d))) - np.diag(np.arange(d), 0) - np.eye(d)
    columns[:, 0] = 1.0
    orthogonal: Array = columns / np.linalg.norm(columns, axis=0)
    return orthogonal
