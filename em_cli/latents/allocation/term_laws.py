"""Topics: multinomial laws of terms, each with a Dirichlet posterior (Blei, Ng & Jordan 2003, §5.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.family import Degeneracy
from em_cli.latents.coded_rows import CodedRows, log_density_of, sums_of

FEWEST_TOKENS = 1e-6  # of a topic in some rows: one that nobody uses is no fault


@dataclass(frozen=True, slots=True)
class Topics:
    """K Dirichlet posteriors over V terms."""

    concentration: Array  # (…, K, V) λ
    expected_log: Array  # (…, K, V) of the probability of each term


def topics(concentration: Array) -> Topics:
    """Laws of terms under Dirichlet posteriors of these concentrations (…, K, V), and their expected logarithms."""
    from scipy.special import digamma

    expected = digamma(concentration)
    expected -= digamma(concentration.sum(axis=-1, keepdims=True))
    return Topics(concentration, expected)


@dataclass(frozen=True, slots=True, eq=False)
class Terms(CodedRows):
    """Rows are cells of a sparse table of documents by terms: the code of a term, and how often it occurs.

    Responsibilities carry these counts, as they would case weights.
    """

    n_terms: int
    eta: float  # of the symmetric Dirichlet prior

    def log_density(self, features: Array, parameters: Topics, offset: Array, out: Array) -> None:
        """Of one token, in expectation."""
        log_density_of(features, parameters.expected_log, offset, out)

    def statistics(self, features: Array, responsibilities: Array, parameters: Topics) -> Array:
        """(R, K, 1 + V): the tokens of each topic, in all and of each term."""
        found = sums_of(features, responsibilities, self.n_terms)
        np.maximum(found[..., 0], FEWEST_TOKENS, out=found[..., 0])
        return found

    def maximize(self, statistics: Array, parameters: Topics | None) -> Topics:
        return topics(statistics[..., 1:] + self.eta)

    @property
    def approximate(self) -> Terms:
        return self

    def divergence(self, parameters: Topics) -> Array:
        """(…, K) of the posterior of each topic from its prior: E log q(β | λ) − E log p(β | η)."""
        from scipy.special import gammaln

        posterior, v = parameters.concentration, self.n_terms
        prior = gammaln(v * self.eta) - v * gammaln(self.eta)
        of_topics = gammaln(posterior.sum(axis=-1)) - gammaln(posterior).sum(axis=-1) - prior
        of_topics += ((posterior - self.eta) * parameters.expected_log).sum(axis=-1)
        divergence: Array = of_topics
        return divergence

    def n_parameters(self, n_components: int) -> int:
        return n_components * (self.n_terms - 1)

    def degenerate(self, parameters: Topics, support: Array) -> list[Degeneracy | None]:
        """None is: a posterior has no place to collapse to."""
        return [None] * len(support)

    def moments(self, parameters: Topics) -> tuple[Array, Array]:
        """Mean and standard deviation (K, V) of the probabilities of the terms, under their posterior."""
        total = parameters.concentration.sum(axis=-1, keepdims=True)
        mean = parameters.concentration / total
        return mean, np.sqrt(mean * (1 - mean) / (total + 1))

    def to_document(self, parameters: Topics) -> dict[str, object]:
        mean, _ = self.moments(parameters)
        return {"lambda": parameters.concentration.tolist(), "topic_word": mean.tolist()}

    def from_document(self, document: Mapping[str, object], n_components: int) -> Topics:
        return topics(np.array(document["lambda"], np.float64))

    def sample(self, parameters: Topics, labels: Integers, rng: np.random.Generator) -> Array:
        """Single tokens."""
        mean, _ = self.moments(parameters)
        codes = np.array([rng.choice(self.n_terms, p=mean[label]) for label in labels.tolist()])
        return np.stack([codes, np.ones(len(codes))]).astype(np.float64)

    def expected_log_density(self, statistics: Array, parameters: Topics) -> Array:
        expected: Array = (statistics[..., 1:] * parameters.expected_log).sum(axis=-1)
        return expected

    def chart(self, parameters: Topics, weight: Array) -> TopicsChart:
        return TopicsChart(parameters.concentration)


@dataclass(frozen=True, slots=True)
class TopicsChart:
    """√λ times the change of log λ."""

    base: Array  # (…, K, V)

    @property
    def size(self) -> int:
        return int(np.prod(self.base.shape[-2:]))

    def coordinates(self, parameters: Topics) -> Array:
        change = np.log(parameters.concentration / self.base) * np.sqrt(self.base)
        return change.reshape(*change.shape[:-2], -1)

    def parameters(self, u: Array) -> Topics:
        change = u.reshape(*u.shape[:-1], *self.base.shape[-2:]) / np.sqrt(self.base)
        return topics(self.base * np.exp(np.clip(change, -LONGEST, LONGEST)))

    def gradient(self, statistics: Array, parameters: Topics) -> Array:
        raise NotImplementedError("only squarem takes these coordinates, and it asks for no slope")


LONGEST = 30.0
