"""Topics as they are written: their document and tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from em_cli import __version__
from em_cli.documents.found import WarningFields
from em_cli.documents.known import known_as
from em_cli.documents.topics_json import TopicParams
from em_cli.engine.arrays import Array, Integers, stack
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.protocols import Runner
from em_cli.inference.topic_quality import TOP, Stability, borne_terms, coherences, stability, top_terms
from em_cli.latents.allocation.allocation import Allocation
from em_cli.outputs.model_file import OF_TOPICS
from em_cli.outputs.search_found import ended, search_found
from em_cli.outputs.topics_file import SCHEMA_VERSION
from em_cli.search.ledger import Fitted
from em_cli.search.topic_search import distinct
from em_cli.sources.corpus import Corpus, Documents

NEAR = 0.005  # of the bound; ends that are farther below it than that tell nothing against its topics
LISTED = 100  # terms of a topic in topics.csv
TOPIC_COLUMNS = ("topic", "rank", "term", "probability", "lift")


@dataclass(frozen=True, slots=True, eq=False)
class ScoredTopics:
    """The best topics, the largest first, and what they say of the documents that were fitted."""

    fitted: Fitted
    documents: Documents
    latent: Allocation
    concentration: Array  # (K, V)
    alpha: Array  # (K,)
    gamma: Array  # (K, D)
    tokens: Array  # (K,) expected
    elbo: float
    stability: Stability | None
    degeneracies: tuple[None, ...] = ()

    @property
    def corpus(self) -> Corpus:
        return self.documents.corpus

    @property
    def mean(self) -> Array:
        """(K, V) expected probability of each term."""
        found: Array = self.concentration / self.concentration.sum(axis=1, keepdims=True)
        return found

    @property
    def term_tokens(self) -> Array:
        """(K, V) expected tokens of each term."""
        found: Array = self.concentration - self.latent.eta
        return found

    @property
    def shares(self) -> Array:
        """(K, D) expected, of each document."""
        found: Array = self.gamma / self.gamma.sum(axis=0)
        return found


def scored_topics(fitted: Fitted, latent: Allocation, documents: Documents, runner: Runner) -> ScoredTopics:
    """The chosen end, its topics in the order of their tokens; bound and shares are those of exactly these topics."""
    assert fitted.chosen is not None, "there is a fit to score"
    chosen, corpus = fitted.chosen, documents.corpus
    model = chosen.candidate.model
    (batch,) = one_pass([Stack(model, stack([chosen.parameters]))], corpus.source, runner)
    _, gamma = batch.statistics.latent
    tokens = batch.statistics.weight[0]
    order = np.argsort(-tokens, kind="stable")
    concentration = chosen.parameters.components.concentration[order]
    return ScoredTopics(
        fitted,
        documents,
        latent,
        concentration,
        chosen.parameters.latent.alpha[order],
        gamma[0][order],
        tokens[order],
        float(batch.log_likelihood[0]),
        stability(concentration - latent.eta, _others(fitted, float(latent.eta))),
    )


def _others(fitted: Fitted, eta: float) -> list[tuple[float, Array]]:
    """The tokens of the topics of other optima, nearly as high, that the search has come to; the highest first."""
    ends = [entry.result for entry in fitted.ledger if entry.result.parameters.components is not None]
    ends = [e for e in ends if e.candidate.model is (fitted.chosen and fitted.chosen.candidate.model)]
    best, *others = distinct(ends)
    near = [end for end in others if best.log_likelihood - end.log_likelihood < NEAR * abs(best.log_likelihood)]
    return [(end.log_likelihood, end.parameters.components.concentration - eta) for end in near]


def topics_document(
    result: ScoredTopics, about: Mapping[str, Any], cut_by: str, warnings: Sequence[WarningFields]
) -> TopicParams:
    """The whole document; `about` is what is said of the run beside the fit. Identical runs give identical bytes."""
    fitted, corpus, chosen = result.fitted, result.corpus, result.fitted.chosen
    assert chosen is not None, "there is a fit to write"
    found = result.stability
    document: dict[str, object] = {
        "format": OF_TOPICS,
        "schema_version": SCHEMA_VERSION,
        "em_version": __version__,
        "latent": "topics",
        "n_components": fitted.n_components,
        "alpha": result.alpha.tolist(),
        "alpha_learned": result.latent.alpha == "learned",
        "eta": float(result.latent.eta),
        "topics": _topics(result),
        "n_documents": len(corpus.documents),
        "n_empty_documents": len(result.documents.empty),
        "n_terms": len(corpus.terms),
        "n_tokens": corpus.n_tokens,
        "elbo": result.elbo,
        "elbo_per_token": result.elbo / corpus.n_tokens,
        "log_likelihood": None,
        "runner_up": None
        if found is None
        else {"elbo": found.elbo, "matching": found.matching, "others": found.others},
        **ended(chosen, cut_by),
        "search": search_found(fitted, about["effort"]),
    }
    rest = {name: value for name, value in about.items() if name != "effort"}
    tables = {
        "terms": list(corpus.terms),
        "lambda": result.concentration.tolist(),
        "topic_word": result.mean.tolist(),
    }
    return known_as(TopicParams, document | rest | {"warnings": [dict(one) for one in warnings]} | tables)


def _topics(result: ScoredTopics) -> list[dict[str, object]]:
    terms, found = result.corpus.terms, result.stability
    largest = np.bincount(result.shares.argmax(axis=0), minlength=len(result.tokens))
    quality = coherences(result.term_tokens, result.corpus)
    return [
        {
            "topic": k + 1,
            "share": float(result.tokens[k] / result.corpus.n_tokens),
            "tokens": float(result.tokens[k]),
            "n_documents": int(largest[k]),
            "top_terms": [terms[place] for place in borne_terms(result.term_tokens[k], TOP).tolist()],
            **asdict(quality[k]),
            "runner_up_cosine": None if found is None else found.cosines[k],
            "found_again": None if found is None else found.found_again[k],
        }
        for k in range(len(result.tokens))
    ]


def topic_rows(result: ScoredTopics) -> Iterator[dict[str, object]]:
    """`topics.csv`: the likeliest terms of each topic, and how many times as likely as in all documents they are."""
    overall = result.corpus.frequencies / result.corpus.n_tokens
    for k, topic in enumerate(result.mean):
        for rank, place in enumerate(top_terms(topic, LISTED).tolist(), start=1):
            yield {
                "topic": k + 1,
                "rank": rank,
                "term": result.corpus.terms[place],
                "probability": float(topic[place]),
                "lift": float(topic[place] / overall[place]),
            }


def document_columns(key: str, k: int) -> tuple[str, ...]:
    """Of `documents.csv`: their names, how many tokens they have, the largest topic, the share of each."""
    return (key, "tokens", "topic", *(f"p{j + 1}" for j in range(k)))


def document_rows(documents: Documents, shares: Array) -> Iterator[dict[str, object]]:
    """In the order of the files; empty documents have no shares (K, D)."""
    k, names = len(shares), documents.corpus.documents
    place: Integers = np.argsort(documents.places)
    columns = document_columns(documents.key, k)
    empty = sorted(documents.empty.items())
    lengths = documents.corpus.lengths
    for d in place.tolist():
        while empty and empty[0][0] < documents.places[d]:
            yield dict.fromkeys(columns) | {documents.key: empty.pop(0)[1], "tokens": 0}
        own = shares[:, d].tolist()
        row = [names[d], int(lengths[d]), int(np.argmax(own)) + 1, *own]
        yield dict(zip(columns, row, strict=True))
    for _, name in empty:
        yield dict.fromkeys(columns) | {documents.key: name, "tokens": 0}
