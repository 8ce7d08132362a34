"""Data files as pieces of consecutive rows, in pandas frames, each as soon as it can be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd

from em_cli.errors import DataError
from em_cli.sources.decimals import Marks
from em_cli.sources.decoding import Lines, lines, lines_of
from em_cli.sources.files import COLUMNAR, Opened, opened
from em_cli.sources.frames import Found, frame_of_text, text_cell
from em_cli.sources.layout import Layout, layout
from em_cli.sources.quoting import quoted
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.records import after_lines, without_comments
from em_cli.sources.remote import suffix_of
from em_cli.sources.table import InputFile

OF_RANGES = ("utf-8", "ascii", "iso8859-1", "cp1252")  # encodings of which any part that is cut out can be read


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Consecutive rows of one file."""

    file: str  # as shown in messages
    names: tuple[str, ...]  # of all columns of the file
    frame: pd.DataFrame
    first_row: int  # data row of the file, from 0
    find: Callable[[int, str], Found] = field(repr=False)  # a cell as it stands in the file
    row_names: str | None = None  # the column of them, where the header has no name for it
    above: int = 0  # lines above the header, found to be no part of the table
    marks: Marks | None = None  # in numbers, found where nobody had said so
    text: Written | None = field(default=None, repr=False)  # None: the file holds no text
    share: float = 0.0  # of the rows of its file, where that holds no text


def texts_of(piece: Piece, name: str) -> list[str]:
    """The cells of a column as they are written; empty where they are missing."""
    cells = piece.frame[name]
    return [cell if isinstance(cell, str) else str(cell) for cell in cells.astype(object).where(cells.notna(), "")]


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """The text of a piece, and where its records are."""

    raw: Lines  # header, comments and all
    plain: Lines  # the same without comments
    body: Lines  # what of it follows the header
    delimiter: str
    headed: bool  # whether names of columns stand above the rows
    unnamed: int  # blank fields behind them

    @property
    def above(self) -> int:
        """How many lines stand above the rows."""
        return len(self.plain.text.split("\n")) - len(self.body.text.split("\n"))


@dataclass(frozen=True, slots=True, eq=False)
class Range:
    """The bytes of a piece below the header, which any process that sees the file can read."""

    path: str
    first: int  # byte
    n_bytes: int
    n_lines: int
    n_characters: int
    first_line: int
    codec: str
    shown: str
    layout: Layout
    options: ReadOptions

    def piece(self, first_row: int = 0) -> Piece:
        """Its rows, of which the first is that one of the file."""
        with Path(self.path).open("rb") as file:
            file.seek(self.first)
            raw = replace(lines_of(file.read(self.n_bytes).decode(self.codec), self.first_line), codec=self.codec)
        plain = raw
        if self.options.comment is not None:
            plain = replace(raw, text=without_comments(raw.text, self.options.comment))
        written = Written(raw, plain, plain, self.layout.delimiter, self.layout.headed, self.layout.unnamed)
        made = _text_piece(self.layout, first_row, self.shown, self.options, written)
        return _with_file(made, self.options.files, self.shown)


def pieces(path: str, options: ReadOptions, done: Callable[[InputFile], None] | None = None) -> Iterator[Piece]:
    """At least one piece, maybe without rows; `done` is told at the end what was read."""
    for part in pieces_or_ranges(path, options, done, ranges=False):
        assert isinstance(part, Piece), "no ranges are wanted"
        yield part


def pieces_or_ranges(
    path: str, options: ReadOptions, done: Callable[[InputFile], None] | None = None, ranges: bool = True
) -> Iterator[Piece | Range]:
    """The same; of a file of text that lies on the disk, the ranges of the pieces that follow the first rows."""
    with opened(path, options.spool) as file:
        if suffix_of(path) in COLUMNAR:
            found: Iterator[Piece | Range] = _columnar_pieces(file, path, options)
        else:
            place = file.place if ranges else None
            found = _text_pieces(file, options if place is None else options.for_others, place)
        for part in found:
            yield _with_file(part, options.files, file.label) if isinstance(part, Piece) else part
        if done is not None:
            done(file.measured())


def _with_file(piece: Piece, column: str | None, name: str) -> Piece:
    """The rows with a column for the name of their file, if one is asked for."""
    if column is None:
        return piece
    if column in piece.names:
        raise DataError(f"{name} has a column {quoted(column)} of its own: call that of --files by another name.")

    def find(row: int, asked: str) -> Found:
        return Found(None, name) if asked == column else piece.find(row, asked)

    frame = piece.frame.assign(**{column: pd.Series(name, piece.frame.index, dtype=str)})
    return replace(piece, names=(*piece.names, column), frame=frame, find=find)


def _text_pieces(file: Opened, options: ReadOptions, place: str | None) -> Iterator[Piece | Range]:
    found: Layout | None = None
    at = 0  # bytes that have been passed
    row, above = 0, Lines("", 1)  # lines without a record, which go with the next piece
    for piece in lines(file, options.encoding):
        if place is not None and piece.codec in OF_RANGES:
            first, n_bytes = at + len(piece.marks.encode(piece.codec)), piece.n_bytes
            at = first + n_bytes
            if found is not None and row:
                yield _range(place, first, n_bytes, piece, file.label, found, options)
                continue
        raw = piece.after(above) if above.text else piece
        plain = raw
        if options.comment is not None:
            plain = replace(raw, text=without_comments(raw.text, options.comment))
            piece = replace(piece, text=without_comments(piece.text, options.comment))
        if found is None:
            piece = _without_first(piece, (options.skip or 0) + 1 - piece.first_line)
            found = layout(piece, file.label, options)
            if found is None:
                above = raw
                continue
            options = options.with_row_names(found.row_names).with_marks(found.marks)
            if found.body_line is not None:
                rest = after_lines(piece.text, found.body_line - piece.first_line)
                piece = replace(piece, text=rest, first_line=found.body_line)
        written = Written(raw, plain, piece, found.delimiter, found.headed, found.unnamed)
        made = _text_piece(found, row, file.label, options, written)
        row, above = row + len(made.frame), Lines("", 1) if len(made.frame) else raw
        yield made
    if found is None:
        skipped = f" below the {options.skip:,} lines skipped" if options.skip else ""
        raise DataError(f"{file.label} is empty{skipped}: it holds neither a header nor data.")


def _range(path: str, first: int, n_bytes: int, piece: Lines, shown: str, found: Layout, options: ReadOptions) -> Range:
    n_lines, n_characters = piece.n_lines + 1, len(piece.text)
    place = str(Path(path).absolute())
    return Range(place, first, n_bytes, n_lines, n_characters, piece.first_line, piece.codec, shown, found, options)


def _without_first(piece: Lines, n: int) -> Lines:
    """The lines after the first n, or none if there are no more."""
    if n <= 0:
        return piece
    return replace(piece, text=after_lines(piece.text, n), first_line=piece.first_line + n)


def _text_piece(found: Layout, first_row: int, shown: str, options: ReadOptions, written: Written) -> Piece:
    text = written.body

    def find(row: int, column: str) -> Found:
        return text_cell(text, found, shown, row, column)

    frame = frame_of_text(text, found, shown, options)
    return Piece(shown, found.names, frame, first_row, find, found.row_names, found.above, found.marks, written)


def _columnar_pieces(file: Opened, path: str, options: ReadOptions) -> Iterator[Piece]:
    from em_cli.sources.columnar import columnar_frames

    row = 0
    for frame, share in columnar_frames(file, path, options):

        def find(row: int, column: str, frame: pd.DataFrame = frame) -> Found:
            return Found(None, str(frame[column].iloc[row]))

        yield Piece(file.label, tuple(frame.columns), frame, row, find, share=share)
        row += len(frame)
