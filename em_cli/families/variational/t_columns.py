"""Columns of independent t variables: what new rows of diagonal normal components look like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Integers


@dataclass(frozen=True, slots=True)
class TColumns:
    """In the user's units."""

    locations: Array  # (…, K, D)
    scales: Array  # (…, K, D)
    dof: Array  # (…, K)


@dataclass(frozen=True, slots=True, eq=False)
class IndependentT:
    """Features are the rows themselves; a missing cell is integrated out."""

    elliptic: ClassVar[None] = None

    n_columns: int

    @property
    def completing(self) -> IndependentT:
        return self

    def n_features(self) -> int:
        return self.n_columns

    def features(self, x: Array, out: Array) -> None:
        out[...] = x

    def base_measure(self, x: Array) -> Array:
        return np.zeros(x.shape[1])

    def log_density(self, features: Array, parameters: TColumns, offset: Array, out: Array) -> None:
        from scipy.special import gammaln

        out[...] = offset[..., None]
        dof = parameters.dof
        level = gammaln((dof + 1) / 2) - gammaln(dof / 2) - 0.5 * np.log(np.pi * dof)
        for j, cells in enumerate(features):
            location, scale = parameters.locations[..., j, None], parameters.scales[..., j, None]
            z = (cells - location) / scale
            own = (level - np.log(scale[..., 0]))[..., None] - 0.5 * (dof + 1)[..., None] * np.log1p(
                z * z / dof[..., None]
            )
            out += np.where(np.isnan(cells), 0.0, own)

    def sample(self, parameters: TColumns, labels: Integers, rng: np.random.Generator) -> Array:
        drawn = rng.standard_t(parameters.dof[labels][:, None], (len(labels), self.n_columns))
        found: Array = (parameters.locations[labels] + parameters.scales[labels] * drawn).T
        return found

    def complete(self, x: Array, parameters: TColumns, responsibilities: Array) -> Array:
        return np.where(np.isnan(x), parameters.locations.T @ responsibilities, x)

    def draw(self, x: Array, parameters: TColumns, labels: Integers, rng: np.random.Generator) -> Array:
        return np.where(np.isnan(x), self.sample(parameters, labels, rng), x)
