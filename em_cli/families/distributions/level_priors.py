"""Dirichlet distributions of the probabilities of levels, of two or of more: conjugate priors and their posteriors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.documents import field, numbers
from em_cli.engine.hyperparameters import law_in
from em_cli.errors import DataError
from em_cli.families.distributions.distribution import TINY, Values
from em_cli.families.variational.shares import of_beta

KEY = "levels"


@dataclass(frozen=True, slots=True)
class LevelPriors:
    """The hyperparameter is α (…, F) of each level of the first column, of the second, …; a priori all are as likely.

    Of columns of two levels coded 0 and 1 the feature may be the code alone.
    """

    levels: tuple[int, ...]  # of each column
    coded: bool = False
    keys = frozenset({KEY})

    @property
    def _column(self) -> Integers:
        return np.repeat(np.arange(len(self.levels)), self.levels)

    @property
    def _first(self) -> Integers:
        return np.cumsum([0, *self.levels[:-1]])

    def _totals(self, alpha: Array) -> Array:
        """(…, F) of the column of each level."""
        return np.add.reduceat(alpha, self._first, axis=-1)[..., self._column]

    def prior(self, given: Mapping[str, object]) -> Values:
        _, said = law_in(given, KEY)
        return (np.full(sum(self.levels), said[0] if said else 1.0),)

    def posterior(self, prior: Values, weight: Array, sums: Array) -> Values:
        if not self.coded:
            return (prior[0] + sums,)
        both = np.stack([weight - sums, sums], axis=-1)
        return (prior[0] + np.maximum(both, 0.0).reshape(*sums.shape[:-1], -1),)

    def expected_natural(self, posterior: Values) -> tuple[Array, Array]:
        from scipy.special import digamma

        (alpha,) = posterior
        logs = digamma(alpha) - digamma(self._totals(alpha))
        if not self.coded:
            return np.zeros((*alpha.shape[:-1], len(self.levels))), logs
        return logs[..., ::2], logs[..., 1::2] - logs[..., ::2]

    def _shares(self, alpha: Array) -> Array:
        shares: Array = alpha / self._totals(alpha)
        return shares

    def point(self, posterior: Values) -> Values:
        shares = self._shares(posterior[0])
        return (shares[..., 1::2] if self.coded else shares,)

    def mode(self, posterior: Values) -> Values:
        return self.point((np.maximum(posterior[0] - 1, TINY),))

    def log_density(self, prior: Values, values: Values) -> Array:
        from scipy.special import gammaln

        (alpha,), (found,) = prior, values
        if self.coded:
            found = np.stack([1 - found, found], axis=-1).reshape(*found.shape[:-1], -1)
        own = (alpha - 1) * np.log(np.maximum(found, TINY))
        constant = gammaln(np.add.reduceat(alpha, self._first)).sum() - gammaln(alpha).sum()
        return np.asarray(np.add.reduce(own, axis=-1) + constant)

    def divergence(self, prior: Values, posterior: Values) -> Array:
        from scipy.special import digamma, gammaln

        (alpha,), (before,) = posterior, prior
        own = (alpha - before) * (digamma(alpha) - digamma(self._totals(alpha))) - gammaln(alpha) + gammaln(before)
        of_columns = [gammaln(np.add.reduceat(a, self._first, axis=-1)) for a in (alpha, before)]
        return np.asarray(np.add.reduce(own, axis=-1) + np.add.reduce(of_columns[0] - of_columns[1], axis=-1))

    def log_predictive(self, posterior: Values, column: int, x: Array) -> Array:
        logs = np.log(self._shares(posterior[0]))
        return np.asarray(logs[..., self._first[column] + x.astype(np.intp)])

    def drawn(self, posterior: Values, rng: np.random.Generator) -> Values:
        drawn = rng.standard_gamma(posterior[0])
        return self.point((np.maximum(drawn, np.finfo(float).tiny),))

    def intervals(self, posterior: Values) -> dict[str, list[object]]:
        (alpha,) = posterior
        rest = self._totals(alpha) - alpha
        ends = of_beta(alpha, np.maximum(rest, np.finfo(float).tiny))
        ends[np.broadcast_to((rest <= 0)[..., None], ends.shape)] = 1.0  # of a column of one level
        if self.coded:
            return {"probabilities": ends[..., 1::2, :].tolist()}
        return {"probabilities": [self._nested(of_component) for of_component in ends]}

    def _nested(self, of_levels: Array) -> list[object]:
        """By columns."""
        return [part.tolist() for part in np.split(of_levels, self._first[1:])]

    def to_document(self, hyperparameters: Values) -> dict[str, list[object]]:
        (alpha,) = hyperparameters
        return {"concentration": self._nested(alpha) if alpha.ndim == 1 else [self._nested(own) for own in alpha]}

    def from_document(self, document: Mapping[str, object], n_components: int) -> Values:
        found = field(document, "concentration")
        try:
            sizes = [[len(column) for column in component] for component in found]
        except TypeError:
            sizes = []
        if sizes != [list(self.levels)] * n_components:
            raise DataError("the field 'concentration' must hold a number for each level of each column.")
        alpha = np.stack([numbers([x for column in own for x in column], "concentration") for own in found])
        if not (np.isfinite(alpha) & (alpha > 0)).all():
            raise DataError("the field 'concentration' holds a number that is not above 0.")
        return (alpha,)
