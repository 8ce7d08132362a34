"""Topics read back from a file that anyone may have edited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from em_cli.documents.known import known_as
from em_cli.documents.topics_json import TopicParams
from em_cli.engine.arrays import Array
from em_cli.errors import DataError
from em_cli.latents.allocation.local_steps import inferred
from em_cli.latents.allocation.term_laws import Terms, Topics, topics
from em_cli.sources.corpus import Corpus
from em_cli.sources.files import label

SCHEMA_VERSION = 1
TOGETHER = 1 << 22  # expected likelihoods of cells that are looked at together


@dataclass(frozen=True, eq=False)
class LoadedTopics:
    """Topics, ready to tell what documents are about."""

    document: TopicParams
    terms: tuple[str, ...]
    law: Topics  # of the terms (K, V)
    alpha: Array  # (K,)

    @property
    def mean(self) -> Array:
        """(K, V) expected probability of each term."""
        found: Array = self.law.concentration / self.law.concentration.sum(axis=1, keepdims=True)
        return found

    @property
    def divergence(self) -> float:
        """What the topics themselves add to the bound."""
        terms, law = Terms(len(self.terms), float(self.document["eta"])), self.law
        return -float(terms.divergence(Topics(law.concentration[None], law.expected_log[None])).sum())

    def shares(self, corpus: Corpus) -> tuple[Array, Array]:
        """γ (K, D) of documents, and the bound (D,) of each: the topics are held fixed, shares begin flat."""
        k, bounds = len(self.alpha), corpus.bounds
        gamma, bound = np.empty((k, len(corpus.documents))), np.empty(len(corpus.documents))
        first = 0
        while first < len(bound):
            stop = max(first + 1, int(np.searchsorted(bounds, bounds[first] + TOGETHER // k, "right")) - 1)
            cells = slice(bounds[first], bounds[stop])
            own = bounds[first : stop + 1] - bounds[first]
            found = inferred(self.law.expected_log, self.alpha, corpus.codes[cells], corpus.counts[cells], own)
            gamma[:, first:stop], bound[first:stop] = found
            first = stop
        return gamma, bound


def topics_of(path: str, document: Mapping[str, object]) -> LoadedTopics:
    """`DataError` says what is wrong with the document."""
    from em_cli.outputs.described import wrong_field
    from em_cli.outputs.topics_fields import TopicFields

    if (version := document.get("schema_version")) != SCHEMA_VERSION:
        raise DataError(f"{label(path)}: it has schema version {version!r}; this em reads {SCHEMA_VERSION}.")
    if wrong := wrong_field(TopicFields, document):
        raise DataError(f"{label(path)}: {wrong}.")
    known = known_as(TopicParams, document)
    law = topics(np.array(known["lambda"], np.float64))
    return LoadedTopics(known, tuple(known["terms"]), law, np.array(known["alpha"], np.float64))
