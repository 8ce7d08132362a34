"""Maximum a posteriori: parameters at the mode of their posterior under a conjugate prior."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.family import BoundFamily, Completing, Elliptic
from em_cli.families.within import OwnMStep, Within


class Modes(Protocol):
    """The prior of a family, whose parameters these are, and where posteriors have their mode."""

    def mode(self, statistics: Array, at: Any) -> Any:
        """Parameters from the prior with the statistics (R, K, S), whose frame is `at` or none."""

    def log_prior(self, parameters: Any) -> Array:
        """(…, K) log-density of the prior; of what is shared, each component has an equal part."""

    def told(self, parameters: Any) -> dict[str, object]:
        """What is to be said of parameters (no stack) beside them."""


@dataclass(frozen=True, slots=True, eq=False)
class BoundMode(Within):
    """A family with another M-step, and what the prior says of its parameters."""

    base: BoundFamily
    modes: Modes
    of_points = True
    reweighting = None
    penalty = None

    @property
    def exponential(self) -> OwnMStep | None:
        return None if self.base.exponential is None else OwnMStep(self.base.exponential)

    @property
    def completing(self) -> Completing | None:
        return self.base.completing

    @property
    def elliptic(self) -> Elliptic | None:
        return self.base.elliptic

    @property
    def approximate(self) -> BoundMode:
        return self

    def features(self, x: Array, out: Array) -> None:
        self.base.features(x, out)

    def base_measure(self, x: Array) -> Array:
        return self.base.base_measure(x)

    def embedding(self, x: Array) -> Array:
        return self.base.embedding(x)

    def maximize(self, statistics: Array, parameters: object) -> Any:
        return self.modes.mode(statistics, parameters)

    def divergence(self, parameters: Any) -> Array:
        """That of a point is the negative log-density of the prior there."""
        return -self.modes.log_prior(parameters)

    def moments(self, parameters: object) -> tuple[Array, Array]:
        return self.base.moments(parameters)

    def sample(self, parameters: object, labels: Integers, rng: np.random.Generator) -> Array:
        return self.base.sample(parameters, labels, rng)

    def expected_log_density(self, statistics: Array, parameters: object) -> Array:
        """With the log-density of the prior."""
        total: Array = self.base.expected_log_density(statistics, parameters) + self.modes.log_prior(parameters)
        return total

    def chart(self, parameters: object, weight: Array) -> None:
        return None

    def to_document(self, parameters: object) -> dict[str, object]:
        return self.base.to_document(parameters) | self.modes.told(parameters)
