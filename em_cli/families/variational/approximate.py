"""Variational Bayes (Attias 2000; Beal 2003; Bishop 2006, 10.2): parameters are approximate posteriors.

The posterior of each component is of the form of its conjugate prior, so that the M-step adds statistics to the
prior. What rows are worth under a posterior, the expected log-density, is the density of the family at one point and
a constant: the E-step is that of the family.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.exponential_family import Exponential
from em_cli.engine.family import BoundFamily, Degeneracy, Ellipsoids, Elliptic


@dataclass(frozen=True, slots=True)
class PosteriorParameters:
    point: Any  # parameters of the family, where
    offset: Array  # (R, K) is added to the log-density, it is the expected one
    posterior: Any  # hyperparameters
    divergence: Array  # (R, K) nats from the prior


class Conjugate(Protocol):
    """A family whose parameters have a conjugate prior."""

    @property
    def hyperparameters(self) -> frozenset[str]:
        """Which keys of a prior it understands."""

    def approximated(self, prior: Mapping[str, object]) -> BoundFamily:
        """The family whose parameters are approximate posteriors; `UsageError` if the prior is none of it."""

    def at_mode(self, prior: Mapping[str, object]) -> BoundFamily:
        """The family whose parameters are modes of posteriors: itself, where nothing is said of its prior."""

    def predictive(self) -> BoundFamily:
        """That of new rows, which documents of such posteriors are read by."""


class Posteriors(Protocol):
    """The prior of a family, and what follows from a posterior."""

    def posterior(self, statistics: Array, at: Any) -> Any:
        """The prior with the statistics (R, K, S), whose frame is `at` or none."""

    def expected(self, posterior: Any) -> tuple[Any, Array]:
        """The point and the offset (…, K)."""

    def divergence(self, posterior: Any) -> Array:
        """(…, K)."""

    def to_document(self, posterior: Any) -> dict[str, object]:
        """Prior, posterior and intervals in the user's units."""

    def from_document(self, document: Mapping[str, object], n_components: int) -> Any: ...


@dataclass(frozen=True, slots=True, eq=False)
class BoundApproximate:
    """A family with a prior."""

    reweighting: ClassVar[None] = None
    penalty: ClassVar[None] = None
    completing: ClassVar[None] = None
    kindred: ClassVar[None] = None

    base: BoundFamily
    posteriors: Posteriors
    of_points = False

    @property
    def exponential(self) -> BoundApproximate | None:
        return self if self.base.exponential is not None else None

    @property
    def elliptic(self) -> EllipticPoint | None:
        return None if self.base.elliptic is None else EllipticPoint(self.base.elliptic)

    @property
    def approximate(self) -> BoundApproximate:
        return self

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        return self.base.quantities

    @property
    def coupled(self) -> bool:
        return self.base.coupled

    def n_features(self) -> int:
        return self.base.n_features()

    def features(self, x: Array, out: Array) -> None:
        self.base.features(x, out)

    def base_measure(self, x: Array) -> Array:
        return self.base.base_measure(x)

    def embedding(self, x: Array) -> Array:
        return self.base.embedding(x)

    @property
    def _exponential(self) -> Exponential:
        exponential = self.base.exponential
        assert exponential is not None, "the family is exponential"
        return exponential

    def natural(self, parameters: PosteriorParameters) -> tuple[Array, Flags]:
        theta, apart = self._exponential.natural(parameters.point)
        theta = theta.copy()
        theta[..., 0] += parameters.offset
        return theta, apart

    @property
    def needs_frame(self) -> bool:
        return self._exponential.needs_frame

    def n_own_features(self) -> int:
        return self._exponential.n_own_features()

    def monomials(self) -> Integers | None:
        return None

    def common_sums(self, features: Array, weights: Array | None) -> Array:
        return self._exponential.common_sums(features, weights)

    def log_density(self, features: Array, parameters: PosteriorParameters, offset: Array, out: Array) -> None:
        self.base.log_density(features, parameters.point, offset + parameters.offset, out)

    def statistics(self, features: Array, responsibilities: Array, parameters: PosteriorParameters | None) -> Array:
        return self.base.statistics(features, responsibilities, parameters and parameters.point)

    def maximize(self, statistics: Array, parameters: PosteriorParameters | None) -> PosteriorParameters:
        return self.at(self.posteriors.posterior(statistics, parameters and parameters.point))

    def at(self, posterior: object) -> PosteriorParameters:
        """Completed; stacked or not."""
        point, offset = self.posteriors.expected(posterior)
        return PosteriorParameters(point, offset, posterior, self.posteriors.divergence(posterior))

    def divergence(self, parameters: PosteriorParameters) -> Array:
        return parameters.divergence

    def n_parameters(self, n_components: int) -> int:
        return self.base.n_parameters(n_components)

    def degenerate(self, parameters: PosteriorParameters, support: Array) -> list[Degeneracy | None]:
        """None: the prior bears what rows do not."""
        return [None] * len(support)

    def moments(self, parameters: PosteriorParameters) -> tuple[Array, Array]:
        return self.base.moments(parameters.point)

    def to_document(self, parameters: PosteriorParameters) -> dict[str, object]:
        return self.base.to_document(parameters.point) | self.posteriors.to_document(parameters.posterior)

    def from_document(self, document: Mapping[str, object], n_components: int) -> PosteriorParameters:
        return self.at(self.posteriors.from_document(document, n_components))

    def sample(self, parameters: PosteriorParameters, labels: Integers, rng: np.random.Generator) -> Array:
        return self.base.sample(parameters.point, labels, rng)

    def expected_log_density(self, statistics: Array, parameters: PosteriorParameters) -> Array:
        """Less the divergence: what a component adds to the evidence lower bound."""
        expected = self.base.expected_log_density(statistics, parameters.point)
        added: Array = expected + statistics[..., 0] * parameters.offset - parameters.divergence
        return added

    def chart(self, parameters: PosteriorParameters, weight: Array) -> None:
        return None


@dataclass(frozen=True, slots=True)
class EllipticPoint:
    """The contours at the point, of which rows are not drawn."""

    base: Elliptic

    def ellipsoids(self, parameters: Any) -> list[Ellipsoids]:
        return [replace(found, exact=False) for found in self.base.ellipsoids(parameters.point)]
