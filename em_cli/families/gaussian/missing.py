"""Normal components where cells may be missing: the likelihood of what is observed, exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.columns import Apart
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.family import Chart
from em_cli.families.complete_data import measure_of_observed, of_base
from em_cli.families.gaussian.cells import Cells
from em_cli.families.gaussian.conditional import expected
from em_cli.families.gaussian.gaussian import BoundGaussian
from em_cli.families.gaussian.parameters import GaussianParameters
from em_cli.families.gaussian.patterns import Patterns, patterns


@dataclass(frozen=True, slots=True, eq=False)
class GaussianWithGaps:
    """What is special about missing cells, around the family of complete data."""

    approximate: ClassVar[None] = None

    base: BoundGaussian
    gaps: Cells | Patterns

    n_parameters = of_base(BoundGaussian.n_parameters)
    degenerate = of_base(BoundGaussian.degenerate)
    moments = of_base(BoundGaussian.moments)
    to_document = of_base(BoundGaussian.to_document)
    sample = of_base(BoundGaussian.sample)

    @property
    def exponential(self) -> Cells | None:
        return self.gaps.exponential

    @property
    def reweighting(self) -> Patterns | None:
        return self.gaps.reweighting

    @property
    def penalty(self) -> GaussianWithGaps:
        return self

    @property
    def completing(self) -> BoundGaussian:
        return self.base

    @property
    def elliptic(self) -> BoundGaussian:
        return self.base

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        return self.base.quantities

    @property
    def coupled(self) -> bool:
        return self.base.coupled

    def n_features(self) -> int:
        return self.gaps.n_features()

    def features(self, x: Array, out: Array) -> None:
        """Those of complete data, zero where a missing cell has a part; behind them what is missing."""
        missing, f = np.isnan(x), self.base.n_features()
        self.base.features(np.where(missing, self.base.columns.mean[:, None], x), out[:f])
        self.gaps.write_missing(missing, out[f:])

    def base_measure(self, x: Array) -> Array:
        return measure_of_observed(x, self.base.scale)

    def embedding(self, x: Array) -> Array:
        """Missing cells stand where the data as a whole let expect them."""
        columns = self.base.columns
        if isinstance(columns.joint, Apart):
            return np.nan_to_num(self.base.embedding(x))
        sd = columns.unit
        centre, covariance = (columns.centre - columns.mean) / sd, columns.covariance / np.outer(sd, sd)
        one = np.ones((1, x.shape[1]))
        return expected(self.base.embedding(x), centre[None], covariance[None], one)

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

    def from_document(self, document: Mapping[str, object], n_components: int) -> GaussianParameters:
        return self.gaps.parameters(self.base.from_document(document, n_components))

    def expected_log_density(self, statistics: Array, parameters: GaussianParameters) -> Array:
        return self.gaps.expected_log_density(statistics, parameters)

    def chart(self, parameters: GaussianParameters, weight: Array) -> ChartWithGaps | None:
        chart = self.base.chart(parameters, weight)
        return ChartWithGaps(chart, self.gaps) if chart is not None else None


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


def with_gaps(base: BoundGaussian) -> GaussianWithGaps:
    """The family, by cells where the structure lets columns be independent, else by patterns."""
    return GaussianWithGaps(base, Cells(base) if base.letters.diagonal else patterns(base))
