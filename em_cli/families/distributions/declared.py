"""What follows from the declarations of a distribution, so that it writes its formulas only."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter, Quantity, quantities
from em_cli.engine.family import Degeneracy
from em_cli.families.distributions import parameters as named
from em_cli.families.distributions.charts import InformationChart
from em_cli.families.distributions.degeneracies import degeneracies, floor
from em_cli.families.distributions.distribution import Layout, Values, per_column
from em_cli.families.distributions.support import Support


class Declaration(Protocol):
    """A family that says which cells it describes, by which parameters, and how narrow a component can be."""

    @property
    def support(self) -> Support: ...
    @property
    def parameters(self) -> tuple[Parameter, ...]: ...
    @property
    def narrowest(self) -> float: ...


class Formulas(Protocol):
    """All D columns at once, in each of K components: log f(x) = b(x) + Σ_j [c_j + ⟨η_j, φ(x_j)⟩].

    Parameters are as `Distribution` has them. Every column has as many features as every other.
    """

    def features(self, x: Array, out: Array) -> None:
        """Write φ (F, n) of the cells x (D, n): the first features of all columns, the second ones of all, …"""

    def base_measure(self, x: Array) -> Array:
        """b (D, n) of each cell."""

    def natural(self, values: Values) -> tuple[Array, Array]:
        """c (…, K, D) and η (…, K, F)."""

    def maximize(self, weight: Array, sums: Array) -> Values:
        """The M-step, from the observed weight (…, K, D) or (…, K, 1) of the columns and Σ r φ (…, K, F).

        What is beyond `within` need not be held.
        """

    def typical(self) -> Array:
        """φ (F,) of an average cell, for a component that has seen no cell of a column."""

    def moments(self, values: Values) -> tuple[Array, Array]:
        """Mean and standard deviation (K, D)."""

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        """One row (n, D) of each component, where K is n."""

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        """The derivatives of the log-likelihood by steps in the parameters."""

    def information(self, values: Values) -> list[list[Array]]:
        """Fisher's, of one cell, in terms of the same steps: as many lines as parameters."""


class Coordinates(Protocol):
    """Steps of a distribution that are not those of its parameters one by one."""

    def steps(self, base: Values, values: Values) -> Values: ...
    def moved(self, base: Values, steps: Values) -> Values: ...


@dataclass(frozen=True, slots=True, eq=False)
class Declared:
    """The `Distribution` of a family and its formulas. What does not follow from the declaration is said besides."""

    family: Declaration
    formulas: Formulas
    columns: Columns
    layout_of: Layout | None = None  # if columns have not as many each
    coordinates: Coordinates | None = None  # if steps are not those of the parameters one by one
    within: Callable[[Values], Values] | None = None  # the nearest parameters whose components can be resolved
    degeneracies: Callable[[Values, Array], list[Degeneracy | None]] | None = None  # if deviations do not tell them
    filling: Callable[[Values, Array], Array] | None = None  # if it is not the mean, or that made a whole number

    @property
    def quantities(self) -> dict[str, Quantity]:
        return quantities(self.family.parameters)

    def layout(self) -> Layout:
        d = len(self.columns.mean)
        return self.layout_of or per_column(d, len(self.typical()) // d)

    def features(self, x: Array, out: Array) -> None:
        self.formulas.features(x, out)

    def base_measure(self, x: Array) -> Array:
        return self.formulas.base_measure(x)

    def embedding(self, x: Array) -> Array:
        return self.family.support.embedding(x, self.columns)

    def natural(self, values: Values) -> tuple[Array, Array]:
        return self.formulas.natural(values)

    def maximize(self, weight: Array, sums: Array) -> Values:
        values = self.formulas.maximize(weight, sums)
        return values if self.within is None else self.within(values)

    def typical(self) -> Array:
        return self.formulas.typical()

    def n_parameters(self) -> int:
        return len(self.family.parameters) * len(self.columns.mean)

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]:
        if self.degeneracies is not None:
            return self.degeneracies(values, support)
        if self.family.support.whole:
            return [None] * len(support)
        _, sd = self.formulas.moments(values)
        at_resolution = sd < (1 + 1e-6) * floor(self.columns, self.family.narrowest)
        return degeneracies(at_resolution, (sd / self.columns.unit) ** 2, support)

    def moments(self, values: Values) -> tuple[Array, Array]:
        return self.formulas.moments(values)

    def fill(self, values: Values, responsibilities: Array) -> Array:
        """The conditional mean, made a whole number if cells are such."""
        if self.filling is not None:
            return self.filling(values, responsibilities)
        means: Array = self.formulas.moments(values)[0].T @ responsibilities
        return np.rint(means) if self.family.support.whole else means

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        return self.formulas.sample(values, rng)

    def chart(self, values: Values, weight: Array) -> InformationChart:
        return InformationChart(self, values, weight)

    def steps(self, base: Values, values: Values) -> Values:
        if self.coordinates is not None:
            return self.coordinates.steps(base, values)
        each = zip(self.family.parameters, base, values, strict=True)
        return tuple(parameter.domain.steps(one, other) for parameter, one, other in each)

    def moved(self, base: Values, steps: Values) -> Values:
        if self.coordinates is not None:
            return self.coordinates.moved(base, steps)
        each = zip(self.family.parameters, base, steps, strict=True)
        moved = tuple(parameter.domain.moved(one, step) for parameter, one, step in each)
        return moved if self.within is None else self.within(moved)

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        return self.formulas.score(weight, sums, values)

    def information(self, values: Values) -> list[list[Array]]:
        return self.formulas.information(values)

    def to_document(self, values: Values) -> dict[str, object]:
        return named.to_document(self.family.parameters, values)

    def from_document(self, document: Mapping[str, object], n_components: int) -> Values:
        return named.from_document(self.family.parameters, document, (n_components, len(self.columns.mean)))
