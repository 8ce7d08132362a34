"""Successes among trials: columns of independent binomial variables given the component.

The number of trials is the same in all cells, or each column of successes is followed by that of its trials, which
are not modelled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter, Quantity, quantities
from em_cli.engine.documents import positive, table
from em_cli.engine.family import Degeneracy
from em_cli.errors import DataError, UsageError
from em_cli.families.distributions.charts import InformationChart, log_odds_ratio, with_odds_scaled
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.distribution import Layout, Values
from em_cli.families.distributions.parameters import from_zero_to_one
from em_cli.families.distributions.support import COUNTS, Support, counts
from em_cli.parts import Option

MOST_TRIALS = 1e12  # the logarithms of probabilities are exact to a hundredth
SMALLEST = 1e-300  # stands for a probability of zero where its logarithm is wanted


@dataclass(frozen=True, slots=True)
class Binomial:
    """Successes among trials, whose number is an option, or in a column of its own."""

    describes: ClassVar[str] = "count"
    title: ClassVar[str] = "binomial mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("probabilities", from_zero_to_one()),)

    trials: Annotated[int, Option("of every cell", least=0)] = 0
    trials_columns: Annotated[bool, Option("columns are in pairs: successes, and their trials")] = False

    def __post_init__(self) -> None:
        if self.trials_columns == (self.trials > 0) or self.trials != int(self.trials):
            raise UsageError(
                "family 'binomial' needs to know the trials: a number, as in --type wins=binomial:12 (trials in YAML), "
                "or their column, as in --type wins=binomial:games (in YAML trials_columns: true, the columns in "
                "pairs)."
            )
        if self.trials > MOST_TRIALS:
            raise UsageError(f"family 'binomial' can have {MOST_TRIALS:g} trials at most, not {self.trials:g}.")

    @property
    def support(self) -> Support:
        if self.trials:
            return replace(COUNTS, requirement=f"a whole number from 0 to {self.trials:.0f}", holds=self._among_trials)
        requirement = "a whole number ≥ 0, and no more than the trials in the next column"
        return replace(COUNTS, requirement=requirement, holds=_no_more_than_trials, beside=_trials_beside)

    def _among_trials(self, x: Array) -> Flags:
        return counts(x) & ~(x > self.trials)

    def bind(self, columns: Columns) -> Columnwise:
        d, trials = len(columns.mean), int(self.trials)
        if not trials and d % 2 and (d > 1 or columns.n_rows):
            raise UsageError("with trials_columns, the columns of family 'binomial' are pairs: successes, trials.")
        own = BinomialDistribution(columns, trials)
        return Columnwise(own, columns, conditional=own)


@dataclass(frozen=True, slots=True, eq=False)
class BinomialDistribution:
    """Probabilities p of a success, zero and one allowed, and trials t that are typical of each cell.

    Features are failures and successes, which sum to the trials. The likelihood is bounded: no
    component can collapse. Where trials have columns of their own, a cell is a pair of columns:
    it is missing if one of them is.
    """

    columns: Columns
    trials: int  # in all cells; 0, if they have columns of their own

    @property
    def _successes(self) -> Integers:
        """(P,) the columns that hold them."""
        return np.arange(0, len(self.columns.mean), 1 if self.trials else 2)

    @property
    def _typical(self) -> Array:
        """(P,) trials."""
        mean = self.columns.mean[self._successes + (not self.trials)]
        return np.full(len(mean), float(self.trials)) if self.trials else np.where(mean > 0, mean, 1.0)

    def _trials_of(self, x: Array) -> Array:
        """(P, n), missing where the cell is."""
        return x[1::2] + 0 * x[::2] if not self.trials else self.trials + 0 * x

    @property
    def quantities(self) -> dict[str, Quantity]:
        return {"typical_trials": Quantity.POSITIVE, **quantities(Binomial.parameters)}

    def layout(self) -> Layout:
        return Layout(np.repeat(self._successes, 2), complete=True)

    def features(self, x: Array, out: Array) -> None:
        successes, trials = x[self._successes], self._trials_of(x)
        out[::2] = trials - successes
        out[1::2] = successes
        if not self.trials:
            out[np.repeat(np.isnan(trials), 2, axis=0)] = 0.0

    def base_measure(self, x: Array) -> Array:
        from scipy.special import gammaln  # a quarter of a second to import: only where there are counts

        successes, trials = x[self._successes], self._trials_of(x)
        ways = gammaln(trials + 1) - gammaln(successes + 1) - gammaln(trials - successes + 1)
        measure = np.zeros_like(x)
        measure[self._successes] = np.where(np.isnan(trials), 0.0, ways)
        return measure

    def embedding(self, x: Array) -> Array:
        """Arc sines of square roots: they have nearly the same variance whatever the probability (Anscombe 1948)."""
        share = (x[self._successes] + 0.375) / (self._trials_of(x) + 0.75)
        embedded: Array = 2 * np.sqrt(self._typical)[:, None] * np.arcsin(np.sqrt(share))
        return embedded

    def natural(self, values: Values) -> tuple[Array, Array]:
        p, _ = values
        both = np.stack([1 - p, p], axis=-1)
        logs = np.log(np.maximum(both, SMALLEST)).reshape(*p.shape[:-1], 2 * p.shape[-1])
        return np.zeros((*p.shape[:-1], len(self.columns.mean))), logs

    def maximize(self, weight: Array, sums: Array) -> Values:
        p = sums[..., 1::2] / weight
        return np.minimum(p, 1.0), _of_all(self._typical, p)

    def typical(self) -> Array:
        p = np.minimum(self.columns.mean[self._successes] / self._typical, 1.0)
        return np.stack([1 - p, p], axis=-1).ravel()

    def n_parameters(self) -> int:
        return len(self._successes)

    def degenerate(self, values: Values, support: Array) -> list[Degeneracy | None]:
        return [None] * len(support)

    def moments(self, values: Values) -> tuple[Array, Array]:
        """Of successes among the typical trials; these themselves do not vary."""
        p, trials = values
        return self._columns_of(p * trials, trials), self._columns_of(np.sqrt(trials * p * (1 - p)), 0 * trials)

    def _columns_of(self, successes: Array, trials: Array) -> Array:
        """(…, D)."""
        if self.trials:
            return successes
        return np.stack([successes, trials], axis=-1).reshape(*trials.shape[:-1], -1)

    def fill(self, values: Values, responsibilities: Array) -> Array:
        """The conditional mean, made a count."""
        return np.rint(self.moments(values)[0].T @ responsibilities)

    def complete(self, x: Array, values: Values, responsibilities: Array) -> Array:
        """The same, given the trials of the rows x."""
        filled = self.fill(values, responsibilities)
        if not self.trials:
            p, trials = values
            shares = (p.T @ responsibilities).T, trials[0] + np.zeros((x.shape[1], 1))
            p, trials = self._within(x, shares)
            filled = self._columns_of(np.rint(p * trials), trials).T
        return filled

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        p, trials = values
        trials = np.rint(trials)
        return self._columns_of(rng.binomial(trials.astype(np.int64), p).astype(np.float64), trials)

    def draw(self, x: Array, values: Values, rng: np.random.Generator) -> Array:
        return self.sample(values if self.trials else self._within(x, values), rng).T

    def _within(self, x: Array, values: Values) -> Values:
        """Parameters (n, P) of each row, with the trials that it has: if unknown, they are typical of the column."""
        p, trials = values
        known, successes = x[1::2].T, np.nan_to_num(x[::2].T)
        return p, np.where(np.isnan(known), np.maximum(np.rint(trials), successes), known)

    def chart(self, values: Values, weight: Array) -> InformationChart:
        return InformationChart(self, values, weight)

    def steps(self, base: Values, values: Values) -> Values:
        """Of the log-odds."""
        return (log_odds_ratio(base[0], values[0]),)

    def moved(self, base: Values, steps: Values) -> Values:
        return with_odds_scaled(base[0], steps[0]), base[1]

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        return (sums[..., 1::2] - weight * values[0],)

    def information(self, values: Values) -> list[list[Array]]:
        p, trials = values
        return [[trials * p * (1 - p)]]

    def to_document(self, values: Values) -> dict[str, object]:
        """With the typical trials, where they are not an option."""
        p, trials = values
        own = {} if self.trials else {"typical_trials": trials[0].tolist()}
        return {"probabilities": p.tolist()} | own

    def from_document(self, document: Mapping[str, object], n_components: int) -> Values:
        shape = (n_components, len(self._successes))
        if not self.trials and len(self.columns.mean) % 2:
            raise DataError("the columns of family 'binomial' must be pairs: successes, trials.")
        p = table(document, "probabilities", shape, lambda p: (p >= 0) & (p <= 1), "not between 0 and 1")
        trials = self._typical if self.trials else positive(document, "typical_trials", shape[1])
        if (trials > MOST_TRIALS).any():
            raise DataError(f"the field 'typical_trials' holds a number above {MOST_TRIALS:g}.")
        return p, _of_all(trials, p)


def _no_more_than_trials(x: Array) -> Flags:
    """Of pairs of columns: a missing number of trials may be any."""
    whole = counts(x)
    whole[::2] &= ~(x[::2] > x[1::2])
    return whole


def _trials_beside(place: int) -> tuple[int, ...] | None:
    """Successes are so many of the trials in the next column; these have no law."""
    return (place + 1,) if place % 2 == 0 else None


def _of_all(trials: Array, p: Array) -> Array:
    """The same trials (P,) beside all probabilities (…, K, P)."""
    return np.broadcast_to(trials, p.shape).copy()
