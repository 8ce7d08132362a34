"""New documents under topics that are held fixed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np

from em_cli.config.resolve import resolve
from em_cli.engine.arrays import Array
from em_cli.errors import UsageError
from em_cli.models.topics import TOPICS, wanted_topics
from em_cli.options import ReadingOptions, layer
from em_cli.outputs.tables import csv_text
from em_cli.outputs.topics_document import document_columns, document_rows
from em_cli.outputs.topics_file import LoadedTopics
from em_cli.runs.read import read_options
from em_cli.runs.remembered import KEYS
from em_cli.runs.row_scores import warn
from em_cli.sources.corpus import Documents
from em_cli.sources.corpus_options import CorpusOptions
from em_cli.sources.corpus_reader import documents_of, read_documents

AT_ONCE = 1 << 22  # probabilities of terms in documents


def refuse_for_topics(asked: Mapping[str, object]) -> None:
    """`UsageError` if an option is given that is about rows."""
    if said := [option for option, value in asked.items() if value not in (None, False, [])]:
        raise UsageError(
            f"{said[0]} is about rows, and topics are of documents: em predict gives their shares, "
            "em score --rows the bound of each."
        )


def new_documents(loaded: LoadedTopics, paths: Sequence[str], reading: ReadingOptions) -> Documents:
    """Read as those of the fit were, unless something else is said; tokens of unknown terms are counted, not used."""
    said: dict[str, Any] = dict(loaded.document.get("reading") or {})
    own = replace(reading, **{key: said[key] for key in KEYS if key in said and getattr(reading, key) in (None, [])})
    names = {one.name for one in fields(CorpusOptions)}
    given = {name: getattr(own, name) for name in names if getattr(own, name) is not None}
    known = dict(loaded.document["corpus"])
    for option, others in (("text", ("term", "count")), ("term", ("text",))):
        if option in given:
            known = {name: value for name, value in known.items() if name not in others}
    config = resolve(None, [], layer(own) | {"latent": TOPICS, "search": {"algorithm": "squarem"}})
    config = config.model_copy(update={"data": config.data.model_copy(update=known | given)})
    wanted = wanted_topics(config)
    assert wanted is not None, "topics are wanted"
    options = replace(read_options(config.data, {}, sequential=True), id=None, id_if_there="document" not in given)
    found = documents_of(read_documents(paths, options, wanted, loaded.terms))
    if unknown := found.unknown.total():
        warn(f"{unknown:,} tokens of terms that the model has not seen are left out.")
    return found


def topics_table(
    loaded: LoadedTopics,
    paths: Sequence[str],
    reading: ReadingOptions,
    unseen: int | None,
    of_rows: Mapping[str, object],
) -> Iterator[str]:
    """What `em predict` tells of documents; `UsageError` for options that are of rows."""
    refuse_for_topics(of_rows)
    return shares_table(loaded, paths, reading) if unseen is None else unseen_table(loaded, paths, reading, unseen)


def shares_table(loaded: LoadedTopics, paths: Sequence[str], reading: ReadingOptions) -> Iterator[str]:
    """The shares of topics of each document, as CSV."""
    found = new_documents(loaded, paths, reading)
    gamma, _ = loaded.shares(found.corpus)
    return csv_text(document_columns(found.key, len(gamma)), document_rows(found, gamma / gamma.sum(axis=0)))


def unseen_table(loaded: LoadedTopics, paths: Sequence[str], reading: ReadingOptions, most: int) -> Iterator[str]:
    """The likeliest terms of each document that it does not have, as CSV."""
    found = new_documents(loaded, paths, reading)
    gamma, _ = loaded.shares(found.corpus)
    return csv_text((found.key, "rank", "term", "probability"), _unseen(loaded, found, gamma, most))


def _unseen(loaded: LoadedTopics, found: Documents, gamma: Array, most: int) -> Iterator[dict[str, object]]:
    corpus, mean = found.corpus, loaded.mean
    shares = gamma / gamma.sum(axis=0)
    order = np.argsort(found.places)
    step = max(1, AT_ONCE // len(loaded.terms))
    for first in range(0, len(order), step):
        some = order[first : first + step]
        p = shares[:, some].T @ mean
        for row, d in enumerate(some.tolist()):
            p[row, corpus.codes[corpus.bounds[d] : corpus.bounds[d + 1]]] = -1.0
            for rank, place in enumerate(np.argsort(-p[row], kind="stable")[:most].tolist(), start=1):
                if p[row, place] > 0:
                    yield {
                        found.key: corpus.documents[d],
                        "rank": rank,
                        "term": loaded.terms[place],
                        "probability": float(p[row, place]),
                    }


def bound_rows(loaded: LoadedTopics, paths: Sequence[str], reading: ReadingOptions) -> Iterator[str]:
    """The bound of each document, as CSV."""
    found = new_documents(loaded, paths, reading)
    _, bound = loaded.shares(found.corpus)
    lengths = found.corpus.lengths
    rows = (
        {
            found.key: found.corpus.documents[d],
            "tokens": int(lengths[d]),
            "bound": float(bound[d]),
            "bound_per_token": float(bound[d] / lengths[d]),
        }
        for d in np.argsort(found.places).tolist()
    )
    return csv_text((found.key, "tokens", "bound", "bound_per_token"), rows)


def bound_document(loaded: LoadedTopics, paths: Sequence[str], reading: ReadingOptions) -> dict[str, object]:
    """The bound of all documents, that of the topics themselves apart: it does not grow with the documents."""
    found = new_documents(loaded, paths, reading)
    _, bound = loaded.shares(found.corpus)
    total, tokens, of_topics = float(bound.sum()), found.corpus.n_tokens, loaded.divergence
    return {
        "n_documents": len(found.corpus.documents),
        "n_empty_documents": len(found.empty),
        "n_tokens": tokens,
        "n_unknown_tokens": found.unknown.total(),
        "documents_bound": total,
        "documents_bound_per_token": total / tokens,
        "topics_bound": of_topics,
        "elbo": total + of_topics,
    }
