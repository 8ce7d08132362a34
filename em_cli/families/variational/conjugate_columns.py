"""Columns that are independent given the component, each with a conjugate prior: posteriors, and laws of new rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Integers, take
from em_cli.engine.documents import field
from em_cli.engine.family import BoundFamily
from em_cli.errors import DataError
from em_cli.families.distributions.columnwise import Columnwise, ColumnwiseParameters
from em_cli.families.distributions.distribution import Priors, Values
from em_cli.families.variational.approximate import BoundApproximate
from em_cli.families.variational.mode import BoundMode
from em_cli.families.variational.predictive import Predictive
from em_cli.families.variational.shares import SHARE


@dataclass(frozen=True, slots=True, eq=False)
class ConjugateColumns:
    base: Columnwise
    priors: Priors

    @property
    def hyperparameters(self) -> frozenset[str]:
        return self.priors.keys

    def approximated(self, prior: Mapping[str, object]) -> BoundFamily:
        return BoundApproximate(self.base, ColumnPosteriors(self.base, self.priors, self.priors.prior(prior)))

    def at_mode(self, prior: Mapping[str, object]) -> BoundFamily:
        if not self.priors.keys & prior.keys():
            return self.base
        return BoundMode(self.base, ColumnModes(self.base, self.priors, self.priors.prior(prior)))

    def predictive(self) -> BoundFamily:
        return Predictive(self.base, ColumnReading(self.base, self.priors))


@dataclass(frozen=True, slots=True, eq=False)
class ColumnPosteriors:
    """A missing cell tells nothing of any parameter: what is observed of each column is exactly enough."""

    base: Columnwise
    priors: Priors
    prior: Values

    def posterior(self, statistics: Array, at: ColumnwiseParameters | None) -> Values:
        return self.priors.posterior(self.prior, *self.base.parts(statistics))

    def expected(self, posterior: Values) -> tuple[ColumnwiseParameters, Array]:
        """The expected natural parameters say all: there is no offset."""
        point = self.base.with_natural(self.priors.point(posterior), *self.priors.expected_natural(posterior))
        return point, np.zeros(point.concentrated.shape)

    def divergence(self, posterior: Values) -> Array:
        return self.priors.divergence(self.prior, posterior)

    def to_document(self, posterior: Values) -> dict[str, object]:
        return {
            "prior_parameters": self.priors.to_document(self.prior),
            "posterior": self.priors.to_document(posterior),
            "intervals": {"share": SHARE, **self.priors.intervals(posterior)},
        }

    def from_document(self, document: Mapping[str, object], n_components: int) -> Values:
        return read(self.priors, document, n_components)


@dataclass(frozen=True, slots=True, eq=False)
class ColumnModes:
    base: Columnwise
    priors: Priors
    prior: Values

    def mode(self, statistics: Array, at: ColumnwiseParameters | None) -> ColumnwiseParameters:
        return self.base.at(self.priors.mode(self.priors.posterior(self.prior, *self.base.parts(statistics))))

    def log_prior(self, parameters: ColumnwiseParameters) -> Array:
        return self.priors.log_density(self.prior, parameters.values)

    def told(self, parameters: ColumnwiseParameters) -> dict[str, object]:
        return {}


def read(priors: Priors, document: Mapping[str, object], n_components: int) -> Values:
    """The hyperparameters of a document; `DataError` names a field that is missing or cannot be."""
    own = field(document, "posterior")
    if not isinstance(own, Mapping):
        raise DataError("the field 'posterior' must hold the posterior of a variational fit.")
    return priors.from_document(own, n_components)


@dataclass(frozen=True, slots=True, eq=False)
class ColumnReading:
    base: Columnwise
    priors: Priors

    @property
    def law(self) -> ColumnsLaw:
        return ColumnsLaw(self.base, self.priors)

    def posterior(self, document: Mapping[str, object], n_components: int) -> Values:
        return read(self.priors, document, n_components)

    def point(self, posterior: Values) -> ColumnwiseParameters:
        return self.base.at(self.priors.point(posterior))

    def of_law(self, posterior: Values) -> Values:
        return posterior


@dataclass(frozen=True, slots=True, eq=False)
class ColumnsLaw:
    """Of new rows: features are these themselves, a missing cell is integrated out."""

    elliptic: ClassVar[None] = None

    base: Columnwise
    priors: Priors

    @property
    def completing(self) -> ColumnsLaw:
        return self

    def n_features(self) -> int:
        return len(self.base.columns.mean)

    def features(self, x: Array, out: Array) -> None:
        out[...] = x

    def base_measure(self, x: Array) -> Array:
        return np.zeros(x.shape[1])

    def log_density(self, features: Array, parameters: Values, offset: Array, out: Array) -> None:
        out[...] = offset[..., None]
        for j, cells in enumerate(features):
            missing = np.isnan(cells)
            own = self.priors.log_predictive(parameters, j, np.where(missing, 0.0, cells))
            out += np.where(missing, 0.0, own)

    def sample(self, parameters: Values, labels: Integers, rng: np.random.Generator) -> Array:
        """With parameters of its own for each row."""
        drawn = self.priors.drawn(take(parameters, labels), rng)
        return self.base.distribution.sample(drawn, rng).T

    def complete(self, x: Array, parameters: Values, responsibilities: Array) -> Array:
        return self.base.complete(x, self.base.at(self.priors.point(parameters)), responsibilities)

    def draw(self, x: Array, parameters: Values, labels: Integers, rng: np.random.Generator) -> Array:
        return np.where(np.isnan(x), self.sample(parameters, labels, rng), x)
