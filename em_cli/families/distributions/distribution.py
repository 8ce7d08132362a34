"""What a distribution of single columns says of itself; `Columnwise` makes a family of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.family import Degeneracy

TINY = float(np.finfo(float).tiny)

Values = tuple[Array, ...]  # the parameters, (…, K, D) or (…, K, F) each


@dataclass(frozen=True, slots=True)
class Layout:
    """Which features belong to which column."""

    column: Integers  # (F,) of each feature
    complete: bool = False  # those of a cell sum to what it weighs, if it is not missing: no flag need tell this

    @property
    def cell(self) -> Integers:
        """(F,) of each feature, the place of its column among those that have features."""
        places: Integers = np.unique(self.column, return_inverse=True)[1]
        return places


def per_column(n_columns: int, n_features: int = 1) -> Layout:
    """So many features of every column: the first ones of all columns, the second ones of all columns, …"""
    return Layout(np.tile(np.arange(n_columns), n_features))


class Distribution(Protocol):
    """All D columns at once, in each of K components: log f(x) = b(x) + Σ_j [c_j + ⟨η_j, φ(x_j)⟩].

    Parameters are a tuple of arrays, which may have leading axes before K. A cell may be
    missing: it is NaN in x, and whatever is written for it is not used.
    """

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        """What the numbers of its documents are, by name."""

    def layout(self) -> Layout: ...

    def features(self, x: Array, out: Array) -> None:
        """Write φ (F, n) of the cells x (D, n)."""

    def base_measure(self, x: Array) -> Array:
        """b (D, n) of each cell."""

    def embedding(self, x: Array) -> Array:
        """Coordinates (E, n) where Euclidean distance means something; a missing cell may be NaN."""

    def natural(self, values: Values) -> tuple[Array, Array]:
        """c (…, K, D) and η (…, K, F); c is zero if the layout is complete."""

    def maximize(self, weight: Array, sums: Array) -> Values:
        """The M-step, from the observed weight (…, K, D) or (…, K, 1) of the columns and Σ r φ (…, K, F)."""

    def typical(self) -> Array:
        """φ (F,) of an average cell, for a component that has seen no cell of a column."""

    def n_parameters(self) -> int:
        """Free parameters of one component."""

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]: ...

    def moments(self, values: Values) -> tuple[Array, Array]:
        """Mean and standard deviation (K, D)."""

    def fill(self, values: Values, responsibilities: Array) -> Array:
        """The conditional mean, or the likeliest value, of every cell (D, n) under the mixture."""

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        """One row (n, D) of each component, where K is n."""

    def chart(self, values: Values, weight: Array) -> ValuesChart:
        """Local coordinates about parameters of components that bear the weight (K,)."""

    def to_document(self, values: Values) -> dict[str, object]: ...

    def from_document(self, document: Mapping[str, object], n_components: int) -> Values: ...


class Framed(Protocol):
    """A distribution whose concentrated components would lose digits in the products: they have frames of their own.

    Cells are features (F, n); where some are missing, it is said which are observed (D, n).
    """

    def concentrated(self, values: Values) -> Flags:
        """Which components (…, K) are evaluated, and summed, about their own parameters."""

    def log_density_about(self, cells: Array, observed: Flags | None, values: Values) -> Array:
        """(T, n) less base measure, of concentrated components with parameters (T, D)."""

    def sums_about(self, cells: Array, observed: Flags | None, responsibilities: Array, values: Values) -> Array:
        """(T, F) of responsibilities (T, n) for them."""

    def maximize_about(self, weight: Array, sums: Array, values: Values) -> Values:
        """The M-step (T, D), from sums about these parameters."""

    def typical_about(self, values: Values) -> Array:
        """(T, F) of a pseudo-observation of the prior, as of a typical cell, about these parameters."""


class Expecting(Protocol):
    """A distribution whose sums about nothing are not sufficient: it says what it expects of the likelihood."""

    def expected_log_density(self, weight: Array, sums: Array, values: Values) -> Array:
        """(…, K, D) of all cells, less base measure."""


class PriorSums(Protocol):
    """A distribution whose prior has sums of its own, to which no row adds."""

    def prior_sums(self) -> Array:
        """(F,) of one pseudo-observation, about nothing or about any parameters."""


class Tabulated(Protocol):
    """A distribution in whose log-density parameters and cells are not parted: it is looked up, value by value.

    What it has for features is how its statistics are made: sums over them are sufficient.
    """

    def table(self, values: Values) -> Array:
        """(…, K, T) log-densities of some values, computed once for all rows."""

    def log_density(self, features: Array, values: Values, table: Array, offset: Array, out: Array) -> None:
        """Write (R, K, n): log-density less base measure, plus the offset (R, K)."""

    def statistics(self, features: Array, responsibilities: Array) -> Array:
        """Σ r φ (R, K, F)."""


class Conditional(Protocol):
    """A distribution of some cells of a row given others of its columns."""

    def complete(self, x: Array, values: Values, responsibilities: Array) -> Array:
        """As `fill`, given what is observed of the rows x (D, n)."""

    def draw(self, x: Array, values: Values, rng: np.random.Generator) -> Array:
        """Cells (D, n) likewise, of rows whose components have the parameters (n, …)."""


class Priors(Protocol):
    """A distribution whose parameters have a conjugate prior, those of each column independently.

    Hyperparameters are a tuple of arrays, (D,) or (F,) of a prior, with leading axes (…, K) of posteriors.
    """

    @property
    def keys(self) -> frozenset[str]:
        """Under which a configuration sets them."""

    def prior(self, given: Mapping[str, object]) -> Values:
        """As these say, or scaled by the data."""

    def posterior(self, prior: Values, weight: Array, sums: Array) -> Values:
        """From the observed weight (…, K, D) or (…, K, 1) of the columns, and Σ r φ (…, K, F)."""

    def expected_natural(self, posterior: Values) -> tuple[Array, Array]:
        """c (…, K, D) and η (…, K, F) as `natural` has them, expected."""

    def point(self, posterior: Values) -> Values:
        """The means of the parameters."""

    def mode(self, posterior: Values) -> Values:
        """The parameters of highest density."""

    def log_density(self, prior: Values, values: Values) -> Array:
        """(…, K) of parameters, of all columns together."""

    def divergence(self, prior: Values, posterior: Values) -> Array:
        """(…, K) nats from the prior (Kullback–Leibler), of all columns together."""

    def log_predictive(self, posterior: Values, column: int, x: Array) -> Array:
        """(…, K, n) log-density of cells (n,) of a column, the parameters integrated out."""

    def drawn(self, posterior: Values, rng: np.random.Generator) -> Values:
        """Parameters from the posteriors of n components."""

    def intervals(self, posterior: Values) -> dict[str, list[object]]:
        """Of what a table of components tells: mean and sd, or probabilities (K, D)."""

    def to_document(self, hyperparameters: Values) -> dict[str, list[object]]: ...
    def from_document(self, document: Mapping[str, object], n_components: int) -> Values: ...


class ValuesChart(Protocol):
    """A chart of `engine.family`, of the parameters of a distribution."""

    def coordinates(self, values: Values) -> Array: ...
    def values(self, u: Array) -> Values: ...
    def gradient(self, weight: Array, sums: Array, values: Values) -> Array: ...
