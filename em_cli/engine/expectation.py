"""What an E-step is run at, and what it found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from em_cli.engine.arrays import Array, OfUnits, take

LatentStatistics = Array | tuple[Array | OfUnits, ...] | None  # beyond the component weights; they add over rows


@dataclass(frozen=True, slots=True)
class Parameters:
    """Of a whole mixture; every array may carry a leading axis R of stacked candidates."""

    latent: Any
    components: Any


@dataclass(frozen=True, slots=True)
class ModelStatistics:
    """Sums over rows that an M-step needs."""

    components: Array  # (R, K, S)
    latent: Any  # LatentStatistics

    @property
    def weight(self) -> Array:
        """(R, K) responsibility each component bears."""
        return self.components[..., 0]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one pass found at the parameters of R stacked candidates of a model."""

    parameters: Parameters
    log_likelihood: Array  # (R,) total, in nats, of exactly these parameters; their log-prior is added, if there is one
    statistics: ModelStatistics
    own_objective: Array | None = None  # (R,) what climbs go by, likewise; None where that is the log-likelihood

    @property
    def objective(self) -> Array:
        """(R,) total, what climbs go by."""
        return self.log_likelihood if self.own_objective is None else self.own_objective


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """What an E-step found at some parameters: one candidate of a batch."""

    batch: Batch
    index: int

    @property
    def log_likelihood(self) -> float:
        return float(self.batch.log_likelihood[self.index])

    @property
    def objective(self) -> float:
        """What its climb goes by: the log-likelihood, or what stands for it under the assignment."""
        return float(self.batch.objective[self.index])

    @property
    def parameters(self) -> Parameters:
        return take(self.batch.parameters, self.index)

    @property
    def statistics(self) -> ModelStatistics:
        return take(self.batch.statistics, self.index)

    @property
    def weight(self) -> Array:
        """(K,) responsibility each component bears."""
        weight: Array = self.batch.statistics.weight[self.index]
        return weight
