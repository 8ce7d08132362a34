"""Topics to start from, as a file or run folder holds them."""

from __future__ import annotations

import numpy as np

from em_cli.engine.expectation import Parameters
from em_cli.errors import DataError
from em_cli.latents.allocation.allocation import Allocation, flat
from em_cli.latents.allocation.term_laws import topics
from em_cli.outputs.model_file import document_of
from em_cli.outputs.topics_file import topics_of
from em_cli.runs.configure import StartFile
from em_cli.sources.corpus import Corpus
from em_cli.sources.files import label


def given_tokens(start: StartFile, latent: Allocation, corpus: Corpus, k: int) -> tuple[Parameters, ...]:
    """The topics of a file, of as many and of the same terms; `DataError` if they are others."""
    shown = label(start.path)
    document = document_of(start.path, start.text)
    if document.get("format") != "em.topics":
        raise DataError(f"{shown} holds no topics to start from.")
    found = topics_of(start.path, document)
    if len(found.alpha) != k:
        raise DataError(f"{shown} has {len(found.alpha)} topics: -k {len(found.alpha)} starts from them.")
    place = {term: code for code, term in enumerate(found.terms)}
    if unknown := [term for term in corpus.terms if term not in place]:
        raise DataError(f"{shown} has no term {unknown[0]!r}, which the documents have: it is of other terms.")
    law = found.law.concentration[:, np.array([place[term] for term in corpus.terms], np.intp)]
    alpha = found.alpha if latent.alpha == "learned" else np.full(k, float(latent.alpha))
    return (Parameters(flat(alpha, corpus.lengths), topics(law)),)
