"""Groups of columns of different families, independent given the component."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter, Quantity
from em_cli.engine.exponential_family import Kindred
from em_cli.engine.family import BoundFamily, Chart, Degeneracy, Ellipsoids, Family
from em_cli.errors import DataError


@dataclass(frozen=True, slots=True)
class ProductParameters:
    parts: tuple[Any, ...]  # parameters of each group's family


@dataclass(frozen=True, slots=True, eq=False)
class Product:
    """A family for each group of columns."""

    families: tuple[Family, ...] = ()
    columns_of: tuple[Integers, ...] = ()  # the columns of each group, in the order of the data

    describes: ClassVar[str] = "mixed"  # columns of several types
    title: ClassVar[str] = "Product mixture"
    comparable: ClassVar[bool] = False
    narrowest: ClassVar[float] = 0.0
    parameters: ClassVar[tuple[Parameter, ...]] = ()  # each of the families has its own

    @property
    def support(self) -> None:
        """Each of the families has its own."""

    def bind(self, columns: Columns) -> BoundProduct:
        groups = zip(self.families, self.columns_of, strict=True)
        return bound(tuple(family.bind(columns.select(indices)) for family, indices in groups), self.columns_of)


def bound(families: tuple[BoundFamily, ...], columns_of: tuple[Integers, ...]) -> BoundProduct:
    """The product of families that are bound to their columns."""
    features = _side_by_side([family.n_features() for family in families])
    return BoundProduct(families, columns_of, features, _side_by_side(list(map(_n_statistics, families))))


@dataclass(frozen=True, slots=True, eq=False)
class BoundProduct:
    """Features, statistics and parameters of the groups stand side by side."""

    families: tuple[BoundFamily, ...]
    columns_of: tuple[Integers, ...]

    _features: tuple[slice, ...] = field(repr=False)  # of each group
    _statistics: tuple[slice, ...] = field(repr=False)

    @property
    def exponential(self) -> BoundProduct | None:
        return self if all(family.exponential for family in self.families) else None

    @property
    def kindred(self) -> BoundProduct | None:
        return self if all(self._kindred) else None

    @property
    def _kindred(self) -> list[Kindred | None]:
        able = [family.exponential for family in self.families]
        return [None if family is None else family.kindred for family in able]

    @property
    def kin(self) -> Hashable:
        return tuple(kindred and kindred.kin for kindred in self._kindred)

    @property
    def reweighting(self) -> BoundProduct | None:
        return self if any(family.reweighting for family in self.families) else None

    @property
    def penalty(self) -> BoundProduct | None:
        return self if all(family.penalty for family in self.families) else None

    @property
    def completing(self) -> BoundProduct | None:
        return self if all(family.completing for family in self.families) else None

    @property
    def elliptic(self) -> BoundProduct | None:
        return self if any(family.elliptic for family in self.families) else None

    @property
    def approximate(self) -> BoundProduct | None:
        return self if any(family.approximate for family in self.families) else None

    @property
    def quantities(self) -> dict[str, Quantity]:
        own = enumerate((family.quantities for family in self.families), 1)
        return {f"groups[{group}].{name}": kind for group, known in own for name, kind in known.items()}

    @property
    def of_points(self) -> bool:
        return any(family.approximate.of_points for family in self.families if family.approximate)

    def divergence(self, parameters: ProductParameters) -> Array:
        parts = zip([family.approximate for family in self.families], parameters.parts, strict=True)
        total: Array = np.sum([family.divergence(own) for family, own in parts if family], axis=0)
        return total

    @property
    def _groups(self) -> list[tuple[BoundFamily, Integers, slice]]:
        return list(zip(self.families, self.columns_of, self._features, strict=True))

    def n_features(self) -> int:
        return sum(family.n_features() for family in self.families)

    def features(self, x: Array, out: Array) -> None:
        for family, columns, rows in self._groups:
            family.features(x[columns], out[rows])

    def base_measure(self, x: Array) -> Array:
        total: Array = np.sum([family.base_measure(x[columns]) for family, columns, _ in self._groups], axis=0)
        return total

    def embedding(self, x: Array) -> Array:
        return np.concatenate([family.embedding(x[columns]) for family, columns, _ in self._groups])

    def natural(self, parameters: ProductParameters) -> tuple[Array, Flags]:
        """Those of the groups side by side: each has a feature that is one."""
        able = [family.exponential for family in self.families]
        parts = zip(able, parameters.parts, strict=True)
        theta, apart = zip(*[family.natural(own) for family, own in parts if family], strict=True)
        return np.concatenate(theta, axis=-1), np.logical_or.reduce(apart)

    @property
    def needs_frame(self) -> bool:
        return any(family.exponential and family.exponential.needs_frame for family in self.families)

    def n_own_features(self) -> int:
        return self.n_features()

    def monomials(self) -> Integers | None:
        return None

    def common_sums(self, features: Array, weights: Array | None) -> Array:
        return np.zeros(0)

    def log_density(self, features: Array, parameters: ProductParameters, offset: Array, out: Array) -> None:
        out[...] = offset[..., None]
        part, none = np.empty_like(out), np.zeros_like(offset)
        for (family, _, rows), own in zip(self._groups, parameters.parts, strict=True):
            family.log_density(features[rows], own, none, part)
            out += part

    def statistics(self, features: Array, responsibilities: Array, parameters: ProductParameters | None) -> Array:
        return np.concatenate(
            [
                family.statistics(features[rows], responsibilities, own)
                for (family, _, rows), own in self._with(parameters)
            ],
            axis=-1,
        )

    def reference(self, parameters: ProductParameters) -> ProductParameters:
        """Of the groups that have one."""
        able = [family.reweighting for family in self.families]
        parts = zip(able, parameters.parts, strict=True)
        return ProductParameters(tuple(family.reference(own) if family else None for family, own in parts))

    def maximize(self, statistics: Array, parameters: ProductParameters | None) -> ProductParameters:
        parts = zip(self._with(parameters), self._statistics, strict=True)
        return ProductParameters(
            tuple(family.maximize(statistics[..., sums], own) for ((family, _, _), own), sums in parts)
        )

    def maximize_kin(
        self,
        families: Sequence[BoundProduct],
        sizes: Sequence[Integers],
        statistics: Array,
        parameters: Sequence[Sequence[ProductParameters]],
    ) -> ProductParameters:
        """Those of each group, with those of its kin."""
        found = []
        for place, (kindred, sums) in enumerate(zip(self._kindred, self._statistics, strict=True)):
            able = [family.families[place].exponential for family in families]
            own = [[parts.parts[place] for parts in stacks] for stacks in parameters]
            found.append(kindred and kindred.maximize_kin(able, sizes, statistics[..., sums], own))
        return ProductParameters(tuple(found))

    def n_parameters(self, n_components: int) -> int:
        return sum(family.n_parameters(n_components) for family in self.families)

    def degenerate(self, parameters: ProductParameters, support: Array) -> list[Degeneracy | None]:
        by_family = [
            [collapse and collapse.among(columns) for collapse in family.degenerate(own, support)]
            for (family, columns, _), own in self._with(parameters)
        ]
        return [next((collapse for collapse in found if collapse), None) for found in zip(*by_family, strict=True)]

    def moments(self, parameters: ProductParameters) -> tuple[Array, Array]:
        found = [(columns, family.moments(own)) for (family, columns, _), own in self._with(parameters)]
        order = np.argsort(np.concatenate([columns for columns, _ in found]))
        mean, sd = (np.concatenate([moments[i] for _, moments in found], axis=1)[:, order] for i in (0, 1))
        return mean, sd

    def to_document(self, parameters: ProductParameters) -> dict[str, object]:
        """The parameters of each group."""
        return {"groups": [family.to_document(own) for (family, _, _), own in self._with(parameters)]}

    def from_document(self, document: Mapping[str, object], n_components: int) -> ProductParameters:
        """Earlier documents hold the parameters of all groups side by side."""
        groups = document.get("groups", [document] * len(self.families))
        if not isinstance(groups, list) or len(groups) != len(self.families):
            raise DataError(f"the field 'groups' must list the parameters of {len(self.families)} groups of columns.")
        if not all(isinstance(group, Mapping) for group in groups):
            raise DataError("the field 'groups' must hold an object for each group of columns.")
        parts = zip(self.families, groups, strict=True)
        return ProductParameters(tuple(family.from_document(group, n_components) for family, group in parts))

    @property
    def coupled(self) -> bool:
        return any(family.coupled for family in self.families)

    def expected_log_density(self, statistics: Array, parameters: ProductParameters) -> Array:
        parts = zip(self._with(parameters), self._statistics, strict=True)
        total: Array = np.sum(
            [family.expected_log_density(statistics[..., sums], own) for ((family, _, _), own), sums in parts], axis=0
        )
        return total

    def chart(self, parameters: ProductParameters, weight: Array) -> ProductChart | None:
        charts = [(family.chart(own, weight), own) for (family, _, _), own in self._with(parameters)]
        known = [(chart, chart.coordinates(own).shape[-1]) for chart, own in charts if chart]
        if len(known) < len(charts):
            return None
        return ProductChart(tuple(chart for chart, _ in known), self._statistics, tuple(size for _, size in known))

    def sample(self, parameters: ProductParameters, labels: Integers, rng: np.random.Generator) -> Array:
        drawn = np.empty((sum(map(len, self.columns_of)), len(labels)))
        for (family, columns, _), own in self._with(parameters):
            drawn[columns] = family.sample(own, labels, rng)
        return drawn

    def penalty_statistics(self, parameters: ProductParameters, plain: bool) -> Array:
        parts = zip([family.penalty for family in self.families], parameters.parts, strict=True)
        return np.concatenate([family.penalty_statistics(own, plain) for family, own in parts if family], axis=-1)

    def ellipsoids(self, parameters: ProductParameters) -> list[Ellipsoids]:
        return [
            replace(found, columns=tuple(int(columns[place]) for place in found.columns))
            for (family, columns, _), own in self._with(parameters)
            if family.elliptic
            for found in family.elliptic.ellipsoids(own)
        ]

    def complete(self, x: Array, parameters: ProductParameters, responsibilities: Array) -> Array:
        completed = np.empty_like(x)
        for (family, columns, _), own in self._with(parameters):
            if family.completing:
                completed[columns] = family.completing.complete(x[columns], own, responsibilities)
        return completed

    def draw(self, x: Array, parameters: ProductParameters, labels: Integers, rng: np.random.Generator) -> Array:
        completed = np.empty_like(x)
        for (family, columns, _), own in self._with(parameters):
            if family.completing:
                completed[columns] = family.completing.draw(x[columns], own, labels, rng)
        return completed

    def _with(self, parameters: ProductParameters | None) -> list[tuple[tuple[BoundFamily, Integers, slice], object]]:
        """Each group with its parameters."""
        parts = parameters.parts if parameters is not None else (None,) * len(self.families)
        return list(zip(self._groups, parts, strict=True))


def _n_statistics(family: BoundFamily) -> int:
    """S, which need not be as many as the features."""
    return int(family.statistics(np.zeros((family.n_features(), 1)), np.zeros((1, 1, 1)), None).shape[-1])


def _side_by_side(lengths: list[int]) -> tuple[slice, ...]:
    ends = np.cumsum(lengths).tolist()
    return tuple(slice(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True))


@dataclass(frozen=True, slots=True)
class ProductChart:
    """The coordinates of the groups one behind the other."""

    charts: tuple[Chart, ...]
    statistics: tuple[slice, ...]  # of each group
    sizes: tuple[int, ...]  # coordinates of each group

    def coordinates(self, parameters: ProductParameters) -> Array:
        parts = zip(self.charts, parameters.parts, strict=True)
        return np.concatenate([chart.coordinates(own) for chart, own in parts], axis=-1)

    def parameters(self, u: Array) -> ProductParameters:
        parts = np.split(u, np.cumsum(self.sizes)[:-1], axis=-1)
        return ProductParameters(tuple(chart.parameters(part) for chart, part in zip(self.charts, parts, strict=True)))

    def gradient(self, statistics: Array, parameters: ProductParameters) -> Array:
        parts = zip(self.charts, self.statistics, parameters.parts, strict=True)
        return np.concatenate([chart.gradient(statistics[..., sums], own) for chart, sums, own in parts], axis=-1)
