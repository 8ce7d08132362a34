"""A Python module that tells what new documents are about, with NumPy alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from em_cli.engine.arrays import Array
from em_cli.exports import in_numpy
from em_cli.exports.python import beginning, pasted
from em_cli.sources.corpus_options import LONG, TEXT, WIDE, CorpusOptions

FUNCTIONS = (in_numpy.digamma, in_numpy.numbered, in_numpy.shares, in_numpy.tokens, in_numpy.topics)
PREDICT = '''

def predict(columns):
    """Shares of topics of documents: `columns` holds a list or an array for each of COLUMNS.

    Terms that the model does not know are left out.
    """
    {cells}
    names, found = tokens(documents, terms, counts, TERMS)
    return {{{key!r}: names}} | topics(found, EXPECTED, ALPHA)
'''
LINES = """documents, terms = columns[{document!r}], columns[{term!r}]
    counts = {counts}"""
TABLE = """there = [term for term in TERMS if term in columns]
    rows = range(len(columns[there[0]]))
    names = {names}
    cells = [(name, term, count) for term in there for name, count in zip(names, columns[term])]
    cells = [*((name, "", 0) for name in names), *cells]
    documents, terms, counts = zip(*cells)"""
WORDS = """rows = range(len(columns[{text!r}]))
    names = {names}
    words = [re.findall(r"[^\\W\\d_]+", str(text).lower()) for text in columns[{text!r}]]
    cells = [(name, term) for name, own in zip(names, words) for term in ["", *own]]
    documents, terms = zip(*cells)
    counts = [1] * len(terms)"""


def topics_text(
    terms: Sequence[str], expected_log: Array, alpha: Array, corpus: CorpusOptions, head: Sequence[str]
) -> Iterator[str]:
    """The module, of the expected logarithms (K, V) of the probabilities of terms, and the prior α (K,) of shares.

    Its function `predict` takes columns as they stood in the data of the fit, and returns names, tokens, the largest
    topics and shares of documents.
    """
    yield from beginning(head, "import re\n")
    columns = [name for name in (corpus.document, corpus.term, corpus.count, corpus.text) if name is not None]
    yield f"COLUMNS = {columns!r}{'  # and of each term that there is' if corpus.layout == WIDE else ''}\n"
    yield f"TERMS = {{term: place for place, term in enumerate({list(terms)!r})}}\n"
    yield f"ALPHA = np.array({alpha.tolist()!r})\n"
    yield "EXPECTED = np.array([  # logarithms of the probabilities of the terms, of each topic\n"
    yield from (f"    {row!r},\n" for row in expected_log.tolist())
    yield "])\n"
    yield from pasted(FUNCTIONS)
    yield PREDICT.format(cells=_cells(corpus), key=corpus.document or "row")


def _cells(corpus: CorpusOptions) -> str:
    """Statements that find documents, terms and counts."""
    if corpus.layout == LONG:
        counts = "[1] * len(terms)" if corpus.count is None else f"columns[{corpus.count!r}]"
        return LINES.format(document=corpus.document, term=corpus.term, counts=counts)
    names = f"columns.get({corpus.document!r}, [row + 1 for row in rows])"
    if corpus.layout == TEXT:
        return WORDS.format(text=corpus.text, names=names)
    return TABLE.format(names=names)
