"""How much the terms of a topic belong together in documents, and whether other climbs find the same topics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.search.topic_moves import likeness, matched
from em_cli.sources.corpus import Corpus

TOP = 10  # terms of a topic, whose coherence is told
BORNE = 0.5  # tokens of a term, without which a topic has only what its prior gives to all
ALIKE = 0.9  # cosine of two topics that are taken for one


@dataclass(frozen=True, slots=True)
class Coherence:
    """Of the top terms of a topic, by the documents that hold two of them; means over the pairs."""

    u_mass: float  # Mimno et al. (2011), natural logarithms
    npmi: float  # Bouma (2009), between -1 and 1


def coherences(tokens: Array, corpus: Corpus) -> list[Coherence]:
    """Of each topic, by the tokens (K, V) of its terms."""
    found = []
    for topic in tokens:
        terms = borne_terms(topic, TOP)
        found.append(_coherence(_together(terms, corpus), len(corpus.documents)))
    return found


def top_terms(topic: Array, most: int) -> Integers:
    """The likeliest terms (V,) first; among equals in the order of their names."""
    return np.argsort(-topic, kind="stable")[:most].astype(np.intp)


def borne_terms(tokens: Array, most: int) -> Integers:
    """The same by tokens (V,) of a topic: those alone of which it has any to speak of, and the first."""
    terms = top_terms(tokens, most)
    return terms[: max(1, int(np.count_nonzero(tokens[terms] >= BORNE)))]


def _together(terms: Integers, corpus: Corpus) -> Array:
    """(M, M) documents that hold each two of these terms, and on the diagonal each alone."""
    place = np.full(len(corpus.terms), -1, np.intp)
    place[terms] = np.arange(len(terms))
    of_cells = place[corpus.codes]
    there = of_cells >= 0
    documents = np.repeat(np.arange(len(corpus.documents)), np.diff(corpus.bounds))[there]
    _, rows = np.unique(documents, return_inverse=True)
    holds = np.zeros((int(rows.max()) + 1 if len(rows) else 1, len(terms)))
    holds[rows, of_cells[there]] = 1.0
    together: Array = holds.T @ holds
    return together


def _coherence(together: Array, n: int) -> Coherence:
    later, earlier = np.tril_indices(len(together), -1)
    if not len(later):
        return Coherence(0.0, 0.0)
    both, alone = together[later, earlier], np.maximum(np.diagonal(together), 1.0)
    u_mass = np.log((both + 1) / alone[earlier])
    p = both / n
    certain = both >= n
    with np.errstate(divide="ignore", invalid="ignore"):
        npmi = np.log(p / (alone[earlier] * alone[later] / n**2)) / -np.log(p)
    npmi = np.where(both == 0, -1.0, np.where(certain, 1.0, npmi))
    return Coherence(float(u_mass.mean()), float(npmi.mean()))


@dataclass(frozen=True, slots=True)
class Stability:
    """How far other ends of the search have the topics of the best."""

    elbo: float  # of the next best
    cosines: tuple[float, ...]  # of each topic to the one that matches it there
    found_again: tuple[int, ...]  # in how many of the others there is a topic like it
    others: int

    @property
    def matching(self) -> int:
        """Topics of the next best that are like those of the best."""
        return sum(cosine >= ALIKE for cosine in self.cosines)


def stability(best: Array, others: Sequence[tuple[float, Array]]) -> Stability | None:
    """Of topics (K, V) of the best end, beside others with their bounds, the highest first; None without others."""
    if not others:
        return None
    cosines = [_cosines(best, other) for _, other in others]
    again = np.add.reduce([own >= ALIKE for own in cosines])
    return Stability(others[0][0], tuple(cosines[0].tolist()), tuple(again.tolist()), len(others))


def _cosines(first: Array, second: Array) -> Array:
    partner = matched(first, second)
    cosines: Array = likeness(first, second)[np.arange(len(first)), partner]
    return cosines
