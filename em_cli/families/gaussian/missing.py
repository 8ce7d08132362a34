"""Normal components where cells may be missing: the likelihood of what is observed, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.columns import Columns
from em_cli.engine.family import Chart, Degeneracy
from em_cli.families.covariances.structure import Letters
from em_cli.families.gaussian.cells import Cells
from em_cli.families.gaussian.conditional import expected
from em_cli.families.gaussian.parameters import GaussianParameters
from em_cli.families.gaussian.patterns import Filling, Patterns

if TYPE_CHECKING:
    from em_cli.families.gaussian.gaussian import Gaussian


@dataclass(frozen=True, slots=True, eq=False)
class GaussianWithGaps:
    """What is special about missing cells, around the family of complete data."""

    base: Gaussian
    gaps: Cells | Patterns

    def bind(self, columns: Columns) -> Gaussian | GaussianWithGaps:
        return self.base.bind(columns)

    @property
    def covariance(self) -> str:
        return self.base.covariance

    @property
    def letters(self) -> Letters:
        return self.base.letters

    def n_features(self) -> int:
        return self.gaps.n_features()

    def features(self, x: Array, out: Array) -> None:
        """Those of complete data, zero where a missing cell has a part; behind them what is missing."""
        missing, f = np.isnan(x), self.base.n_features()
        self.base.features(np.where(missing, self.base.columns.mean[:, None], x), out[:f])
        self.gaps.write_missing(missing, out[f:])

    def base_measure(self, x: Array) -> Array:
        logs = np.where(np.isnan(x), 0.0, np.log(self.base.scale)[:, None])
        total: Array = -np.add.reduce(logs, axis=0)
        return total

    def embedding(self, x: Array) -> Array:
        """Missing cells stand where the data as a whole let expect them."""
        columns = self.base.columns
        sd = columns.unit
        centre, covariance = (columns.centre - columns.mean) / sd, columns.covariance / np.outer(sd, sd)
        one = np.ones((1, x.shape[1]))
        return expected(self.base.embedding(x), centre[None], covariance[None], one)

    def natural(self, parameters: GaussianParameters) -> tuple[Array, Flags]:
        return self.gaps.natural(parameters)

    def n_own_features(self) -> int:
        return self.n_features()

    def common_sums(self, features: Array, weights: Array | None) -> Array:
        return np.zeros(0)

    def reference(self, parameters: GaussianParameters) -> Filling | None:
        """In which the statistics of different components add, expected ones as they are."""
        return self.gaps.reference(parameters)

    def log_density(self, features: Array, parameters: GaussianParameters, offset: Array, out: Array) -> None:
        self.gaps.log_density(features, parameters, offset, out)

    def statistics(self, features: Array, responsibilities: Array, parameters: Any) -> Array:
        return self.gaps.statistics(features, responsibilities, parameters)

    def maximize(self, statistics: Array, parameters: GaussianParameters | None) -> GaussianParameters:
        return self.gaps.maximize(statistics, parameters)

    def penalty_statistics(self, parameters: GaussianParameters, plain: bool) -> Array:
        """Of a row without missing cells."""
        complete = self.base.penalty_statistics(parameters, plain)
        behind = self.n_features() - complete.shape[-1]
        return np.concatenate([complete, np.full((*complete.shape[:-1], behind), self.gaps.of_complete)], axis=-1)

    def n_parameters(self, n_components: int) -> int:
        return self.base.n_parameters(n_components)

    def degenerate(self, parameters: GaussianParameters, support: Array) -> list[Degeneracy | None]:
        return self.base.degenerate(parameters, support)

    def moments(self, parameters: GaussianParameters) -> tuple[Array, Array]:
        return self.base.moments(parameters)

    def to_document(self, parameters: GaussianParameters) -> dict[str, Any]:
        return self.base.to_document(parameters)

    def from_document(self, document: Mapping[str, Any], n_components: int) -> GaussianParameters:
        return self.gaps.parameters(self.base.from_document(document, n_components))

    @property
    def coupled(self) -> bool:
        return self.base.coupled

    def expected_log_density(self, statistics: Array, parameters: GaussianParameters) -> Array:
        return self.gaps.expected_log_density(statistics, parameters)

    def chart(self, parameters: GaussianParameters, weight: Array) -> ChartWithGaps | None:
        chart = self.base.chart(parameters, weight)
        return ChartWithGaps(chart, self.gaps) if chart is not None else None

    def sample(self, parameters: GaussianParameters, labels: Integers, rng: np.random.Generator) -> Array:
        return self.base.sample(parameters, labels, rng)

    def complete(self, x: Array, parameters: GaussianParameters, responsibilities: Array) -> Array:
        return self.base.complete(x, parameters, responsibilities)

    def draw(self, x: Array, parameters: GaussianParameters, labels: Integers, rng: np.random.Generator) -> Array:
        return self.base.draw(x, parameters, labels, rng)


@dataclass(frozen=True, slots=True)
class ChartWithGaps:
    """The coordinates of complete data; by Fisher's identity the gradient is that of the expected complete data."""

    chart: Chart
    gaps: Cells | Patterns

    def coordinates(self, parameters: GaussianParameters) -> Array:
        return self.chart.coordinates(parameters)

    def parameters(self, u: Array) -> GaussianParameters:
        return self.gaps.parameters(self.chart.parameters(u))

    def gradient(self, statistics: Array, parameters: GaussianParameters) -> Array:
        return self.chart.gradient(self.gaps.completed(statistics, parameters), parameters)


def with_gaps(base: Gaussian) -> GaussianWithGaps:
    """The family, by cells where the structure lets columns be independent, else by patterns."""
    return GaussianWithGaps(base, Cells(base) if base.letters.diagonal else Patterns(base))
