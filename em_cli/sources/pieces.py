"""Data files as pieces of consecutive rows, in pandas frames, each as soon as it can be had."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from em_cli.errors import DataError
from em_cli.sources.files import Opened, opened
from em_cli.sources.frames import Found, frame_of_text, text_cell
from em_cli.sources.layout import Layout, layout
from em_cli.sources.options import ReadOptions
from em_cli.sources.records import after_lines, without_comments
from em_cli.sources.table import InputFile
from em_cli.sources.text import Lines, lines


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Consecutive rows of one file."""

    file: str  # as shown in messages
    names: tuple[str, ...]  # of all columns of the file
    frame: pd.DataFrame
    first_row: int  # data row of the file, from 0
    find: Callable[[int, str], Found] = field(repr=False)  # a cell as it stands in the file


def pieces(path: str, options: ReadOptions, done: Callable[[InputFile], None] | None = None) -> Iterator[Piece]:
    """At least one piece, maybe without rows; `done` is told at the end what was read."""
    with opened(path) as file:
        if Path(path).suffix.lower() in (".parquet", ".feather"):
            yield _columnar_piece(file, path, options)
        else:
            yield from _text_pieces(file, options)
        if done is not None:
            done(file.measured())


def _text_pieces(file: Opened, options: ReadOptions) -> Iterator[Piece]:
    found: Layout | None = None
    row = 0
    for piece in lines(file, options.encoding):
        if options.comment is not None:
            piece = Lines(without_comments(piece.text, options.comment), piece.first_line)
        if found is None:
            found = layout(piece, file.label, options)
            if found is None:
                continue
            if found.body_line is not None:
                rest = after_lines(piece.text, found.body_line - piece.first_line)
                piece = Lines(rest, found.body_line)
        made = _text_piece(piece, found, row, file.label, options)
        row += len(made.frame)
        yield made
    if found is None:
        raise DataError(f"{file.label} is empty: it holds neither a header nor data.")


def _text_piece(text: Lines, found: Layout, first_row: int, shown: str, options: ReadOptions) -> Piece:
    def find(row: int, column: str) -> Found:
        return text_cell(text, found, shown, row, column)

    return Piece(shown, found.names, frame_of_text(text, found, shown, options), first_row, find)


def _columnar_piece(file: Opened, path: str, options: ReadOptions) -> Piece:
    from em_cli.sources.columnar import read_columnar

    frame = read_columnar(file, Path(path).suffix.lower(), options)

    def find(row: int, column: str) -> Found:
        return Found(None, str(frame[column].iloc[row]))

    return Piece(file.label, tuple(frame.columns), frame, 0, find)
