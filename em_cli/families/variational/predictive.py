"""The posterior predictive distribution: what new rows look like, the parameters integrated out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, Integers
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.family import BoundFamily, Completing, Degeneracy, Elliptic
from em_cli.errors import UsageError
from em_cli.families.variational.approximate import EllipticPoint


@dataclass(frozen=True, slots=True)
class PredictiveParameters:
    point: Any  # of the family whose posterior it is
    law: Any  # of new rows
    posterior: Any  # hyperparameters


class Law(Protocol):
    """Of new rows, as a `BoundFamily` has it."""

    @property
    def completing(self) -> Completing | None: ...
    @property
    def elliptic(self) -> Elliptic | None: ...
    def n_features(self) -> int: ...
    def features(self, x: Array, out: Array) -> None: ...
    def base_measure(self, x: Array) -> Array: ...
    def log_density(self, features: Array, parameters: Any, offset: Array, out: Array) -> None: ...
    def sample(self, parameters: Any, labels: Integers, rng: np.random.Generator) -> Array: ...


class Reading(Protocol):
    """Posteriors as documents have them, and what follows from them."""

    @property
    def law(self) -> Law: ...
    def posterior(self, document: Mapping[str, object], n_components: int) -> Any: ...
    def point(self, posterior: Any) -> Any: ...
    def of_law(self, posterior: Any) -> Any: ...


@dataclass(frozen=True, slots=True, eq=False)
class Predictive:
    """Rows have the predictive density; what is told of the components is told of the posterior's point."""

    exponential: ClassVar[None] = None
    reweighting: ClassVar[None] = None
    penalty: ClassVar[None] = None
    approximate: ClassVar[None] = None

    base: BoundFamily
    reading: Reading

    @property
    def completing(self) -> Predictive | None:
        return self if self.reading.law.completing is not None else None

    @property
    def elliptic(self) -> EllipticPoint | None:
        return None if self.base.elliptic is None else EllipticPoint(self.base.elliptic)

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        return self.base.quantities

    @property
    def coupled(self) -> bool:
        return self.base.coupled

    def n_features(self) -> int:
        return self.reading.law.n_features()

    def features(self, x: Array, out: Array) -> None:
        self.reading.law.features(x, out)

    def base_measure(self, x: Array) -> Array:
        return self.reading.law.base_measure(x)

    def embedding(self, x: Array) -> Array:
        return self.base.embedding(x)

    def log_density(self, features: Array, parameters: PredictiveParameters, offset: Array, out: Array) -> None:
        self.reading.law.log_density(features, parameters.law, offset, out)

    def statistics(self, features: Array, responsibilities: Array, parameters: PredictiveParameters | None) -> Array:
        """Sums of the features: nothing is fitted from them."""
        return exponential_family.statistics(features, responsibilities)

    def maximize(self, statistics: Array, parameters: PredictiveParameters | None) -> Any:
        raise UsageError("a predictive distribution is not fitted to rows: fit with --inference variational again.")

    def expected_log_density(self, statistics: Array, parameters: PredictiveParameters) -> Array:
        raise UsageError("a predictive distribution has no sufficient statistics: em score tells its densities.")

    def n_parameters(self, n_components: int) -> int:
        return self.base.n_parameters(n_components)

    def degenerate(self, parameters: PredictiveParameters, support: Array) -> list[Degeneracy | None]:
        return [None] * len(support)

    def moments(self, parameters: PredictiveParameters) -> tuple[Array, Array]:
        return self.base.moments(parameters.point)

    def to_document(self, parameters: PredictiveParameters) -> dict[str, object]:
        return self.base.to_document(parameters.point)

    def from_document(self, document: Mapping[str, object], n_components: int) -> PredictiveParameters:
        posterior = self.reading.posterior(document, n_components)
        return PredictiveParameters(self.reading.point(posterior), self.reading.of_law(posterior), posterior)

    def sample(self, parameters: PredictiveParameters, labels: Integers, rng: np.random.Generator) -> Array:
        return self.reading.law.sample(parameters.law, labels, rng)

    def chart(self, parameters: PredictiveParameters, weight: Array) -> None:
        return None

    def complete(self, x: Array, parameters: PredictiveParameters, responsibilities: Array) -> Array:
        return self._completing.complete(x, parameters.law, responsibilities)

    def draw(self, x: Array, parameters: PredictiveParameters, labels: Integers, rng: np.random.Generator) -> Array:
        return self._completing.draw(x, parameters.law, labels, rng)

    @property
    def _completing(self) -> Completing:
        completing = self.reading.law.completing
        assert completing is not None, "the law can fill missing cells"
        return completing
