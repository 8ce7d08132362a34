"""Families whose columns are independent given the component, all of one distribution."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from em_cli.engine import exponential_family
from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.family import Degeneracy
from em_cli.families.distributions.distribution import (
    TINY,
    Conditional,
    Distribution,
    Expecting,
    Framed,
    Layout,
    Priors,
    PriorSums,
    Tabulated,
    Values,
    ValuesChart,
)


@dataclass(frozen=True, slots=True)
class ColumnwiseParameters:
    values: Values  # of the distribution, (R, K, D) or (R, K, F) each
    theta: Array  # (R, K, F); where densities are looked up, the table
    concentrated: Flags  # (R, K) components that the distribution evaluates about their own parameters


@dataclass(frozen=True, slots=True, eq=False)
class Columnwise:
    """Features 1 and those of the distribution.

    Of columns with missing cells, there are also flags of what is observed: a missing cell has
    zeros for features, its column a weight of its own in each component, and it vanishes from
    the likelihood. Tight components of a distribution that knows any have their statistics in the
    frame of their own parameters.
    """

    reweighting: ClassVar[None] = None
    elliptic: ClassVar[None] = None
    approximate: ClassVar[None] = None
    coupled: ClassVar[bool] = False

    distribution: Distribution
    columns: Columns
    framed: Framed | None = None  # the distribution, if it is; so are those that follow
    tabulated: Tabulated | None = None
    expecting: Expecting | None = None
    prior: PriorSums | None = None
    conditional: Conditional | None = None
    priors: Priors | None = None

    _layout: Layout = field(init=False, repr=False)
    _gaps: Integers = field(init=False, repr=False)  # columns whose observed cells are flagged

    def __post_init__(self) -> None:
        layout = self.distribution.layout()
        gaps = np.zeros(0, np.intp) if layout.complete else np.flatnonzero(self.columns.gaps)
        object.__setattr__(self, "_layout", layout)
        object.__setattr__(self, "_gaps", gaps)

    @property
    def exponential(self) -> Columnwise | None:
        return self if self.tabulated is None else None

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        return self.distribution.quantities

    @property
    def penalty(self) -> Columnwise:
        return self

    @property
    def completing(self) -> Columnwise:
        return self

    def n_features(self) -> int:
        return 1 + len(self._gaps) + len(self._layout.column)

    def features(self, x: Array, out: Array) -> None:
        out[0] = 1.0
        own = out[1 + len(self._gaps) :]
        self.distribution.features(x, own)
        if self.columns.gaps.any():
            observed = ~np.isnan(x)
            out[1 : 1 + len(self._gaps)] = observed[self._gaps]
            bits = own.view(np.int64)  # all or none are kept: a product would not make a zero of NaN
            bits &= -observed[self._layout.column].astype(np.int64)

    def base_measure(self, x: Array) -> Array:
        of_cells = self.distribution.base_measure(x)
        if self.columns.gaps.any():
            of_cells = np.where(np.isnan(x), 0.0, of_cells)
        total: Array = of_cells.sum(axis=0)
        return total

    def embedding(self, x: Array) -> Array:
        """That of the distribution; a missing cell is where the others of its column are on average."""
        embedded = self.distribution.embedding(x)
        seen = ~np.isnan(embedded)
        if not seen.all():
            average = np.where(seen, embedded, 0.0).sum(axis=1) / np.maximum(seen.sum(axis=1), 1)
            embedded = np.where(seen, embedded, average[:, None])
        return embedded

    def natural(self, parameters: ColumnwiseParameters) -> tuple[Array, Flags]:
        return parameters.theta, np.logical_or.reduce(parameters.concentrated, axis=-1)

    @property
    def needs_frame(self) -> bool:
        return self.expecting is not None

    @property
    def kindred(self) -> Columnwise | None:
        return None if self.needs_frame else self

    @property
    def kin(self) -> Hashable:
        return id(self)

    def maximize_kin(
        self,
        families: Sequence[Columnwise],
        sizes: Sequence[Integers],
        statistics: Array,
        parameters: Sequence[Sequence[ColumnwiseParameters]],
    ) -> ColumnwiseParameters:
        if self.framed is None:
            return self.maximize(statistics, None)
        return exponential_family.maximize_uncoupled(self, statistics, parameters)

    def n_own_features(self) -> int:
        return self.n_features()

    def monomials(self) -> Integers | None:
        return None

    def common_sums(self, features: Array, weights: Array | None) -> Array:
        return np.zeros(0)

    def log_density(self, features: Array, parameters: ColumnwiseParameters, offset: Array, out: Array) -> None:
        if self.tabulated is not None:
            self.tabulated.log_density(features[1:], parameters.values, parameters.theta, offset, out)
            return
        if not parameters.concentrated.all():
            exponential_family.log_density(features, parameters.theta, offset, out)
        if self.framed and parameters.concentrated.any():
            places, values = _of_concentrated(parameters)
            out[places] = self.framed.log_density_about(*self._cells(features), values) + offset[places][:, None]

    def statistics(self, features: Array, responsibilities: Array, parameters: ColumnwiseParameters | None) -> Array:
        if self.tabulated is not None:
            by_node = self.tabulated.statistics(features[1:], responsibilities)
            return np.concatenate([np.add.reduce(responsibilities, axis=-1)[..., None], by_node], axis=-1)
        sums = exponential_family.statistics(features, responsibilities)
        if self.framed and parameters is not None and parameters.concentrated.any():
            places, values = _of_concentrated(parameters)
            own = self.framed.sums_about(*self._cells(features), responsibilities[places], values)
            sums[..., 1 + len(self._gaps) :][places] = own
        return sums

    def maximize(self, statistics: Array, parameters: ColumnwiseParameters | None) -> ColumnwiseParameters:
        weight, sums = self.parts(statistics)
        if parameters is None or not self.framed or not parameters.concentrated.any():
            return self.at(self._maximum(weight, sums, None))
        places, about = _of_concentrated(parameters)
        values = self._maximum(weight, sums, parameters.concentrated)
        own = self.framed.maximize_about(np.maximum(weight[places], TINY), sums[places], about)
        seen = weight[places] >= TINY
        for value, concentrated in zip(values, own, strict=True):
            value[places] = np.where(seen, concentrated, value[places])
        return self.at(values)

    def _maximum(self, weight: Array, sums: Array, concentrated: Flags | None) -> Values:
        """The M-step from sums about nothing; of a typical cell where none was seen, or where it is concentrated."""
        if self._layout.complete or len(self._gaps) or self.framed:
            unseen = weight < TINY
            if concentrated is not None:
                unseen = unseen | concentrated[..., None]
            if unseen.any():
                weight = np.where(unseen, 1.0, weight)
                wide = unseen if unseen.shape[-1] == 1 else unseen[..., self._layout.cell]
                sums = np.where(wide, self.distribution.typical(), sums)
        return self.distribution.maximize(np.maximum(weight, TINY), sums)

    def parts(self, statistics: Array) -> tuple[Array, Array]:
        """The weight of each column, (…, K, D), or (…, K, 1) if it is the same of all; and the sums of its features."""
        weight, sums = statistics[..., :1], statistics[..., 1 + len(self._gaps) :]
        if self._layout.complete:
            first = np.flatnonzero(np.diff(self._layout.column, prepend=-1))
            weight = np.add.reduceat(sums, first, axis=-1)
        elif len(self._gaps):
            weight = np.repeat(weight, len(self.columns.gaps), axis=-1)
            weight[..., self._gaps] = statistics[..., 1 : 1 + len(self._gaps)]
        return weight, sums

    def n_parameters(self, n_components: int) -> int:
        return n_components * self.distribution.n_parameters()

    def degenerate(self, parameters: ColumnwiseParameters, support: Array) -> list[Degeneracy | None]:
        return self.distribution.degenerate(parameters.values, support)

    def moments(self, parameters: ColumnwiseParameters) -> tuple[Array, Array]:
        return self.distribution.moments(parameters.values)

    def to_document(self, parameters: ColumnwiseParameters) -> dict[str, object]:
        return self.distribution.to_document(parameters.values)

    def from_document(self, document: Mapping[str, object], n_components: int) -> ColumnwiseParameters:
        return self.at(self.distribution.from_document(document, n_components))

    def expected_log_density(self, statistics: Array, parameters: ColumnwiseParameters) -> Array:
        if self.expecting is not None:
            by_column = self.expecting.expected_log_density(*self.parts(statistics), parameters.values)
            total: Array = by_column.sum(axis=-1)
            return total
        theta = parameters.theta if self.tabulated is None else self._theta(parameters.values)
        expected: Array = np.einsum("...f,...f->...", statistics, theta)
        return expected

    def chart(self, parameters: ColumnwiseParameters, weight: Array) -> ColumnwiseChart:
        return ColumnwiseChart(self.distribution.chart(parameters.values, weight), self)

    def penalty_statistics(self, parameters: ColumnwiseParameters, plain: bool) -> Array:
        """A typical row, whatever the parameters, but in their frame; or sums to which no row adds."""
        first, shape = 1 + len(self._gaps), parameters.concentrated.shape
        if self.prior is None:
            typical = np.concatenate([np.ones(first), self.distribution.typical()])
        else:
            typical = np.concatenate([np.zeros(first), self.prior.prior_sums()])
        pseudo = np.tile(typical, (*shape, 1))
        if self.framed and not plain and parameters.concentrated.any():
            places, values = _of_concentrated(parameters)
            pseudo[..., first:][places] = self.framed.typical_about(values)
        return pseudo

    def sample(self, parameters: ColumnwiseParameters, labels: Integers, rng: np.random.Generator) -> Array:
        return self.distribution.sample(tuple(value[labels] for value in parameters.values), rng).T

    def complete(self, x: Array, parameters: ColumnwiseParameters, responsibilities: Array) -> Array:
        if self.conditional is not None:
            filled = self.conditional.complete(x, parameters.values, responsibilities)
        else:
            filled = self.distribution.fill(parameters.values, responsibilities)
        return np.where(np.isnan(x), filled, x)

    def draw(self, x: Array, parameters: ColumnwiseParameters, labels: Integers, rng: np.random.Generator) -> Array:
        values = tuple(value[labels] for value in parameters.values)
        if self.conditional is not None:
            drawn = self.conditional.draw(x, values, rng)
        else:
            drawn = self.distribution.sample(values, rng).T
        return np.where(np.isnan(x), drawn, x)

    def at(self, values: Values) -> ColumnwiseParameters:
        concentrated = self.framed.concentrated(values) if self.framed else np.zeros(values[0].shape[:-1], np.bool_)
        if self.tabulated is not None:
            return ColumnwiseParameters(values, self.tabulated.table(values), concentrated)
        return ColumnwiseParameters(values, self._theta(values), concentrated)

    def with_natural(self, values: Values, constant: Array, slopes: Array) -> ColumnwiseParameters:
        """Parameters whose density has natural parameters (…, K, D) and (…, K, F) that are not those of the values."""
        plain = np.zeros(values[0].shape[:-1], np.bool_)
        return ColumnwiseParameters(values, self._joined(constant, slopes), plain)

    def _theta(self, values: Values) -> Array:
        return self._joined(*self.distribution.natural(values))

    def _joined(self, constant: Array, slopes: Array) -> Array:
        if not len(self._gaps):
            return np.concatenate([constant.sum(axis=-1, keepdims=True), slopes], axis=-1)
        always = np.delete(constant, self._gaps, axis=-1).sum(axis=-1, keepdims=True)
        return np.concatenate([always, constant[..., self._gaps], slopes], axis=-1)

    def _cells(self, features: Array) -> tuple[Array, Flags | None]:
        """The features of the distribution, and which cells (D, n) are observed if some are not."""
        first = 1 + len(self._gaps)
        if first == 1:
            return features[1:], None
        observed = np.ones((len(self.columns.gaps), features.shape[1]), np.bool_)
        observed[self._gaps] = features[1:first] > 0
        return features[first:], observed


def _of_concentrated(parameters: ColumnwiseParameters) -> tuple[tuple[Integers, ...], Values]:
    """The places of concentrated components, and their values (T, D)."""
    places = np.nonzero(parameters.concentrated)
    return places, tuple(value[places] for value in parameters.values)


@dataclass(frozen=True, slots=True)
class ColumnwiseChart:
    """That of the distribution."""

    of_values: ValuesChart
    family: Columnwise

    def coordinates(self, parameters: ColumnwiseParameters) -> Array:
        return self.of_values.coordinates(parameters.values)

    def parameters(self, u: Array) -> ColumnwiseParameters:
        return self.family.at(self.of_values.values(u))

    def gradient(self, statistics: Array, parameters: ColumnwiseParameters) -> Array:
        return self.of_values.gradient(*self.family.parts(statistics), parameters.values)
