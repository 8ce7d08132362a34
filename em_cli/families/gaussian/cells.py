"""Missing cells where columns are independent given the component: each cell counts by itself.

Features say beside the values which cells are observed; so all is natural parameters and plain sums,
and the M-step needs no expectation of what is missing.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.families.covariances.structure import constrained
from em_cli.families.gaussian.gaussian import BoundGaussian
from em_cli.families.gaussian.parameters import LOG_2PI, GaussianParameters
from em_cli.families.gaussian.whitening import unwhitened

SEEN = 1e-8  # cells; of a column of which a component has less, it knows nothing
ITERATIONS = 200  # of EM for variances that are tied across cells
TURNS = 3  # of them, from parameters
SETTLED = 1e-13  # relative change at which it rests


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """Behind the features of complete data stand indicators of the observed cells of the columns with gaps."""

    needs_frame: ClassVar[bool] = False

    base: BoundGaussian
    of_complete: ClassVar[float] = 1.0  # what a complete row adds to the statistics behind those of complete data

    @property
    def exponential(self) -> Cells:
        return self

    @property
    def reweighting(self) -> None:
        """Nothing is filled in."""

    @property
    def kindred(self) -> Cells | None:
        return None if self.base.coupled else self

    @property
    def kin(self) -> Hashable:
        return self.base.kin, tuple(self.gaps.tolist())

    def maximize_kin(
        self,
        families: Sequence[Cells],
        sizes: Sequence[Integers],
        statistics: Array,
        parameters: Sequence[Sequence[GaussianParameters]],
    ) -> GaussianParameters:
        return exponential_family.maximize_uncoupled(self, statistics, parameters)

    @property
    def gaps(self) -> Integers:
        return np.flatnonzero(self.base.columns.gaps)

    def n_features(self) -> int:
        return self.base.n_features() + len(self.gaps)

    def write_missing(self, missing: Flags, out: Array) -> None:
        np.logical_not(missing[self.gaps], out=out)

    def parameters(self, of: GaussianParameters) -> GaussianParameters:
        """With natural parameters in which the constants of columns with gaps go with their indicators."""
        constants = np.log(of.factors) - 0.5 * (of.factors * of.means) ** 2 - 0.5 * LOG_2PI
        theta = np.concatenate([of.theta[..., : self.base.n_features()], constants[..., self.gaps]], axis=-1)
        theta[..., 0] = constants[..., ~self.base.columns.gaps].sum(axis=-1)
        return replace(of, theta=theta)

    def natural(self, parameters: GaussianParameters) -> tuple[Array, Flags]:
        return parameters.theta, np.logical_or.reduce(parameters.concentrated, axis=-1)

    def n_own_features(self) -> int:
        return self.n_features()

    def monomials(self) -> Integers | None:
        return None

    def common_sums(self, features: Array, weights: Array | None) -> Array:
        return np.zeros(0)

    def log_density(self, features: Array, parameters: GaussianParameters, offset: Array, out: Array) -> None:
        if not parameters.concentrated.all():
            exponential_family.log_density(features, parameters.theta, offset, out)
        for r, k in zip(*np.nonzero(parameters.concentrated), strict=True):
            z, observed = self._whitened(features, parameters, r, k)
            constant = np.log(parameters.factors[r, k]) - 0.5 * LOG_2PI
            out[r, k] = offset[r, k] + np.einsum("d,dm->m", constant, observed) - 0.5 * np.einsum("dm,dm->m", z, z)

    def statistics(self, features: Array, responsibilities: Array, parameters: GaussianParameters | None) -> Array:
        sums, d = exponential_family.statistics(features, responsibilities), self.base.n_columns
        if parameters is None:
            return sums
        for r, k in zip(*np.nonzero(parameters.concentrated), strict=True):
            z, _ = self._whitened(features, parameters, r, k)
            weighted = z * responsibilities[r, k]
            squares = np.einsum("dm,dm->d", weighted, z)
            sums[r, k, 1 : 1 + d] = weighted.sum(axis=1)
            sums[r, k, 1 + d : self.base.n_features()] = squares.sum() if self._one else squares
        return sums

    def maximize(self, statistics: Array, parameters: GaussianParameters | None) -> GaussianParameters:
        """Closed in the means, and then in the variances, or nearer to their maximum."""
        d, base = self.base.n_columns, self.base
        weight, cells = np.maximum(statistics[..., 0], np.finfo(float).tiny), self._cells(statistics)
        known = np.maximum(cells, SEEN)
        means = statistics[..., 1 : 1 + d] / known
        second, about = statistics[..., 1 + d : base.n_features()], cells * means * means
        if self._one:
            cells, about = cells.sum(axis=-1, keepdims=True), about.sum(axis=-1, keepdims=True)
            known = np.maximum(cells, SEEN)
        scatter = np.where(cells > SEEN, np.maximum(second - about, 0.0) / known, 1.0)
        if parameters is not None and parameters.concentrated.any():
            means, scatter = unwhitened(means, scatter, parameters)
        if base.fixed is not None:
            shift, means = means - base.fixed, np.broadcast_to(base.fixed, means.shape)
            scatter = scatter + self._spread(statistics, shift)
        share = np.minimum(cells / weight[..., None] / (d if self._one else 1), 1.0)
        variances = self._variances(weight, scatter, share, None if parameters is None else parameters.covariances)
        return self.parameters(base.completed(means, variances))

    def _variances(self, weight: Array, scatter: Array, share: Array, at: Array | None) -> Array:
        """Those of the structure; where it ties components, by EM over the cells, of which a `share` is observed.

        From some variances it is a few of its steps: generalised EM.
        """
        structure, floor = self.base.structure, self.base.bounds.floor
        if not self.base.letters.coupled:
            return constrained(structure, weight, scatter, floor)
        turns, found = (ITERATIONS, constrained(structure, weight, scatter, floor)) if at is None else (TURNS, at)
        for _ in range(turns):
            expected = share * scatter + (1 - share) * found[..., : scatter.shape[-1]]
            step = () if at is None else (found, 1)
            before, found = found, constrained(structure, weight, expected, floor, *step)
            if (np.abs(found - before) <= SETTLED * before).all():
                break
        return found

    def expected_log_density(self, statistics: Array, parameters: GaussianParameters) -> Array:
        expected: Array = np.einsum("...f,...f->...", statistics, parameters.theta)
        return expected

    def completed(self, statistics: Array, parameters: GaussianParameters) -> Array:
        """What the statistics of complete data are expected to be, given those at these parameters."""
        d, base = self.base.n_columns, self.base
        lacking = statistics[..., :1] - self._cells(statistics)
        concentrated = parameters.concentrated[..., None]
        means = np.where(concentrated, 0.0, parameters.means)
        second = lacking * (means * means + np.where(concentrated, 1.0, parameters.covariances))
        sums = statistics[..., : base.n_features()].copy()
        sums[..., 1 : 1 + d] += lacking * means
        sums[..., 1 + d :] += second.sum(axis=-1, keepdims=True) if self._one else second
        return sums

    def _spread(self, statistics: Array, shift: Array) -> Array:
        """What a scatter gains when it is taken about a mean that is not its own."""
        cells = self._cells(statistics)
        squares = np.where(cells > SEEN, shift * shift, 0.0)
        return np.average(squares, axis=-1, weights=np.maximum(cells, SEEN), keepdims=True) if self._one else squares

    @property
    def _one(self) -> bool:
        """Whether the columns have one variance."""
        return self.base.letters.isotropic

    def _cells(self, statistics: Array) -> Array:
        """(…, D) observed cells of each column that a component bears."""
        cells = np.repeat(statistics[..., :1], self.base.n_columns, axis=-1)
        cells[..., self.gaps] = statistics[..., self.base.n_features() :]
        return cells

    def _whitened(self, features: Array, parameters: GaussianParameters, r: int, k: int) -> tuple[Array, Array]:
        """The rows (D, m) in coordinates where component k is standard normal, zero where missing; what is observed."""
        d = self.base.n_columns
        observed = np.ones((d, features.shape[1]))
        observed[self.gaps] = features[self.base.n_features() :]
        centred = features[1 : 1 + d] - parameters.means[r, k][:, None] * observed
        return parameters.factors[r, k][:, None] * centred, observed
