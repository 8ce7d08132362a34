"""Normal components bound to complete data."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np
from numpy.lib.stride_tricks import as_strided

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, Flags, Integers, flat, map_arrays
from em_cli.engine.cache import scratch
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.documents import finite
from em_cli.engine.family import Degeneracy, Ellipsoids
from em_cli.errors import DataError
from em_cli.families.covariances.shapes import of_variances as variances_shaped
from em_cli.families.covariances.shapes import to_shape
from em_cli.families.covariances.structure import CovarianceStructure, Letters, constrained
from em_cli.families.gaussian.chart import MatrixChart, MomentsOf, VarianceChart
from em_cli.families.gaussian.collapse import Judge
from em_cli.families.gaussian.conditional import drawn, expected
from em_cli.families.gaussian.document import covariances_of
from em_cli.families.gaussian.eigen_chart import EigenChart
from em_cli.families.gaussian.kindred import not_negative, together
from em_cli.families.gaussian.parameters import (
    LOG_2PI,
    Bounds,
    GaussianParameters,
    of_matrices,
    of_variances,
    pairs,
    square,
)
from em_cli.families.gaussian.prior import penalty_statistics, scatter
from em_cli.families.gaussian.whitening import unwhitened, whitened, whitened_moments

TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True, slots=True, eq=False)
class BoundGaussian:
    """Features 1, z and the products of z, the columns centred and scaled; for a diagonal structure the squares only.

    A component so concentrated, or so far out, that the expanded quadratic form would lose digits
    has its form evaluated, and its moments taken, in coordinates whitened by the component itself.
    """

    reweighting: ClassVar[None] = None
    approximate: ClassVar[None] = None
    needs_frame: ClassVar[bool] = False

    covariance: str  # the structure, as documents name it
    structure: CovarianceStructure
    columns: Columns
    scale: Array  # (D,) what one unit of the coordinates is in the user's units
    bounds: Bounds
    fixed: Array | None  # (K, D) the means, in coordinates of the family, if they are fixed
    judge: Judge = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "judge", Judge(self.columns, self.scale, self.bounds, self.letters))

    @property
    def exponential(self) -> BoundGaussian:
        return self

    @property
    def penalty(self) -> BoundGaussian:
        return self

    @property
    def completing(self) -> BoundGaussian:
        return self

    @property
    def elliptic(self) -> BoundGaussian:
        return self

    @property
    def quantities(self) -> dict[str, Quantity]:
        matrices = Quantity.POSITIVE if self.letters.diagonal else Quantity.COVARIANCE
        return {"means": Quantity.REAL, "covariances": matrices}

    @property
    def letters(self) -> Letters:
        return self.structure.letters

    @property
    def n_columns(self) -> int:
        return len(self.columns.mean)

    def n_features(self) -> int:
        d = self.n_columns
        if self.letters.isotropic:
            return d + 2
        return 1 + 2 * d if self.letters.diagonal else 1 + d + d * (d + 1) // 2

    def n_own_features(self) -> int:
        return 1 + self.n_columns if self.letters.shared else self.n_features()

    def monomials(self) -> Integers | None:
        if self.letters.isotropic:
            return None
        unit = np.eye(self.n_columns, dtype=np.intp)
        one, other = (unit, unit) if self.letters.diagonal else map(unit.__getitem__, pairs(self.n_columns))
        return np.concatenate([0 * unit[:1], unit, one + other])

    def features(self, x: Array, out: Array) -> None:
        """Of a structure in which they are common to the components, the products are left out if `out` has no room."""
        d, m = x.shape
        out[0] = 1.0
        z = out[1 : 1 + d]
        np.subtract(x, self.columns.mean[:, None], out=z)
        z *= (1 / self.scale)[:, None]
        if len(out) == 1 + d:
            return
        if self.letters.isotropic:
            np.einsum("dm,dm->m", z, z, out=out[1 + d])
        elif self.letters.diagonal:
            np.multiply(z, z, out=out[1 + d :])
        else:
            whole, half = (d - 1) // 2 + 1, d // 2
            around = scratch("around", d + half, m)  # z_i z_(i+s), indices modulo d, for all shifts s at once
            around[:d], around[d:] = z, z[:half]
            shifted = as_strided(around, (whole, d, m), (around.strides[0], *around.strides))
            np.multiply(shifted, around[:d], out=out[1 + d : 1 + d + whole * d].reshape(whole, d, m))
            if d % 2 == 0:
                np.multiply(z[:half], z[half:], out=out[1 + d + whole * d :])

    def base_measure(self, x: Array) -> Array:
        return np.broadcast_to(-np.log(self.scale).sum(), x.shape[1])

    def embedding(self, x: Array) -> Array:
        return self.columns.standardized(x)

    def natural(self, parameters: GaussianParameters) -> tuple[Array, Flags]:
        return parameters.theta, np.logical_or.reduce(parameters.concentrated, axis=-1)

    def common_sums(self, features: Array, weights: Array | None) -> Array:
        z = features[1:]
        d, m = z.shape
        if self.letters.diagonal:
            squares: Array = np.einsum("dm,dm->d", z, z if weights is None else z * weights)
            return np.array([squares.sum()]) if self.letters.isotropic else squares
        total, rows = np.zeros((d, d)), exponential_family.rows_at_once(d, d)
        for first in range(0, m, rows):
            some = z[:, first : first + rows]
            total += (some if weights is None else some * weights[first : first + rows]) @ some.T
        return total[pairs(d)]

    def log_density(self, features: Array, parameters: GaussianParameters, offset: Array, out: Array) -> None:
        if not parameters.concentrated.all():
            exponential_family.log_density(features, parameters.theta, offset, out)
        for places, z, log_determinants in whitened(features, parameters):
            quadratic = np.einsum("cdm,cdm->cm", z, z)
            constant = (offset[places] + log_determinants)[:, None]
            out[places] = constant - 0.5 * (quadratic + self.n_columns * LOG_2PI)

    def statistics(self, features: Array, responsibilities: Array, parameters: GaussianParameters | None) -> Array:
        sums = exponential_family.statistics(features, responsibilities)
        if parameters is None:
            return sums
        d = self.n_columns
        for places, z, _ in whitened(features, parameters):
            weighted = z * responsibilities[places][:, None]
            sums[(*places, slice(1, 1 + d))] = weighted.sum(axis=2)
            if not self.letters.diagonal:
                i, j = pairs(d)
                sums[(*places, slice(1 + d, None))] = (weighted @ np.swapaxes(z, 1, 2))[:, i, j]
                continue
            squares = np.einsum("cdm,cdm->cd", weighted, z)
            if self.letters.isotropic:
                squares = squares.sum(axis=1, keepdims=True)
            sums[(*places, slice(1 + d, None))] = squares
        return sums

    def maximize(self, statistics: Array, parameters: GaussianParameters | None) -> GaussianParameters:
        """In closed form, or one step towards the maximum from parameters: generalised EM (Dempster et al. 1977).

        Sums with few digits may have led to concentrated components: from these it is the maximum.
        """
        averages, lead = self.raw_averages(statistics, parameters), statistics.shape[:-1]
        of_each = map_arrays(lambda array: array.reshape(-1, *array.shape[len(lead) :]), averages)
        sizes = np.full(statistics[..., 0].size // lead[-1], lead[-1])
        at = None if parameters is None else [[parameters]]
        found = together([self.structure], [sizes], self.bounds, of_each, at)
        return map_arrays(lambda array: array.reshape(*lead, *array.shape[1:]), found)

    def maximize_kin(
        self,
        families: Sequence[BoundGaussian],
        sizes: Sequence[Integers],
        statistics: Array,
        parameters: Sequence[Sequence[GaussianParameters]],
    ) -> GaussianParameters:
        structures, every = [family.structure for family in families], [own for stacks in parameters for own in stacks]
        frame = None
        if any(own.concentrated.any() for own in every):
            frame = map_arrays(lambda *arrays: np.concatenate(arrays), *map(flat, every))
        return together(structures, sizes, self.bounds, self.raw_averages(statistics, frame), parameters)

    @property
    def kindred(self) -> BoundGaussian | None:
        return self if self.fixed is None else None

    @property
    def kin(self) -> Hashable:
        letters, numbers = self.letters, (self.columns.mean, self.scale, self.bounds.floor, self.bounds.largest)
        return *(each.tobytes() for each in numbers), letters.diagonal, letters.isotropic, letters.rotated

    def averages(self, statistics: Array, parameters: GaussianParameters | None) -> tuple[Array, Array, Array]:
        """Weight, mean and scatter about it of each component: its own maximum-likelihood covariance, unconstrained."""
        weight, means, scatter = self.raw_averages(statistics, parameters)
        return weight, means, not_negative(self.letters, scatter)

    def raw_averages(self, statistics: Array, parameters: GaussianParameters | None) -> tuple[Array, Array, Array]:
        """The same, whatever rounding has made of it."""
        d = self.n_columns
        weight = np.maximum(statistics[..., 0], TINY)
        averages = statistics[..., 1:] / weight[..., None]
        means, second = averages[..., :d], averages[..., d:]
        if self.letters.isotropic:
            scatter = (second - np.add.reduce(means * means, axis=-1, keepdims=True)) / d
        elif self.letters.diagonal:
            scatter = second - means * means
        else:
            scatter = second.take(square(d), axis=-1)
            scatter -= means[..., :, None] * means[..., None, :]
        if parameters is not None and np.logical_or.reduce(parameters.concentrated, axis=None):
            means, scatter = unwhitened(means, scatter, parameters)
        if self.fixed is not None:
            shift, means = means - self.fixed, np.broadcast_to(self.fixed, means.shape)
            scatter = scatter + self._spread(shift)
        return weight, means, scatter

    def _spread(self, shift: Array) -> Array:
        """What a scatter gains when it is taken about a mean that is not its own."""
        if not self.letters.diagonal:
            return shift[..., :, None] * shift[..., None, :]
        squares: Array = shift * shift
        return squares.mean(axis=-1, keepdims=True) if self.letters.isotropic else squares

    def n_parameters(self, n_components: int) -> int:
        d = self.n_columns
        return n_components * (d if self.fixed is None else 0) + self.letters.n_parameters(n_components, d)

    def degenerate(self, parameters: GaussianParameters, support: Array) -> list[Degeneracy | None]:
        return self.judge.degeneracies(parameters, support)

    def moments(self, parameters: GaussianParameters) -> tuple[Array, Array]:
        return self._locations(parameters), np.sqrt(self._variances(parameters.covariances)) * self.scale

    def to_document(self, parameters: GaussianParameters) -> dict[str, object]:
        scales = self._in_units(parameters)
        shaped = (variances_shaped if self.letters.diagonal else to_shape)(scales, self.covariance)
        return {"means": self._locations(parameters).tolist(), "covariances": shaped.tolist()}

    def from_document(
        self, document: Mapping[str, object], n_components: int, matrices: str = "covariances"
    ) -> GaussianParameters:
        k, d, scale = n_components, self.n_columns, self.scale
        means = finite(document, "means")
        if means.shape != (k, d):
            raise DataError(f"the field 'means' must hold {k} lists of {d} numbers.")
        own = covariances_of(document, matrices, self.covariance, self.structure, scale, k)
        return self.completed((means - self.columns.mean) / scale, own)

    @property
    def coupled(self) -> bool:
        return self.letters.coupled or self.fixed is not None

    def expected_log_density(self, statistics: Array, parameters: GaussianParameters) -> Array:
        total: Array = np.einsum("...f,...f->...", statistics, parameters.theta)
        return total

    def chart(self, parameters: GaussianParameters, weight: Array) -> MatrixChart | VarianceChart | EigenChart | None:
        if self.fixed is not None:
            return None
        if self.letters.mclust[1] in ("VVV", "EEE", "VVI", "VII"):
            return self.direct_chart(parameters, weight, whitened_moments)
        shares = weight / weight.sum(axis=-1, keepdims=True)

        def completed(means: Array, covariances: Array) -> GaussianParameters:
            below = self._may_be_below(covariances)
            if below.any():  # those of other candidates stay as they are
                some, share = covariances[below], np.broadcast_to(shares, means.shape[:-1])[below]
                covariances[below] = constrained(self.structure, share, some, self.bounds.floor, some)
            return self.completed(means, covariances, floored=True)

        return EigenChart(parameters, weight, self.letters, completed, whitened_moments)

    def direct_chart(
        self, parameters: GaussianParameters, weight: Array, moments: MomentsOf
    ) -> MatrixChart | VarianceChart:
        """Of matrices or variances that are all free, or one for all: the full, tied, diagonal and spherical ones."""
        shares = weight / weight.sum(axis=-1, keepdims=True)

        def completed(means: Array, covariances: Array) -> GaussianParameters:
            if self.letters.diagonal:
                share = np.broadcast_to(shares, means.shape[:-1])
                covariances = constrained(self.structure, share, covariances, self.bounds.floor)
            return self.completed(means, covariances, floored=True)

        if self.letters.diagonal:
            return VarianceChart(parameters, weight, self.letters.isotropic, completed, moments)
        return MatrixChart(parameters, weight, self.letters.shared, completed, moments)

    def penalty_statistics(self, parameters: GaussianParameters, plain: bool) -> Array:
        spread = scatter(self.columns, self.scale, parameters.means.shape[-2], self.letters.diagonal)
        return penalty_statistics(spread, self.letters, parameters, plain)

    def ellipsoids(self, parameters: GaussianParameters) -> list[Ellipsoids]:
        return [Ellipsoids(tuple(range(self.n_columns)), self._locations(parameters), self._in_units(parameters), None)]

    def sample(self, parameters: GaussianParameters, labels: Integers, rng: np.random.Generator) -> Array:
        noise = rng.standard_normal((len(labels), self.n_columns))
        if self.letters.diagonal:
            away = np.sqrt(self._variances(parameters.covariances))[labels] * noise
        else:
            away = np.einsum("nij,nj->ni", np.linalg.cholesky(parameters.covariances)[labels], noise)
        z = parameters.means[labels] + away
        sampled: Array = (z * self.scale + self.columns.mean).T
        return sampled

    def complete(self, x: Array, parameters: GaussianParameters, responsibilities: Array) -> Array:
        if self.letters.diagonal:
            filled = np.einsum("km,kj->jm", responsibilities, parameters.means)
        else:
            filled = expected(self._centred(x), parameters.means, parameters.covariances, responsibilities)
        return self._restored(x, filled)

    def draw(
        self,
        x: Array,
        parameters: GaussianParameters,
        labels: Integers,
        rng: np.random.Generator,
        dof: Array | None = None,  # of t components, whose scale matrices the covariances are
    ) -> Array:
        if self.letters.diagonal and dof is None:
            sd = np.sqrt(self._variances(parameters.covariances))[labels]
            filled = (parameters.means[labels] + sd * rng.standard_normal(x.shape[::-1])).T
        else:
            filled = drawn(self._centred(x), parameters.means, self._matrices(parameters.covariances), labels, rng, dof)
        return self._restored(x, filled)

    def completed(self, means: Array, covariances: Array, floored: bool = False) -> GaussianParameters:
        """With all that the E-step needs; matrices are held above the resolution of the data if it says so."""
        if self.letters.diagonal:
            return of_variances(means, covariances, self.bounds, self.letters.isotropic)
        return of_matrices(means, covariances, self.bounds, floored and not self.letters.rotated)

    def _may_be_below(self, covariances: Array) -> Flags:
        """(…) whether any of a candidate is below the floor, or could be in some direction."""
        floor = self.bounds.variance
        values = covariances if self.letters.diagonal else np.linalg.eigvalsh(covariances)
        below: Flags = np.asarray((values < (floor if self.letters.diagonal else floor.max())).any(axis=(-2, -1)))
        return below

    def _centred(self, x: Array) -> Array:
        centred: Array = (x - self.columns.mean[:, None]) * (1 / self.scale)[:, None]
        return centred

    def _restored(self, x: Array, filled: Array) -> Array:
        """The rows x (D, n), their missing cells from rows filled in coordinates of the family."""
        return np.where(np.isnan(x), filled * self.scale[:, None] + self.columns.mean[:, None], x)

    def _matrices(self, covariances: Array) -> Array:
        """(K, D, D), whatever the structure."""
        matrices: Array = covariances[..., None] * np.eye(self.n_columns) if self.letters.diagonal else covariances
        return matrices

    def _variances(self, covariances: Array) -> Array:
        """(K, D), whatever the structure."""
        if self.letters.diagonal:
            return np.broadcast_to(covariances, (*covariances.shape[:-1], self.n_columns))
        return np.diagonal(covariances, axis1=1, axis2=2)

    def _in_units(self, parameters: GaussianParameters) -> Array:
        """(K, D, D) in the user's units; variances (K, D) of a diagonal structure."""
        if self.letters.diagonal:
            return self._variances(parameters.covariances) * self.scale**2
        return parameters.covariances * np.outer(self.scale, self.scale)

    def _locations(self, parameters: GaussianParameters) -> Array:
        locations: Array = parameters.means * self.scale + self.columns.mean
        return locations
