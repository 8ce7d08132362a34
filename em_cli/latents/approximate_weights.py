"""Mixing weights under a prior, by their approximate posterior (variational Bayes).

Of a Dirichlet distribution with a small concentration, or of a Dirichlet process, the posterior leaves components
without rows that the data do not need (Corduneanu & Bishop 2001; Blei & Jordan 2006).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.assignment import SOFT, Assignment
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.documents import field, numbers
from em_cli.engine.family import BoundFamily
from em_cli.engine.latent import Described, Posterior
from em_cli.engine.rows import Block
from em_cli.errors import DataError
from em_cli.latents.bayes import bayes, honour_labels
from em_cli.latents.single_rows import SingleRows

TINY = float(np.finfo(float).tiny)


@dataclass(frozen=True, slots=True)
class PosteriorWeights:
    weights: Array  # (R, K) expected, made to sum to one
    log_weights: Array  # (R, K) expected logarithms
    counts: Array  # (R, K, P) hyperparameters


class WeightsPrior(Protocol):
    """A prior of mixing weights."""

    @property
    def name(self) -> str: ...

    def posterior(self, weight: Array) -> Array:
        """Hyperparameters (…, K, P) from the weight (…, K) that components bear."""

    def expected(self, counts: Array) -> Array:
        """(…, K)."""

    def expected_log(self, counts: Array) -> Array:
        """(…, K)."""

    def divergence(self, counts: Array) -> Array:
        """(…) nats from the prior (Kullback–Leibler)."""

    def intervals(self, counts: Array) -> Array:
        """(K, 2) that hold 95 % of the posterior."""

    def told(self, n_components: int) -> dict[str, object]:
        """The prior, as documents have it."""


@dataclass(frozen=True, slots=True)
class ApproximateWeights(SingleRows):
    """Each row draws its component by mixing weights that have a posterior."""

    kindred: ClassVar[None] = None
    extra: ClassVar[tuple[str, ...]] = ()
    beyond: ClassVar[None] = None

    prior: WeightsPrior
    quantities: ClassVar[Mapping[str, Quantity]] = {"weights": Quantity.PROBABILITY}
    includes: ClassVar[tuple[str, ...]] = ()
    declines: ClassVar[Mapping[str, str]] = {}

    def refuses(self, columns: Sequence[Described], n_components: Sequence[int]) -> None:
        return None

    def bind(self, family: BoundFamily, columns: Columns) -> ApproximateWeights:
        return self

    @classmethod
    def of_document(cls, document: Mapping[str, object]) -> ApproximateWeights:
        raise DataError("posteriors of mixing weights are read as the weights that they expect.")

    def log_prior(self, parameters: PosteriorWeights) -> Array:
        return parameters.log_weights

    def divergence(self, parameters: Any) -> Array:
        return self.prior.divergence(parameters.counts)

    def posterior(
        self,
        log_density: Array,
        parameters: PosteriorWeights,
        block: Block,
        weights: Array | None = None,
        assignment: Assignment = SOFT,
    ) -> Posterior:
        """Bayes' rule by rows, with expected logarithms."""
        honour_labels(log_density, block.labels)
        log_likelihood, own = bayes(log_density, weights, assignment, block.first_row)
        return Posterior(log_likelihood, None, objective=own)

    def maximize(self, weight: Array, statistics: None, parameters: PosteriorWeights | None) -> PosteriorWeights:
        return self._completed(self.prior.posterior(weight))

    def _completed(self, counts: Array) -> PosteriorWeights:
        expected = self.prior.expected(counts)
        shares = expected / np.add.reduce(expected, axis=-1, keepdims=True)
        return PosteriorWeights(np.maximum(shares, TINY), self.prior.expected_log(counts), counts)

    def n_parameters(self, n_components: int) -> int:
        return n_components - 1

    def chart(self, parameters: PosteriorWeights, weight: Array) -> None:
        return None

    def to_document(self, parameters: PosteriorWeights) -> dict[str, object]:
        told = {
            "name": self.prior.name,
            **self.prior.told(parameters.weights.shape[-1]),
            "weight_concentration": _shown(parameters.counts).tolist(),
            "intervals": self.prior.intervals(parameters.counts).tolist(),
        }
        return {"weights": parameters.weights.tolist(), "weights_posterior": told}

    def from_document(self, document: Mapping[str, object], n_components: int) -> PosteriorWeights:
        own = field(document, "weights_posterior")
        told = numbers(field(own if isinstance(own, Mapping) else {}, "weight_concentration"), "weight_concentration")
        shape = self.prior.posterior(np.ones(n_components)).shape
        counts = told.reshape(len(told), -1) if told.ndim else told
        if counts.shape != shape or not (np.isfinite(counts) & (counts > 0)).all():
            raise DataError(
                f"the field 'weights_posterior' must hold numbers above 0 for the prior {self.prior.name!r}."
            )
        return self._completed(counts)

    def sample(self, parameters: PosteriorWeights, n_rows: int, rng: np.random.Generator) -> Integers:
        return rng.choice(parameters.weights.shape[-1], size=n_rows, p=parameters.weights).astype(np.intp)


def _shown(counts: Array) -> Array:
    """(K,) if there is one number for each component."""
    return counts[:, 0] if counts.shape[-1] == 1 else counts
