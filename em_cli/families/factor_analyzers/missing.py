"""Factor analysers where cells may be missing: the likelihood of what is observed, exactly.

Missing cells and factors are missing data of one EM algorithm (Ghahramani & Hinton 1994; McLachlan &
Peel 2000, §8.5): its complete-data statistics are those of rows without gaps, and so is the M-step, that of a
noise common to all columns included (cf. Ilin & Raiko 2010).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, Integers, stack
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.patterns import n_codes, write_codes
from em_cli.families.complete_data import measure_of_observed, of_base
from em_cli.families.factor_analyzers.factor_analyzers import BoundFactorAnalyzers
from em_cli.families.factor_analyzers.marginals import FactorMarginals, marginals
from em_cli.families.factor_analyzers.parameters import FactorParameters
from em_cli.families.factor_analyzers.statistics import side_by_side


@dataclass(frozen=True, slots=True, eq=False)
class FactorAnalyzersWithGaps:
    """What is special about missing cells, around the family of complete data.

    Features are 1, z and z², zero where a cell is missing; then which cells are observed, and the
    codes of the row's pattern.
    """

    exponential: ClassVar[None] = None
    approximate: ClassVar[None] = None

    base: BoundFactorAnalyzers

    maximize = of_base(BoundFactorAnalyzers.maximize)
    expected_log_density = of_base(BoundFactorAnalyzers.expected_log_density)
    chart = of_base(BoundFactorAnalyzers.chart)
    n_parameters = of_base(BoundFactorAnalyzers.n_parameters)
    degenerate = of_base(BoundFactorAnalyzers.degenerate)
    moments = of_base(BoundFactorAnalyzers.moments)
    to_document = of_base(BoundFactorAnalyzers.to_document)
    from_document = of_base(BoundFactorAnalyzers.from_document)
    sample = of_base(BoundFactorAnalyzers.sample)

    @property
    def reweighting(self) -> BoundFactorAnalyzers:
        return self.base

    @property
    def penalty(self) -> BoundFactorAnalyzers:
        return self.base

    @property
    def completing(self) -> FactorAnalyzersWithGaps:
        return self

    @property
    def elliptic(self) -> BoundFactorAnalyzers:
        return self.base

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        return self.base.quantities

    @property
    def coupled(self) -> bool:
        return self.base.coupled

    def n_features(self) -> int:
        d = self.base.n_columns
        return self.base.n_features() + d + n_codes(d)

    def features(self, x: Array, out: Array) -> None:
        missing, f, d = np.isnan(x), self.base.n_features(), self.base.n_columns
        self.base.features(np.where(missing, self.base.columns.mean[:, None], x), out[:f])
        np.logical_not(missing, out=out[f : f + d])
        write_codes(missing, out[f + d :])

    def base_measure(self, x: Array) -> Array:
        return measure_of_observed(x, self.base.scale)

    def embedding(self, x: Array) -> Array:
        """Missing cells stand where the factors of the data as a whole let expect them."""
        overall = stack([stack([self.base.overall()])])
        factors, _ = self._factors(x, overall)
        return self.base.embedding(self._restored(x, _fitted(overall, factors)[0, 0]))

    def log_density(self, features: Array, parameters: FactorParameters, offset: Array, out: Array) -> None:
        p, (z, observed, given) = parameters, self._seen(features, parameters)
        linear = p.means / p.noise
        theta = [np.zeros_like(p.level)[..., None], linear, -0.5 / p.noise, given.constants - 0.5 * linear * p.means]
        f = self.base.n_features() + self.base.n_columns
        exponential_family.log_density(features[:f], np.concatenate(theta, axis=-1), offset, out)
        whitened = given.whitened(z, observed)
        out += given.level() + 0.5 * np.add.reduce(whitened * whitened, axis=2)
        for i, j in zip(*np.nonzero(p.concentrated), strict=True):
            scores = given.factors(whitened)[i, j]
            residual = given.centred(z, observed, i, j) - observed * (p.loadings[i, j] @ scores)
            quadratic = np.einsum("dn,dn,d->n", residual, residual, 1 / p.noise[i, j])
            quadratic += np.einsum("qn,qn->n", scores, scores)
            constants = np.einsum("d,dn->n", given.constants[i, j], observed)
            out[i, j] = offset[i, j] + constants + given.level()[i, j] - 0.5 * quadratic

    def statistics(self, features: Array, responsibilities: Array, parameters: FactorParameters | None) -> Array:
        """Those of complete data, expected at these parameters."""
        p = self.base.frame_for(responsibilities) if parameters is None else parameters
        z, observed, given = self._seen(features, p)
        sums = exponential_family.statistics(features[: self.base.n_features()], responsibilities)
        factors = given.factors(given.whitened(z, observed))
        (r, k, q, n), d = factors.shape, self.base.n_columns
        weighed = factors * responsibilities[:, :, None]
        cross = np.matmul(weighed.reshape(r, k * q, n), z.T).reshape(r, k, q, d)
        for i, j in zip(*np.nonzero(p.concentrated), strict=True):
            centred = given.centred(z, observed, i, j)
            sums[i, j, 1 : 1 + d] = centred @ responsibilities[i, j]
            sums[i, j, 1 + d :] = np.square(centred) @ responsibilities[i, j]
            cross[i, j] = weighed[i, j] @ centred.T
        products = weighed[:, :, :, None] * factors[:, :, None] + given.spread() * responsibilities[:, :, None, None]
        moments = np.concatenate([responsibilities[:, :, None], weighed, products.reshape(r, k, q * q, n)], axis=2)
        whole, lacking = np.add.reduce(moments, axis=-1), np.matmul(moments, 1 - observed.T)
        first, second, filled = _filled(lacking, p)
        sums[..., 1 : 1 + d] += first
        sums[..., 1 + d :] += second
        unknown = np.einsum("rkd,rkd->rk", lacking[:, :, 0], 0.5 - given.constants)
        entropy = np.einsum("rkn,rkn->rk", responsibilities, given.level()) + unknown
        return side_by_side(sums, cross + filled, whole[:, :, 1 : 1 + q], whole[:, :, 1 + q :], entropy)

    def complete(self, x: Array, parameters: FactorParameters, responsibilities: Array) -> Array:
        one = stack([parameters])
        factors, _ = self._factors(x, one)
        return self._restored(x, np.einsum("kn,kdn->dn", responsibilities, _fitted(one, factors)[0]))

    def draw(self, x: Array, parameters: FactorParameters, labels: Integers, rng: np.random.Generator) -> Array:
        one = stack([parameters])
        factors, given = self._factors(x, one)
        factors = factors + given.factors(rng.standard_normal(factors.shape))
        noise = np.sqrt(parameters.noise)[labels].T * rng.standard_normal(x.shape)
        return self._restored(x, _fitted(one, factors)[0, labels, :, np.arange(len(labels))].T + noise)

    def _seen(self, features: Array, parameters: FactorParameters) -> tuple[Array, Array, FactorMarginals]:
        """Rows (D, n), which cells are observed (D, n), and what these say of the factors."""
        f, d = self.base.n_features(), self.base.n_columns
        return features[1 : 1 + d], features[f : f + d], marginals(parameters, features[f + d :])

    def _factors(self, x: Array, stacked: FactorParameters) -> tuple[Array, FactorMarginals]:
        features = np.empty((self.n_features(), x.shape[1]))
        self.features(x, features)
        z, observed, given = self._seen(features, stacked)
        return given.factors(given.whitened(z, observed)), given

    def _restored(self, x: Array, cells: Array) -> Array:
        """The rows x (D, n), with missing cells from these, in coordinates of the family."""
        columns, scale = self.base.columns, self.base.scale
        return np.where(np.isnan(x), cells * scale[:, None] + columns.mean[:, None], x)


def _fitted(parameters: FactorParameters, factors: Array) -> Array:
    """The cells (R, K, D, n) that factors let expect."""
    fitted: Array = parameters.means[..., None] + parameters.loadings @ factors
    return fitted


def _filled(lacking: Array, p: FactorParameters) -> tuple[Array, Array, Array]:
    """What missing cells add to first (R, K, D), second and cross moments (R, K, Q, D).

    The sums (R, K, 1 + Q + Q², D) are those of 1, factors and their products, where the cell is missing.
    """
    r, k, d, q = p.loadings.shape
    mass, factors = lacking[:, :, 0], lacking[:, :, 1 : 1 + q]
    origin = np.where(p.concentrated[..., None], 0.0, p.means)
    by_factors = np.einsum("rkdq,rkqd->rkd", p.loadings, factors)
    products = np.einsum("rkqsd,rkds->rkqd", lacking[:, :, 1 + q :].reshape(r, k, q, q, d), p.loadings)
    second = mass * (origin**2 + p.noise) + 2 * origin * by_factors
    second += np.einsum("rkdq,rkqd->rkd", p.loadings, products)
    return mass * origin + by_factors, second, factors * origin[:, :, None] + products
