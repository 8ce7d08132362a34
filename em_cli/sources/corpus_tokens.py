"""The tokens of one piece of a file, by document and term."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.errors import DataError
from em_cli.sources.candidates import candidates
from em_cli.sources.column_facts import facts_of
from em_cli.sources.corpus_options import LONG, TEXT, CorpusOptions
from em_cli.sources.examined import examine
from em_cli.sources.pieces import Piece, texts_of
from em_cli.sources.quoting import argument, quoted, unknown_column
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.text_types import mostly_numbers
from em_cli.sources.text_words import words_of
from em_cli.sources.usable import looks_like_id

MOST = 2**53  # tokens of a cell, that can be counted


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """Cells of a piece: how often which term occurs in which document; and all documents, empty ones included."""

    documents: list[str]  # of every row
    rows: Integers  # (n,) the row of each cell
    terms: Integers  # (n,) its place among the names of terms
    names: Sequence[str]  # of terms
    counts: Array  # (n,)


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of a file are, as its first rows show."""

    document: str | None  # names of documents; None: rows are numbered
    terms: tuple[str, ...]  # of a wide table
    left_out: tuple[str, ...]
    guessed: bool  # whether nobody said which column names the documents


def columns_of(piece: Piece, options: ReadOptions, wanted: CorpusOptions) -> Columns:
    """`DataError` if there are no such columns."""
    for name in (wanted.document, wanted.term, wanted.count, wanted.text):
        if name is not None and name not in piece.names:
            raise DataError(unknown_column(name, piece.file, piece.names))
    named = wanted.document or options.id or piece.row_names
    if wanted.layout != LONG and wanted.layout != TEXT:
        return _wide(piece, options, named)
    if wanted.layout == LONG and wanted.count is None:
        _check_uncounted(piece, options, wanted)
    return Columns(named, (), (), False)


def _wide(piece: Piece, options: ReadOptions, named: str | None) -> Columns:
    found = [name for name in candidates(piece.names, piece.file, options) if name != named]
    asked, texts, empty, numbers = options.columns or (), list[str](), list[str](), list[str]()
    for name in found:
        examined = examine(piece, name, options)
        of_text = examined.n_text > 0 and not mostly_numbers([examined])
        blank = examined.n_missing == len(examined.values)
        (numbers if name in asked else empty if blank else texts if of_text else numbers).append(name)
    guess = next(iter(texts), None)
    if named is None and guess is not None:
        _check_guess(piece, guess)
    if named is None and guess is None and numbers and not asked:
        first = examine(piece, numbers[0], options)
        if not first.n_text and looks_like_id(numbers[0], facts_of([first.values])) and len(numbers) > 1:
            guess = numbers.pop(0)
    if not numbers:
        raise DataError(
            f"{piece.file} has no column of counts. If its lines are documents and terms, name them with --document "
            "and --term; if a column holds text, with --text."
        )
    document = named or guess
    left = tuple(name for name in found if name in (*texts, *empty) and name != document)
    return Columns(document, tuple(numbers), left, named is None and guess is not None)


def _check_guess(piece: Piece, name: str) -> None:
    """`DataError` if a column of text that nobody named has cells that come again: they may be no names."""
    cells = piece.frame[name].dropna().astype(str).str.strip()
    if cells.duplicated().any():
        again = cells[cells.duplicated()].iloc[0]
        raise DataError(
            f"{piece.file}: does column {quoted(name)} name documents? {quoted(again)} stands in several rows. "
            f"--document {argument(name)} adds up the counts of such rows; --exclude {argument(name)} takes each row "
            "for a document."
        )


def _check_uncounted(piece: Piece, options: ReadOptions, wanted: CorpusOptions) -> None:
    """Without --count each line is a token; refused where a column might be meant for the counts."""
    for name in candidates(piece.names, piece.file, options):
        if name in (wanted.document, wanted.term):
            continue
        examined = examine(piece, name, options)
        if not examined.n_text and not examined.n_missing and bool((examined.values >= 0).all()):
            raise DataError(
                f"{piece.file}: is column {quoted(name)} the counts? Then name it with --count {argument(name)}; "
                f"else leave it out with --exclude {argument(name)}: every line counts once then."
            )


def tokens_of(
    piece: Piece, options: ReadOptions, wanted: CorpusOptions, columns: Columns, stop: frozenset[str], numbered: int
) -> Found:
    """Of one piece; rows without names of documents are numbered on from `numbered`."""
    n = len(piece.frame)
    if columns.document is None:
        documents = [str(numbered + row + 1) for row in range(n)]
    else:
        documents = _names(piece, columns.document, "document")
    if wanted.layout == TEXT and wanted.text is not None:
        return _of_text(piece, wanted.text, documents, stop)
    if wanted.layout == LONG and wanted.term is not None:
        return _of_lines(piece, options, wanted, documents, stop)
    return _of_table(piece, options, columns, documents)


def _names(piece: Piece, column: str, what: str) -> list[str]:
    """The cells as they are written, NA being a word like any other; `DataError` for a blank one."""
    texts = [text.strip() for text in texts_of(piece, column)]
    for row, text in enumerate(texts):
        if text:
            continue
        texts[row] = piece.find(row, column).text.strip()
        if not texts[row]:
            raise DataError(
                f"{_place(piece, row, column)}: the cell is blank: of which {what} is the line? Fill it in, or leave "
                "the line out."
            )
    return texts


def _of_text(piece: Piece, column: str, documents: list[str], stop: frozenset[str]) -> Found:
    rows, terms = list[int](), list[int]()
    places: dict[str, int] = {}
    for row, text in enumerate(texts_of(piece, column)):
        for word in words_of(text, stop):
            rows.append(row)
            terms.append(places.setdefault(word, len(places)))
    return Found(
        documents, np.array(rows, np.intp), np.array(terms, np.intp), list(places), np.ones(len(rows), np.float64)
    )


def _of_lines(
    piece: Piece, options: ReadOptions, wanted: CorpusOptions, documents: list[str], stop: frozenset[str]
) -> Found:
    assert wanted.term is not None, "it is a table of documents and terms"
    codes, names = pd.factorize(np.array(_names(piece, wanted.term, "term"), dtype=object))
    counts = np.ones(len(documents)) if wanted.count is None else counts_in(piece, wanted.count, options, counted=True)
    stopped = np.array([name.lower() in stop for name in names], np.bool_)
    kept = np.flatnonzero((counts > 0) & ~stopped[codes]) if len(names) else np.empty(0, np.intp)
    return Found(documents, kept, codes[kept].astype(np.intp), list(map(str, names)), counts[kept])


def _of_table(piece: Piece, options: ReadOptions, columns: Columns, documents: list[str]) -> Found:
    rows, terms, counts = list[Integers](), list[Integers](), list[Array]()
    for place, name in enumerate(columns.terms):
        values = counts_in(piece, name, options)
        there = np.flatnonzero(values)
        rows.append(there)
        terms.append(np.full(len(there), place, np.intp))
        counts.append(values[there])
    return Found(documents, np.concatenate(rows), np.concatenate(terms), columns.terms, np.concatenate(counts))


def counts_in(piece: Piece, name: str, options: ReadOptions, counted: bool = False) -> Array:
    """(n,) whole numbers, zero or more; `DataError` with row and remedy if one is not.

    `counted` is whether the column was named as that of the counts, and cannot be left out.
    """
    examined = examine(piece, name, options)
    if examined.texts is not None and (examined.n_text or examined.n_missing < len(examined.values)):
        assert examined.text is not None, "there is one"
        other = "" if counted else f", or leave the column out by --exclude {argument(name)}"
        raise DataError(
            f"{piece.file}, {examined.text.row_and_line}, column {quoted(name)}: {quoted(examined.text.text)} is no "
            f"count. Correct the cell{other}."
        )
    values = np.full(len(piece.frame), np.nan) if examined.texts is not None else examined.values
    if np.isnan(values).any():
        row = int(np.isnan(values).argmax())
        raise DataError(
            f"{_place(piece, row, name)}: the cell is empty, and it cannot be told how often the term occurs. "
            "Write 0 where it does not; topics have no missing cells."
        )
    wrong: Flags = (values < 0) | (values != np.floor(values)) | (values > MOST)
    if wrong.any():
        row = int(wrong.argmax())
        hint = "" if values[row] < 0 else " tf-idf weights and shares are none: give the counts that they are of."
        raise DataError(
            f"{_place(piece, row, name)}: {values[row]:.6g} is no count, which is a whole number from 0.{hint}"
        )
    return values


def _place(piece: Piece, row: int, name: str) -> str:
    line = piece.find(row, name).line
    where = f"row {piece.first_row + row + 1:,}" + (f" (line {line:,})" if line is not None else "")
    return f"{piece.file}, {where}, column {quoted(name)}"
