"""Categories: columns of independent categorical variables given the component (latent class analysis)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine import documents
from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter, Quantity, quantities
from em_cli.engine.family import Degeneracy
from em_cli.errors import DataError
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.distribution import Layout, Values
from em_cli.families.distributions.level_priors import LevelPriors
from em_cli.families.distributions.parameters import from_zero_to_one
from em_cli.families.distributions.simplex_chart import SimplexChart
from em_cli.families.distributions.support import Support

SMALLEST = 1e-300  # stands for a probability of zero where its logarithm is wanted


@dataclass(frozen=True, slots=True)
class Categorical:
    """Categories: columns of independent categorical variables given the component (latent class analysis)."""

    describes: ClassVar[str] = "categorical"
    title: ClassVar[str] = "latent class model"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("probabilities", from_zero_to_one()),)

    levels: tuple[int, ...]  # of each column; their codes are 0 … L-1

    @property
    def support(self) -> Support:
        return Support("the code of a level", self._is_code, self._indicators, whole=True)

    def _is_code(self, x: Array) -> Flags:
        return np.asarray((x >= 0) & (x < np.array(self.levels)[:, None]) & (x == np.rint(x)))

    def _indicators(self, x: Array, columns: Columns) -> Array:
        return CategoricalDistribution(columns, self.levels).embedding(x)

    def bind(self, columns: Columns) -> Columnwise:
        return Columnwise(CategoricalDistribution(columns, self.levels), columns, priors=LevelPriors(self.levels))


@dataclass(frozen=True, slots=True, eq=False)
class CategoricalDistribution:
    """Probabilities (…, K, F) of the levels of the first column, of the second, …; zero allowed.

    Features are indicators of the levels. The likelihood is bounded: no component can collapse.
    """

    columns: Columns
    levels: tuple[int, ...]  # of each column

    @property
    def _column(self) -> Integers:
        """(F,) of each level."""
        return np.repeat(np.arange(len(self.levels)), self.levels)

    @property
    def _code(self) -> Array:
        """(F,) of each level."""
        return np.concatenate([np.arange(float(n)) for n in self.levels])

    @property
    def _first(self) -> Integers:
        """(D,) where the levels of each column begin."""
        return np.cumsum([0, *self.levels[:-1]])

    @property
    def quantities(self) -> dict[str, Quantity]:
        return quantities(Categorical.parameters)

    def layout(self) -> Layout:
        return Layout(self._column, complete=True)

    def features(self, x: Array, out: Array) -> None:
        out[...] = x[self._column] == self._code[:, None]

    def base_measure(self, x: Array) -> Array:
        return np.zeros_like(x)

    def embedding(self, x: Array) -> Array:
        """Indicators, scaled so that the variances of a column sum to one where all levels are as likely."""
        n_levels = np.array(self.levels)[self._column]
        indicators = (x[self._column] == self._code[:, None]) / np.sqrt(1 - 1 / np.maximum(n_levels, 2))[:, None]
        return np.where(np.isnan(x)[self._column], np.nan, indicators)

    def natural(self, values: Values) -> tuple[Array, Array]:
        (p,) = values
        return np.zeros((*p.shape[:-1], len(self.levels))), np.log(np.maximum(p, SMALLEST))

    def maximize(self, weight: Array, sums: Array) -> Values:
        return (sums / weight[..., self._column],)

    def typical(self) -> Array:
        typical: Array = 1 / np.array(self.levels)[self._column]
        return typical

    def n_parameters(self) -> int:
        return sum(self.levels) - len(self.levels)

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]:
        return [None] * len(support)

    def moments(self, values: Values) -> tuple[Array, Array]:
        """Of the codes."""
        (p,) = values
        mean = np.add.reduceat(p * self._code, self._first, axis=-1)
        squares = (self._code - mean[..., self._column]) ** 2
        return mean, np.sqrt(np.add.reduceat(p * squares, self._first, axis=-1))

    def fill(self, values: Values, responsibilities: Array) -> Array:
        """The likeliest level."""
        by_level = np.split(values[0].T @ responsibilities, self._first[1:])
        return np.stack([p.argmax(axis=0) for p in by_level]).astype(np.float64)

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        drawn = np.empty((len(values[0]), len(self.levels)))
        for j, p in enumerate(np.split(values[0], self._first[1:], axis=1)):
            at_most = np.cumsum(p[:, :-1], axis=1)
            drawn[:, j] = (rng.random((len(p), 1)) >= at_most).sum(axis=1)
        return drawn

    def chart(self, values: Values, weight: Array) -> SimplexChart:
        return SimplexChart(values[0], weight, self._column)

    def to_document(self, values: Values) -> dict[str, object]:
        """For each component and column, the probabilities of its levels."""
        return {
            "probabilities": [
                [column.tolist() for column in np.split(component, self._first[1:])] for component in values[0]
            ]
        }

    def from_document(self, document: Mapping[str, object], n_components: int) -> Values:
        name, shape = "probabilities", [list(self.levels)] * n_components
        found = documents.field(document, name)
        try:
            sizes = [[len(column) for column in component] for component in found]
        except TypeError:
            sizes = []
        if sizes != shape:
            raise DataError(
                f"the field {name!r} must hold {n_components} lists of {len(self.levels)} columns, "
                f"each a list of the probabilities of its levels ({', '.join(map(str, self.levels))})."
            )
        p = np.stack([documents.numbers([x for column in component for x in column], name) for component in found])
        if not (p >= 0).all() or not (abs(np.add.reduceat(p, self._first, axis=-1) - 1) < 1e-6).all():
            raise DataError(f"the field {name!r} must hold probabilities ≥ 0 that sum to one for each column.")
        return (p,)
