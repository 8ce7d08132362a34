"""Factor analysers bound to complete data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.documents import LARGEST, finite
from em_cli.engine.family import Degeneracy, Ellipsoids
from em_cli.errors import DataError
from em_cli.families.distributions.degeneracies import verdict
from em_cli.families.factor_analyzers.chart import FactorChart
from em_cli.families.factor_analyzers.parameters import FactorParameters, of_factors
from em_cli.families.factor_analyzers.statistics import TINY, averages, bound, of_scatter, packed, standardized
from em_cli.families.gaussian.parameters import Bounds, bounds_of
from em_cli.families.gaussian.prior import scatter

LEAST_SHARE = 0.5  # of a variance that a factor of the data as a whole stands for


@dataclass(frozen=True, slots=True, eq=False)
class BoundFactorAnalyzers:
    """Covariances ΛΛᵀ + Ψ: Q factors, and a noise variance of each column, or one for all.

    Features are 1, z and z². The mean is the maximum whatever the covariance; loadings and noise are
    those of EM with the factors as missing data, whose own mean and covariance are free in the
    M-step (parameter expansion; Liu, Rubin & Wu 1998): where there is little noise, EM without
    it takes a hundred times as many steps. The loadings are determined up to a rotation.
    """

    exponential: ClassVar[None] = None
    completing: ClassVar[None] = None
    approximate: ClassVar[None] = None
    coupled: ClassVar[bool] = False

    n_factors: int
    isotropic: bool  # the noise
    columns: Columns
    scale: Array  # (D,) what one unit of the coordinates is in the user's units
    bounds: Bounds

    @property
    def reweighting(self) -> BoundFactorAnalyzers:
        return self

    @property
    def penalty(self) -> BoundFactorAnalyzers:
        return self

    @property
    def elliptic(self) -> BoundFactorAnalyzers:
        return self

    @property
    def quantities(self) -> dict[str, Quantity]:
        return {"means": Quantity.REAL, "loadings": Quantity.LOADING, "noise_variances": Quantity.POSITIVE}

    @property
    def n_columns(self) -> int:
        return len(self.columns.mean)

    def n_features(self) -> int:
        return 1 + 2 * self.n_columns

    def features(self, x: Array, out: Array) -> None:
        d = self.n_columns
        out[0] = 1.0
        np.subtract(x, self.columns.mean[:, None], out=out[1 : 1 + d])
        out[1 : 1 + d] /= self.scale[:, None]
        np.square(out[1 : 1 + d], out=out[1 + d :])

    def base_measure(self, x: Array) -> Array:
        return np.broadcast_to(-np.log(self.scale).sum(), x.shape[1])

    def embedding(self, x: Array) -> Array:
        return self.columns.standardized(x)

    def log_density(self, features: Array, parameters: FactorParameters, offset: Array, out: Array) -> None:
        p, (r, k, q, d) = parameters, parameters.scores.shape
        z = features[1 : 1 + d]
        exponential_family.log_density(features, p.theta, offset, out)
        factors = np.matmul(p.whitening.reshape(r, k * q, d), z).reshape(r, k, q, -1)
        factors -= p.whitening @ p.means[..., None]
        out += 0.5 * np.einsum("rkqn,rkqn->rkn", factors, factors)
        for i, j in zip(*np.nonzero(p.concentrated), strict=True):
            centred = z - p.means[i, j][:, None]
            scores = p.scores[i, j] @ centred
            centred -= p.loadings[i, j] @ scores
            quadratic = np.einsum("dn,dn,d->n", centred, centred, 1 / p.noise[i, j])
            quadratic += np.einsum("qn,qn->n", scores, scores)
            out[i, j] = offset[i, j] + p.level[i, j] - 0.5 * quadratic

    def statistics(self, features: Array, responsibilities: Array, parameters: FactorParameters | None) -> Array:
        return packed(
            features, responsibilities, self.frame_for(responsibilities) if parameters is None else parameters
        )

    def reference(self, parameters: FactorParameters) -> FactorParameters:
        return replace(parameters, concentrated=np.zeros_like(parameters.concentrated))

    def frame_for(self, responsibilities: Array) -> FactorParameters:
        """The frame of statistics that have none: in every component, the factors of the data as a whole."""
        one, shape = self.overall(), responsibilities.shape[:2]
        means, loadings, noise = (
            np.broadcast_to(part, shape + part.shape) for part in (one.means, one.loadings, one.noise)
        )
        return self.reference(of_factors(means, loadings, noise, self.bounds))

    def overall(self) -> FactorParameters:
        """The data as a whole, roughly."""
        covariance = self.columns.covariance / np.outer(self.scale, self.scale)
        values, vectors = np.linalg.eigh(covariance)
        q, d = self.n_factors, self.n_columns
        values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
        rest = values[q:].mean() if q < d else 0.0
        kept = np.maximum(values[:q] - rest, LEAST_SHARE * values[:q])
        loadings = vectors[:, :q] * np.sqrt(kept)
        variances = np.where(np.diag(covariance) > 0, np.diag(covariance), 1.0)
        noise = np.maximum(variances - (loadings**2).sum(axis=1), 1e-3 * variances)
        return of_factors((self.columns.centre - self.columns.mean) / self.scale, loadings, noise, self.bounds)

    def maximize(self, statistics: Array, parameters: FactorParameters | None) -> FactorParameters:
        m = standardized(averages(statistics, self.n_columns, self.n_factors))
        means = m.mean
        if parameters is not None:
            means = np.where(parameters.concentrated[..., None], parameters.means + means, means)
        return self._held(means, np.swapaxes(m.cross, -1, -2), m.variances - np.add.reduce(m.cross**2, axis=-2))

    def _held(self, means: Array, loadings: Array, noise: Array) -> FactorParameters:
        """Completed; the noise is pooled if it is isotropic, and held above the resolution of the data."""
        floor = self.bounds.variance
        if self.isotropic:
            noise, floor = np.add.reduce(noise, axis=-1, keepdims=True) / self.n_columns, floor.max()
            noise = np.repeat(noise, self.n_columns, axis=-1)
        return of_factors(means, loadings, np.maximum(noise, np.maximum(floor, TINY)), self.bounds)

    def n_parameters(self, n_components: int) -> int:
        """A rotation of the factors changes nothing; and there are no more than a covariance has."""
        d, q = self.n_columns, self.n_factors
        own = d * q - q * (q - 1) // 2 + (1 if self.isotropic else d)
        return n_components * (d + min(own, d * (d + 1) // 2))

    def degenerate(self, parameters: FactorParameters, support: Array) -> list[Degeneracy | None]:
        """A component whose noise is at the resolution of the data, or one narrow and resting on few rows.

        As many columns as there are factors may be without noise, the factors being known by them (Heywood
        cases: the likelihood is bounded there); of one more the covariance is singular. The bounds are those of
        the Gaussian, for the factors in place of the columns: a component of few rows may well have many columns.
        """
        least, overall = self.bounds.variance, np.diag(self.columns.covariance) / self.scale**2
        free = min(self.n_factors, self.n_columns - 1)
        at_resolution: Flags = np.add.reduce(parameters.noise <= least * (1 + 1e-6), axis=-1) > free
        narrowest = np.sort(parameters.noise / np.where(overall > 0, overall, 1.0), axis=-1)[:, free]
        few = 1 + self.n_factors
        reasons: list[Degeneracy | None] = []
        for rows, held, narrow in zip(support, at_resolution.tolist(), narrowest, strict=True):
            if held:
                reasons.append(Degeneracy("the noise of a column is at the resolution of the data", True))
            else:
                reasons.append(verdict(float(rows), few, float(narrow), ()))
        return reasons

    def moments(self, parameters: FactorParameters) -> tuple[Array, Array]:
        variances = np.add.reduce(parameters.loadings**2, axis=-1) + parameters.noise
        return parameters.means * self.scale + self.columns.mean, np.sqrt(variances) * self.scale

    def to_document(self, parameters: FactorParameters) -> dict[str, object]:
        noise = parameters.noise * self.scale**2
        return {
            "means": (parameters.means * self.scale + self.columns.mean).tolist(),
            "loadings": (parameters.loadings * self.scale[:, None]).tolist(),
            "noise_variances": (noise[:, 0] if self.isotropic else noise).tolist(),
        }

    def from_document(self, document: Mapping[str, object], n_components: int) -> FactorParameters:
        k, d, q = n_components, self.n_columns, self.n_factors
        means, loadings, noise = (finite(document, name) for name in ("means", "loadings", "noise_variances"))
        if means.shape != (k, d):
            raise DataError(f"the field 'means' must hold {k} lists of {d} numbers.")
        if loadings.shape != (k, d, q):
            raise DataError(f"the field 'loadings' must hold {k} lists of {d} lists of {q} numbers.")
        if noise.shape != ((k,) if self.isotropic else (k, d)):
            lists = f"{k} numbers" if self.isotropic else f"{k} lists of {d} numbers"
            raise DataError(f"the field 'noise_variances' must hold {lists}.")
        if not (noise >= 1 / LARGEST).all():
            raise DataError("the field 'noise_variances' holds a number that is not positive, or too small.")
        if self.isotropic:
            noise = np.repeat(noise[:, None], d, axis=1)
        scale = self.scale
        standard = (means - self.columns.mean) / scale, loadings / scale[:, None], noise / scale**2
        try:
            return of_factors(*standard, self.bounds)
        except np.linalg.LinAlgError:
            raise DataError("the field 'noise_variances' holds a number too small beside the loadings.") from None

    def expected_log_density(self, statistics: Array, parameters: FactorParameters) -> Array:
        """Of rows and factors together, with the entropy of the factors.

        That is a bound of it, whether the factors are as they are or standardised; and no bound, but it, of
        statistics that are expected at these parameters.
        """
        m = averages(statistics, self.n_columns, self.n_factors)
        better: Array = m.weight * np.maximum(bound(m, parameters), bound(standardized(m), parameters))
        return better

    def chart(self, parameters: FactorParameters, weight: Array) -> FactorChart:
        return FactorChart(parameters, weight, self.isotropic, self._held)

    def penalty_statistics(self, parameters: FactorParameters, plain: bool) -> Array:
        """Scattered about the mean as those of a Gaussian are."""
        spread = scatter(self.columns, self.scale, parameters.means.shape[-2], False)
        return of_scatter(spread, self.reference(parameters) if plain else parameters)

    def ellipsoids(self, parameters: FactorParameters) -> list[Ellipsoids]:
        loadings, noise = parameters.loadings * self.scale[:, None], parameters.noise * self.scale**2
        scales = loadings @ np.swapaxes(loadings, -1, -2) + noise[..., None] * np.eye(self.n_columns)
        return [Ellipsoids(tuple(range(self.n_columns)), self.moments(parameters)[0], scales, None)]

    def sample(self, parameters: FactorParameters, labels: Integers, rng: np.random.Generator) -> Array:
        factors = rng.standard_normal((len(labels), self.n_factors))
        noise = rng.standard_normal((len(labels), self.n_columns)) * np.sqrt(parameters.noise)[labels]
        z = parameters.means[labels] + np.einsum("ndq,nq->nd", parameters.loadings[labels], factors) + noise
        drawn: Array = (z * self.scale + self.columns.mean).T
        return drawn


def bound_factor_analyzers(n_factors: int, isotropic: bool, columns: Columns) -> BoundFactorAnalyzers:
    """The family of complete data."""
    scale = columns.unit
    if isotropic:
        scale = np.full_like(scale, np.sqrt(np.mean(scale**2)))
    floor = columns.resolution / np.sqrt(12) / scale  # the standard deviation of rounding
    return BoundFactorAnalyzers(n_factors, isotropic, columns, scale, bounds_of(floor, columns.largest / scale))
