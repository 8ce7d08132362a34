"""A mixture model: a family, a latent structure and a number of components."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Flags, n_candidates, stack, take
from em_cli.engine.protocols import Block, Expectation, Family, Latent, ModelStatistics, Parameters

SMALLEST_WEIGHT = 1e-8  # rows; a component that bears less is empty


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """What is fitted. The family is bound to the data; models compare by identity."""

    family: Family
    latent: Latent
    n_components: int
    constant: float = 0.0  # total log base measure of the data, which no parameter changes

    def maximize(self, found: list[Expectation]) -> tuple[Parameters, Flags]:
        """The M-steps of R candidates: stacked parameters, and which of them have an empty component."""
        batch = found[0].batch
        if any(e.batch is not batch for e in found):
            statistics = stack([take(e.batch.statistics, e.index) for e in found])
            return self.at_maximum(statistics, stack([e.parameters for e in found]))
        if len(found) == n_candidates(batch.parameters):
            return self.at_maximum(batch.statistics, batch.parameters)
        kept = np.array([e.index for e in found])
        return self.at_maximum(take(batch.statistics, kept), take(batch.parameters, kept))

    def at_maximum(self, statistics: ModelStatistics, at: Parameters | None) -> tuple[Parameters, Flags]:
        weight = statistics.weight
        empty: Flags = np.logical_not(np.all(weight > SMALLEST_WEIGHT, axis=-1))
        latent = self.latent.maximize(weight, statistics.latent, at and at.latent)
        return Parameters(latent, self.family.maximize(statistics.components, at and at.components)), empty

    def start(self, block: Block, responsibilities: Array) -> Parameters:
        """An M-step from given responsibilities (R, K, n), stacked."""
        features = np.empty((self.family.n_features(), block.x.shape[1]))
        self.family.features(block.x, features)
        if block.weights is not None:
            responsibilities = responsibilities * block.weights
        statistics = ModelStatistics(self.family.statistics(features, responsibilities, None), None)
        return self.at_maximum(statistics, None)[0]

    @property
    def n_parameters(self) -> int:
        k = self.n_components
        return self.latent.n_parameters(k) + self.family.n_parameters(k)

    def to_document(self, parameters: Parameters) -> dict[str, Any]:
        """Parameters (no stack) in the user's units."""
        return self.latent.to_document(parameters.latent) | self.family.to_document(parameters.components)

    def from_document(self, document: Mapping[str, Any]) -> Parameters:
        k = self.n_components
        return Parameters(self.latent.from_document(document, k), self.family.from_document(document, k))
