"""t components bound to complete data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, Integers
from em_cli.engine.cache import scratch
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.documents import finite
from em_cli.engine.family import Degeneracy, Ellipsoids
from em_cli.errors import DataError
from em_cli.families.covariances.structure import constrained
from em_cli.families.gaussian.gaussian import TINY, BoundGaussian
from em_cli.families.gaussian.parameters import GaussianParameters
from em_cli.families.gaussian.prior import scatter as prior_scatter
from em_cli.families.gaussian.whitening import whitened
from em_cli.families.student_t.chart import StudentTChart
from em_cli.families.student_t.dof import MOST, solved
from em_cli.families.student_t.parameters import StudentTParameters, of_normal, spent

START = 30.0  # degrees of freedom, where the rows have not been weighed yet
LARGEST = 1e6  # that can be asked for; a Gaussian is no different
TURNS = 12  # of scale matrix and degrees of freedom, where they are sought from nowhere
FARTHEST = 8.0  # an embedded row, in robust standard deviations


@dataclass(frozen=True, slots=True, eq=False)
class BoundStudentT:
    """Features are a Gaussian's; statistics are N = Σr, those of a Gaussian for rows that weigh rv, Σ r log v, and P.

    v = ν/(ν + δ) falls with the squared distance δ from the location. For any new parameters

        Σ r log(1 + δ'/ν') ≤ N log(Σ rv (1 + δ'/ν') / N) − Σ r log v,

    with equality at the present ones: the M-step maximises the bound of the log-likelihood that
    follows, in location, scale and degrees of freedom at once. It never descends, and is
    faster than EM with the row weights as missing data: its scale matrix is that of Kent, Tyler &
    Vardi (1994), which parameter expansion (Liu, Rubin & Wu 1998) explains.

    P pseudo-observations of a prior are normal, with the scale matrix for covariance: t components
    that see but a few equal rows would forget any that are not. No row adds to P.
    """

    exponential: ClassVar[None] = None
    completing: ClassVar[None] = None
    approximate: ClassVar[None] = None

    normal: BoundGaussian  # with the same location, and the scale matrix for covariance
    dof: str | float  # "free", "common" or a number

    @property
    def reweighting(self) -> BoundStudentT:
        return self

    @property
    def penalty(self) -> BoundStudentT:
        return self

    @property
    def elliptic(self) -> BoundStudentT:
        return self

    @property
    def quantities(self) -> dict[str, Quantity]:
        of_normal = self.normal.quantities
        return {"means": of_normal["means"], "scales": of_normal["covariances"], "dof": Quantity.POSITIVE}

    @property
    def columns(self) -> Columns:
        return self.normal.columns

    def n_features(self) -> int:
        return self.normal.n_features()

    def features(self, x: Array, out: Array) -> None:
        self.normal.features(x, out)

    def base_measure(self, x: Array) -> Array:
        return self.normal.base_measure(x)

    def embedding(self, x: Array) -> Array:
        """In robust standard deviations from the median, and no farther than a few: starts do not chase outliers."""
        centred = x - np.median(x, axis=1, keepdims=True)
        spread = 1.4826 * np.median(np.abs(centred), axis=1, keepdims=True)
        return np.clip(centred / np.where(spread > 0, spread, self.columns.unit[:, None]), -FARTHEST, FARTHEST)

    def log_density(self, features: Array, parameters: StudentTParameters, offset: Array, out: Array) -> None:
        self._distances(features, parameters, out)
        np.log(out, out=out)
        out *= -0.5 * (parameters.dof + self.n_columns)[..., None]
        out += (parameters.level + offset)[..., None]

    def _distances(self, features: Array, parameters: StudentTParameters, out: Array) -> None:
        """Write 1 + δ/ν (R, K, n)."""
        concentrated = parameters.normal.concentrated
        if not concentrated.all():
            exponential_family.log_density(features, parameters.theta, None, out)
            np.maximum(out, 1.0, out=out)
        for places, z, _ in whitened(features, parameters.normal):
            out[places] = 1 + np.einsum("cdm,cdm->cm", z, z) / parameters.dof[places][:, None]

    def statistics(self, features: Array, responsibilities: Array, parameters: StudentTParameters | None) -> Array:
        if parameters is None:
            sums = self.normal.statistics(features, responsibilities, None)
            return np.concatenate([sums[..., :1], sums, np.zeros((*sums.shape[:-1], 2))], axis=-1)
        distances = scratch("distances", *responsibilities.shape)
        self._distances(features, parameters, distances)
        weighed = responsibilities / distances
        sums = self.normal.statistics(features, weighed, parameters.normal)
        weight = np.add.reduce(responsibilities, axis=-1)
        logs = np.log(distances, out=distances)
        logs *= responsibilities
        rest = np.stack([-np.add.reduce(logs, axis=-1), np.zeros_like(weight)], axis=-1)
        return np.concatenate([weight[..., None], sums, rest], axis=-1)

    def reference(self, parameters: StudentTParameters) -> StudentTParameters:
        none = np.zeros_like(parameters.normal.concentrated)
        return replace(parameters, normal=replace(parameters.normal, concentrated=none))

    def maximize(self, statistics: Array, parameters: StudentTParameters | None) -> StudentTParameters:
        weight = np.maximum(statistics[..., 0], TINY)
        at = None if parameters is None else parameters.normal
        weighed, means, scatter = self.normal.averages(statistics[..., 1:-2], at)
        slack = np.log(weighed / weight) - statistics[..., -2] / weight
        if parameters is not None and np.logical_or.reduce(statistics[..., -1] > 0, axis=None):
            return self._with_prior(weight, means, scatter, slack, statistics[..., -1], parameters)
        if self.normal.letters.shared:
            return self._with_one_scale(weight, means, scatter, slack, parameters)
        normal = self._normal(weight, means, scatter)
        unknown = _unknown(parameters)
        dof = self._dof(weight, slack, 0.0, unknown) if parameters is None else parameters.dof
        held = spent(normal, scatter) < (1 - 1e-9) * self.n_columns  # at the resolution of the data
        if np.logical_or.reduce(held, axis=None):
            ratio = _ratio(normal if parameters is None else parameters.normal, scatter, dof)
            normal = self._normal(weight, means, _times(np.where(held, ratio, 1.0), scatter))
        return of_normal(normal, self._dof(weight, slack, _excess(normal, scatter, dof), unknown))

    def _with_one_scale(
        self, weight: Array, means: Array, scatter: Array, slack: Array, parameters: StudentTParameters | None
    ) -> StudentTParameters:
        """Scale matrix and degrees of freedom by turns, the logarithms of the bound held at their tangents."""
        unknown = _unknown(parameters)
        if parameters is None:
            normal, dof, turns = self._normal(weight, means, scatter), self._dof(weight, slack, 0.0, unknown), TURNS
        else:
            normal, dof, turns = parameters.normal, parameters.dof, 1
        for _ in range(turns):
            ratio, by_dof = _ratio(normal, scatter, dof), weight * dof
            common = np.add.reduce(by_dof * ratio, axis=-1) / np.add.reduce(by_dof, axis=-1)
            normal = self._normal(weight, means, _times(ratio / common[..., None], scatter))
            dof = self._dof(weight, slack, _excess(normal, scatter, dof), unknown)
        return of_normal(normal, dof)

    def _with_prior(
        self, weight: Array, means: Array, scatter: Array, slack: Array, prior: Array, parameters: StudentTParameters
    ) -> StudentTParameters:
        """Likewise; the scale matrix is that of rows and pseudo-observations together."""
        share = weight / (weight + prior)
        share_of_rows = share * _ratio(parameters.normal, scatter, parameters.dof)
        letters = self.normal.letters
        spread = prior_scatter(self.columns, self.normal.scale, means.shape[-2], letters.diagonal)
        spread = spread.mean(keepdims=True) if letters.isotropic else spread
        blended = _times(share_of_rows, scatter) + _times(1 - share, np.broadcast_to(spread, scatter.shape))
        normal = self._normal(weight + prior, means, blended)
        excess = _excess(normal, scatter, parameters.dof)
        return of_normal(normal, self._dof(weight, slack, excess, MOST))

    def _normal(self, weight: Array, means: Array, scatter: Array) -> GaussianParameters:
        structure, floor = self.normal.structure, self.normal.bounds.floor
        return self.normal.completed(means, constrained(structure, weight, scatter, floor), floored=True)

    def _dof(self, weight: Array, slack: Array, excess: Array | float, unknown: float) -> Array:
        """At the maximum of the bound; unknown where the rows do not differ in what they weigh."""
        if not isinstance(self.dof, str):
            return np.full_like(slack, self.dof)
        if self.dof == "common":
            share = weight / np.add.reduce(weight, axis=-1, keepdims=True)
            excess = np.add.reduce(share * excess, axis=-1, keepdims=True)
            slack = np.repeat(np.add.reduce(share * slack, axis=-1, keepdims=True), slack.shape[-1], axis=-1)
        return np.where(slack > 0, solved(slack + excess, self.n_columns), unknown)

    def n_parameters(self, n_components: int) -> int:
        dofs = {"free": n_components, "common": 1}
        return self.normal.n_parameters(n_components) + (dofs[self.dof] if isinstance(self.dof, str) else 0)

    def degenerate(self, parameters: StudentTParameters, support: Array) -> list[Degeneracy | None]:
        return self.normal.degenerate(parameters.normal, support)

    def moments(self, parameters: StudentTParameters) -> tuple[Array, Array]:
        """The locations; standard deviations are NaN where there are none, at two degrees of freedom or less."""
        mean, scale = self.normal.moments(parameters.normal)
        dof = parameters.dof[:, None]
        return mean, scale * np.sqrt(np.where(dof > 2, dof / np.where(dof > 2, dof - 2, 1.0), np.nan))

    def to_document(self, parameters: StudentTParameters) -> dict[str, object]:
        document = self.normal.to_document(parameters.normal)
        return {"means": document["means"], "scales": document["covariances"], "dof": parameters.dof.tolist()}

    def from_document(self, document: Mapping[str, object], n_components: int) -> StudentTParameters:
        normal = self.normal.from_document(document, n_components, "scales")
        dof = finite(document, "dof")
        if dof.shape != (n_components,):
            raise DataError(f"the field 'dof' must hold {n_components} numbers.")
        if not ((dof >= 1 / LARGEST) & (dof <= LARGEST)).all():
            raise DataError(f"the field 'dof' holds a number that is not from {1 / LARGEST:g} to {LARGEST:g}.")
        return of_normal(normal, dof)

    @property
    def coupled(self) -> bool:
        return self.normal.coupled or self.dof == "common"

    def expected_log_density(self, statistics: Array, parameters: StudentTParameters) -> Array:
        """The bound of it that the M-step maximises."""
        weight, weighed = np.maximum(statistics[..., 0], TINY), statistics[..., 1]
        distances = np.einsum("...f,...f->...", statistics[..., 1:-2], parameters.theta)
        logs = weight * np.log(np.maximum(distances, np.maximum(weighed, TINY)) / weight) - statistics[..., -2]
        expected: Array = weight * parameters.level - 0.5 * (parameters.dof + self.n_columns) * logs
        if np.logical_or.reduce(statistics[..., -1] > 0, axis=None):
            pseudo = self.normal.penalty_statistics(parameters.normal, plain=True)
            expected += statistics[..., -1] * self.normal.expected_log_density(pseudo, parameters.normal)
        return expected

    def penalty_statistics(self, parameters: StudentTParameters, plain: bool) -> Array:
        """One, and no row."""
        pseudo = np.zeros((*parameters.dof.shape, 3 + self.n_features()))
        pseudo[..., -1] = 1.0
        return pseudo

    def chart(self, parameters: StudentTParameters, weight: Array) -> StudentTChart:
        return StudentTChart(self.normal, parameters, weight, self.dof)

    def ellipsoids(self, parameters: StudentTParameters) -> list[Ellipsoids]:
        return [replace(found, dof=parameters.dof) for found in self.normal.ellipsoids(parameters.normal)]

    def sample(self, parameters: StudentTParameters, labels: Integers, rng: np.random.Generator) -> Array:
        drawn = self.normal.sample(parameters.normal, labels, rng)
        centre = self.normal.moments(parameters.normal)[0][labels].T
        dof = parameters.dof[labels]
        stretched: Array = centre + (drawn - centre) * np.sqrt(dof / rng.chisquare(dof))
        return stretched

    @property
    def n_columns(self) -> int:
        return len(self.columns.mean)


def _unknown(parameters: StudentTParameters | None) -> float:
    return START if parameters is None else MOST


def _ratio(normal: GaussianParameters, scatter: Array, dof: Array) -> Array:
    """By how much more the distances vary than they should; one at the best scale matrix."""
    ratio: Array = (dof + normal.means.shape[-1]) / (dof + spent(normal, scatter))
    return ratio


def _excess(normal: GaussianParameters, scatter: Array, dof: Array) -> Array:
    """What a scale matrix that is not the best adds to the slack."""
    ratio = _ratio(normal, scatter, dof)
    excess: Array = ratio - 1 - np.log(ratio)
    return excess


def _times(factor: Array, scatter: Array) -> Array:
    scaled: Array = factor.reshape(*factor.shape, *(1,) * (scatter.ndim - factor.ndim)) * scatter
    return scaled
