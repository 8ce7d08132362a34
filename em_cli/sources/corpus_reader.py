"""Files of documents, ready to be fitted: memory goes with the cells that are not zero."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.errors import DataError
from em_cli.printable import safe
from em_cli.sources.candidates import check_same
from em_cli.sources.corpus import Corpus, Documents
from em_cli.sources.corpus_options import LONG, TEXT, WIDE, CorpusOptions
from em_cli.sources.corpus_tokens import Columns, Found, columns_of, tokens_of
from em_cli.sources.files import digest, expand, label
from em_cli.sources.pieces import Piece, pieces
from em_cli.sources.quoting import listed, plural, quoted
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.row_blocks import FittedRows
from em_cli.sources.schema import Column, Schema
from em_cli.sources.spool import STDIN
from em_cli.sources.table import Data, InputFile, Notice, Others
from em_cli.sources.text_words import stop_list
from em_cli.sources.usable import notices_of_header


@dataclass(slots=True)
class _Content:
    """What is found, piece by piece."""

    documents: dict[str, int] = field(default_factory=dict)
    terms: dict[str, int] = field(default_factory=dict)
    cells: list[tuple[Integers, Integers, Array]] = field(default_factory=list)
    n_read: int = 0

    def take(self, found: Found, n_rows: int) -> None:
        of_rows = np.array([self.documents.setdefault(name, len(self.documents)) for name in found.documents], np.intp)
        used = np.unique(found.terms)
        known = np.zeros(len(found.names), np.intp)
        for place in used.tolist():
            known[place] = self.terms.setdefault(found.names[place], len(self.terms))
        self.cells.append((of_rows[found.rows], known[found.terms], found.counts))
        self.n_read += n_rows


def read_documents(
    paths: Sequence[str], options: ReadOptions, wanted: CorpusOptions, vocabulary: Sequence[str] | None = None
) -> Data:
    """All documents of the files; `DataError` says what stands in the way.

    With a vocabulary the terms are those; others are counted, and left out.
    """
    files = expand(paths)
    shown = label(files[0]) if len(files) == 1 else f"{len(files)} files"
    stop, options = stop_list(wanted.stop_words), _with_texts(options, wanted)
    content, inputs, notices = _Content(), list[InputFile](), list[Notice]()
    first: Piece | None = None
    columns: Columns | None = None
    for number, path in enumerate(files):
        for piece in pieces(path, options, inputs.append):
            if first is None or columns is None:
                if options.id_if_there and wanted.layout != LONG and wanted.document not in piece.names:
                    wanted, options = replace(wanted, document=None), replace(options, id=None)
                if vocabulary is not None and wanted.layout == WIDE:
                    options = replace(options, columns=_terms_there(piece, vocabulary))
                first, columns = piece, columns_of(piece, options, wanted)
                notices += notices_of_header(piece, options) + _notices(columns)
            elif number and piece.first_row == 0:
                check_same(piece.names, piece.file, first.names, label(files[0]))
            if len(piece.frame):
                found = tokens_of(piece, options, wanted, columns, stop, content.n_read)
                content.take(found, len(piece.frame))
    assert first is not None and columns is not None, "there is a piece"
    if not content.n_read:
        raise DataError(f"{shown} {'has' if len(files) == 1 else 'have'} a header but no row of data.")
    documents, more = _documents(content, columns, wanted, vocabulary, shown)
    return _data(documents, content, first, inputs, [*notices, *more], shown, files)


def _with_texts(options: ReadOptions, wanted: CorpusOptions) -> ReadOptions:
    """Names and texts are read as they are written."""
    texts = [name for name in (wanted.term, wanted.text) if name is not None]
    types = dict.fromkeys(texts, "categorical")
    return replace(options, id=wanted.document, types=types, may_lack_header=False)


def _terms_there(piece: Piece, vocabulary: Sequence[str]) -> tuple[str, ...]:
    there = set(piece.names)
    known = tuple(name for name in vocabulary if name in there)
    if not known:
        there_are = listed(piece.names)
        raise DataError(f"{piece.file} has none of the terms of the model as a column (columns: {there_are}).")
    return known


def _notices(columns: Columns) -> list[Notice]:
    notices = []
    if columns.guessed:
        message = f"documents are named by column {safe(str(columns.document))}; --exclude leaves it out"
        notices.append(Notice("documents_named", message))
    if columns.left_out:
        left = listed(columns.left_out)
        notices.append(Notice("columns_left_out", f"left out, holding text and no counts: {left}"))
    return notices


def _documents(
    content: _Content, columns: Columns, wanted: CorpusOptions, vocabulary: Sequence[str] | None, shown: str
) -> tuple[Documents, list[Notice]]:
    names, terms = list(content.documents), list(content.terms)
    rows, codes, counts = (np.concatenate(parts) for parts in zip(*content.cells, strict=True))
    order = sorted(terms) if vocabulary is None else list(vocabulary)
    place = {term: code for code, term in enumerate(order)}
    known = np.array([place.get(term, -1) for term in terms], np.intp)
    codes = known[codes] if len(terms) else codes
    strange = codes < 0
    unknown = Counter[str]()
    if strange.any():
        unknown[columns.document or "row"] = int(counts[strange].sum())
        rows, codes, counts = rows[~strange], codes[~strange], counts[~strange]
    rows, codes, counts, repeated = _added(rows, codes, counts, len(order))
    if not len(rows):
        raise DataError(f"{shown}: {_nothing(wanted, vocabulary)}")
    corpus, places = _canonical(rows, codes, counts, names, tuple(order))
    there = set(places.tolist())
    empty = {number: name for number, name in enumerate(names) if number not in there}
    notices = []
    if repeated and wanted.layout == LONG and wanted.count is not None:
        message = f"{plural(repeated, 'line')} of a document and term that had been there before: counts added"
        notices.append(Notice("lines_added", message))
    notices += _left_and_joined(content, columns, wanted)
    if empty:
        examples = listed(list(empty.values())[:3])
        message = f"{plural(len(empty), 'document')} without a token ({examples}{', …' if len(empty) > 3 else ''}): "
        notices.append(Notice("empty_documents", message + "not fitted, and without shares in documents.csv"))
    key = columns.document or "row"
    return Documents(corpus, places, empty, key, unknown, columns.document), notices


def _left_and_joined(content: _Content, columns: Columns, wanted: CorpusOptions) -> list[Notice]:
    """Columns of terms that never occur; rows of one document."""
    notices = []
    if never := [term for term in columns.terms if term not in content.terms]:
        notices.append(Notice("terms_left_out", f"left out, being zero everywhere: {listed(never)}"))
    if wanted.layout != LONG and (joined := content.n_read - len(content.documents)):
        message = f"{plural(joined, 'row')} of a document that had been there before: counts added"
        notices.append(Notice("documents_joined", message))
    return notices


def _nothing(wanted: CorpusOptions, vocabulary: Sequence[str] | None) -> str:
    if vocabulary is not None:
        return "no term of the model occurs. Are the documents of the same kind, and terms spelled alike?"
    if wanted.layout == TEXT:
        return f"column {quoted(str(wanted.text))} holds no word that is not left out."
    return "no document has a token: all counts are zero."


def _added(rows: Integers, codes: Integers, counts: Array, n_terms: int) -> tuple[Integers, Integers, Array, int]:
    """Cells in the order of documents and terms, those of one document and term added; and how many were."""
    keys = rows.astype(np.int64) * n_terms + codes
    distinct, where = np.unique(keys, return_inverse=True)
    added: Array = np.bincount(where, counts, len(distinct)).astype(np.float64)
    return (distinct // n_terms).astype(np.intp), (distinct % n_terms).astype(np.intp), added, len(keys) - len(distinct)


def _canonical(
    rows: Integers, codes: Integers, counts: Array, names: Sequence[str], terms: tuple[str, ...]
) -> tuple[Corpus, Integers]:
    """Documents by their numbers of terms and then what they hold, so that it does not matter in which they came."""
    numbers, first = np.unique(rows, return_index=True)
    bounds = np.append(first, len(rows))
    parts = [slice(*bounds[place : place + 2]) for place in range(len(numbers))]
    keys = [(codes[part].astype(">i8").tobytes(), counts[part].astype(">f8").tobytes()) for part in parts]
    order = sorted(range(len(numbers)), key=lambda at: (len(keys[at][0]), keys[at], names[int(numbers[at])]))
    lengths = np.diff(bounds)[order]
    cells = np.concatenate([np.arange(parts[place].start, parts[place].stop) for place in order])
    places = numbers[order]
    corpus = Corpus(
        tuple(names[place] for place in places.tolist()),
        terms,
        codes[cells],
        counts[cells],
        np.concatenate([[0], np.cumsum(lengths)]).astype(np.intp),
    )
    return corpus, places


def _data(
    documents: Documents,
    content: _Content,
    first: Piece,
    inputs: Sequence[InputFile],
    notices: Sequence[Notice],
    shown: str,
    files: Sequence[str],
) -> Data:
    corpus = documents.corpus
    terms = Schema((Column("term", "categorical", corpus.terms), Column("count", "count")))
    name = shown if len(files) > 1 else label(STDIN) if files[0] == STDIN else safe(Path(files[0]).name)
    return Data(
        name=name,
        source=corpus.source,
        schema=terms,
        rows=FittedRows.every(content.n_read),
        others=Others(np.empty((2, 0)), np.empty(0, np.intp)),
        n_rows_read=content.n_read,
        ids=None,
        id_name=documents.column,
        weights_name=None,
        total_weight=None,
        label_names=(),
        n_missing={},
        marks=None,
        spelled={},
        n_gappy=0,
        why={},
        notices=tuple(notices),
        layout={"columns": list(first.names)}
        | ({"delimiter": first.text.delimiter, "newline": first.text.raw.newline} if first.text else {}),
        inputs=tuple(inputs),
        data_sha256=digest(inputs),
        documents=documents,
    )


def documents_of(data: Data) -> Documents:
    assert data.documents is not None, "documents were read"
    return data.documents
