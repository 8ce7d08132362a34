"""What is remembered of a piece of a file: its numbers, kept where rows are, and what may be asked of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from em_cli.engine.rows import Held
from em_cli.sources.examined import Cell, Examined, examine
from em_cli.sources.pieces import Piece, texts_of
from em_cli.sources.quoted_numbers import quotes_of
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.row_file import Keeper, lines_kept
from em_cli.sources.row_names import KeptTexts
from em_cli.sources.spellings import spelled_in, with_leading_zeros
from em_cli.sources.store import room
from em_cli.sources.weights import weights_of


@dataclass(frozen=True, slots=True, eq=False)
class Taken:
    """Consecutive rows of one file."""

    n_rows: int
    n_characters: int  # that they are written in; 0 where the file holds no text
    share: float  # of the rows of such a file
    columns: tuple[Examined, ...]
    names: KeptTexts | None  # of the rows
    weights: Held | None  # (n,)
    labels: Examined | None
    sequence: list[str] = field(default_factory=list)  # cells of the column that names sequences
    times: list[str] = field(default_factory=list)  # and of that of time
    spelled: dict[str, Counter[str]] = field(default_factory=dict)  # how missing cells are, by column
    leading_zeros: dict[str, Counter[int]] = field(default_factory=dict)  # cells with leading zeros, by their length
    quotes: dict[str, bool | None] = field(default_factory=dict)  # whether numbers are in quotes, where the file begins

    def below(self, n_rows: int) -> Taken:
        """The same, so many rows further down in its file, which does not begin here."""
        return replace(self, quotes={}, columns=tuple(_below(column, n_rows) for column in self.columns))


def take(piece: Piece, columns: Sequence[str], options: ReadOptions, rows: Keeper, names: Keeper) -> Taken:
    """The numbers of these columns go to one place, the names of rows to another.

    `DataError` if a cell is none that its column may hold.
    """
    found = [examine(piece, name, options) for name in columns]
    together = room(len(found), len(piece.frame))  # in one place, not amid the text
    for line, examined in zip(together, found, strict=True):
        line[:] = examined.values
    labels = None
    if options.labels is not None:
        labels = examine(piece, options.labels, replace(options, default_type="categorical"))
        labels = replace(labels, held=rows.keep(labels.values.copy(), passing=True))
    return Taken(
        len(piece.frame),
        len(piece.text.raw.text) if piece.text else 0,
        piece.share,
        tuple(replace(own, held=held) for own, held in zip(found, lines_kept(rows, together), strict=True)),
        None if options.id is None else KeptTexts.of(piece.frame[options.id].fillna("").tolist(), names),
        None if options.weights is None else rows.keep(weights_of(piece, options).copy(), passing=True),
        labels,
        [] if options.units is None else texts_of(piece, options.units),
        [] if options.order is None else texts_of(piece, options.order),
        spelled_in(piece, [name for name, own in zip(columns, found, strict=True) if own.n_missing], options),
        with_leading_zeros(piece, [name for name, own in zip(columns, found, strict=True) if own.texts is None]),
        quotes_of(piece, options),
    )


def after(own: Examined, earlier: Examined) -> Examined:
    """A column of a piece, with the first cells of their kind in all pieces up to it."""
    return replace(
        own,
        missing=earlier.missing or own.missing,
        text=earlier.text or own.text,
        infinite=earlier.infinite or own.infinite,
        impossible=earlier.impossible or own.impossible,
    )


def _below(own: Examined, n_rows: int) -> Examined:
    cells = own.missing, own.text, own.infinite, own.impossible
    missing, text, infinite, impossible = (_cell_below(cell, n_rows) for cell in cells)
    return replace(own, missing=missing, text=text, infinite=infinite, impossible=impossible)


def _cell_below(cell: Cell | None, n_rows: int) -> Cell | None:
    return None if cell is None else replace(cell, row=cell.row + n_rows)
