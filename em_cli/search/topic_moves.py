"""Where to look for better topics: random starts, and moves from topics that were found."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.expectation import Parameters
from em_cli.engine.model import Model
from em_cli.latents.allocation.allocation import Allocation, flat
from em_cli.latents.allocation.term_laws import topics
from em_cli.sources.corpus import Corpus

EVEN = 100.0  # shape of the gamma law of random topics: nearly even ones
OF_START = 0.5  # share of the tokens of a random document in a topic that begins from it


@dataclass(frozen=True, slots=True, eq=False)
class Moves:
    """Places to climb from, for topics of these documents."""

    model: Model
    latent: Allocation
    corpus: Corpus

    @property
    def shape(self) -> tuple[int, int]:
        return self.model.n_components, len(self.corpus.terms)

    def at(self, tokens: Array, alpha: Array | None = None) -> Parameters:
        """Topics with so many tokens (K, V) of each term, and flat shares of the documents."""
        shares = self.latent.start(self.shape[0], self.corpus.lengths)
        if alpha is not None:
            shares = flat(alpha, self.corpus.lengths)
        return Parameters(shares, topics(self.latent.eta + tokens))

    def even(self, rng: np.random.Generator) -> Parameters:
        """Topics that are nearly even, as Hoffman, Blei & Bach (2010) begin."""
        k, v = self.shape
        return self.at(rng.gamma(EVEN, 1 / EVEN, (k, v)) * (self.corpus.n_tokens / (k * v)))

    def seeded(self, rng: np.random.Generator) -> Parameters:
        """Topics that begin as documents do, mixed with what all of them have in common."""
        k, v = self.shape
        chosen = rng.choice(len(self.corpus.documents), k, replace=len(self.corpus.documents) < k)
        tokens = np.tile(self.corpus.frequencies / self.corpus.n_tokens, (k, 1)) * (1 - OF_START)
        for topic, document in enumerate(chosen.tolist()):
            cells = slice(*self.corpus.bounds[document : document + 2])
            shares = self.corpus.counts[cells] / self.corpus.lengths[document]
            tokens[topic, self.corpus.codes[cells]] += OF_START * shares
        return self.at(tokens * rng.gamma(EVEN, 1 / EVEN, (k, v)) * (self.corpus.n_tokens / k))

    def merged(self, found: Parameters) -> Parameters:
        """As many topics as there are to be, from more: those made one, pair by pair, whose laws lose least by it.

        What a pair loses is the log-likelihood of its tokens (cf. Slonim & Tishby 1999).
        """
        tokens = np.maximum(found.components.concentration - self.latent.eta, 0.0)
        return self.at(fewer(tokens, self.shape[0]))

    def flattened(self, found: Parameters) -> Parameters:
        """The same topics, with flat shares: documents may find other ones."""
        return Parameters(flat(found.latent.alpha, self.corpus.lengths), found.components)

    def scaled(self, found: Parameters, scale: float) -> Parameters:
        """Topics of some of the documents, with so many times their tokens."""
        tokens = (found.components.concentration - self.latent.eta) * scale
        return self.at(tokens, found.latent.alpha)

    def crossed(self, first: Parameters, second: Parameters, rng: np.random.Generator) -> Parameters:
        """Of each pair of topics that match, one or the other."""
        own, other = (found.components.concentration - self.latent.eta for found in (first, second))
        partner = matched(own, other)
        taken = rng.random(len(own)) < 0.5
        return self.at(np.where(taken[:, None], own, other[partner]))


def fewer(tokens: Array, n: int) -> Array:
    """So many topics (n, V) out of more (K, V), by agglomeration."""
    tokens = tokens.copy()
    own = _log_likelihood(tokens)
    loss = np.full((len(tokens), len(tokens)), np.inf)
    for i in range(1, len(tokens)):
        loss[i, :i] = own[i] + own[:i] - _log_likelihood(tokens[i] + tokens[:i])
    left = np.ones(len(tokens), bool)
    for _ in range(len(tokens) - n):
        gone, kept = np.unravel_index(np.argmin(loss), loss.shape)
        tokens[kept] += tokens[gone]
        own[kept], left[gone] = _log_likelihood(tokens[kept]), False
        loss[gone], loss[:, gone] = np.inf, np.inf
        others = np.flatnonzero(left & (np.arange(len(tokens)) != kept))
        anew = own[kept] + own[others] - _log_likelihood(tokens[kept] + tokens[others])
        loss[np.maximum(kept, others), np.minimum(kept, others)] = anew
    return tokens[left]


def _log_likelihood(tokens: Array) -> Array:
    """(…,) of the tokens (…, V) of a topic, by its own shares of the terms."""
    from scipy.special import xlogy

    total = np.add.reduce(tokens, axis=-1)
    own: Array = np.add.reduce(xlogy(tokens, tokens), axis=-1) - xlogy(total, total)
    return own


def likeness(first: Array, second: Array) -> Array:
    """(K, K') cosines of topics (K, V) and (K', V)."""
    norms = [np.maximum(np.linalg.norm(each, axis=1, keepdims=True), 1e-300) for each in (first, second)]
    cosines: Array = (first / norms[0]) @ (second / norms[1]).T
    return cosines


def matched(first: Array, second: Array) -> Integers:
    """(K,) the topic of the second that goes with each of the first, so that they are most alike in all."""
    from scipy.optimize import linear_sum_assignment

    _, partner = linear_sum_assignment(-likeness(first, second))
    return np.asarray(partner, np.intp)
