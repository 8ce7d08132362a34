"""Documents as bags of terms: a sparse table, document by document."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.sources.in_memory import InMemory


@dataclass(frozen=True, eq=False)
class Corpus:
    """D documents with V terms; n cells are not zero. No document is empty.

    Terms are in the order of their names, documents in that of how many terms they have, and then of what they hold:
    the order in which they are read means nothing.
    """

    documents: tuple[str, ...]  # their names
    terms: tuple[str, ...]
    codes: Integers  # (n,) of the terms, ascending in each document
    counts: Array  # (n,)
    bounds: Integers  # (D + 1,) at which cell each document begins, and n at last

    @cached_property
    def lengths(self) -> Array:
        """(D,) tokens of each document."""
        lengths: Array = np.add.reduceat(self.counts, self.bounds[:-1])
        return lengths

    @property
    def n_tokens(self) -> float:
        return float(self.counts.sum())

    @cached_property
    def source(self) -> InMemory:
        """Rows are cells, the columns the code of the term and its count; a document is a group of rows."""
        return InMemory(np.stack([self.codes.astype(np.float64), self.counts]), groups=self.bounds)

    @cached_property
    def frequencies(self) -> Array:
        """(V,) tokens of each term."""
        frequencies: Array = np.bincount(self.codes, self.counts, len(self.terms)).astype(np.float64)
        return frequencies

    def some(self, documents: Integers) -> Corpus:
        """Some of the documents, ascending, with all terms."""
        lengths = np.diff(self.bounds)[documents]
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        cells = np.arange(bounds[-1]) + np.repeat(self.bounds[documents] - bounds[:-1], lengths)
        names = tuple(self.documents[place] for place in documents.tolist())
        return Corpus(names, self.terms, self.codes[cells], self.counts[cells], bounds)


@dataclass(frozen=True, eq=False)
class Documents:
    """Documents as they were read: their bags of terms, and where each stood in the files."""

    corpus: Corpus
    places: Integers  # (D,) at which place in the files each document of the corpus first stood
    empty: Mapping[int, str]  # documents without a token: place and name
    key: str  # what names documents
    unknown: Counter[str]  # tokens of terms that are not in the vocabulary
    column: str | None  # of the file, that names documents
