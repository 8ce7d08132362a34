"""The rows of files, parted by what stands in a column, each as it is written."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from em_cli.errors import DataError
from em_cli.registry import did_you_mean
from em_cli.sources.files import expand
from em_cli.sources.pieces import Piece, pieces, texts_of
from em_cli.sources.quoting import quoted
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.records import records


@dataclass(slots=True)
class Parts:
    """The rows of each level, under the header of the first file."""

    column: str
    n_rows: dict[str, int] = field(default_factory=dict)  # of each level, in the order in which they come
    n_without: int = 0  # rows without a level
    names: tuple[str, ...] = ()

    def of(self, paths: Sequence[str], options: ReadOptions) -> Iterator[tuple[str, bytes]]:
        """Levels and what is to be added to their files, piece by piece; `DataError` if the column is not there."""
        for path in expand(paths):
            for piece in pieces(path, options):
                yield from self._of_piece(piece)

    def _of_piece(self, piece: Piece) -> Iterator[tuple[str, bytes]]:
        if self.column not in piece.names:
            raise DataError(f"{piece.file} has no column {quoted(self.column)}{did_you_mean(self.column, piece.names)}")
        if self.names and piece.names != self.names:
            raise DataError(f"{piece.file} has other columns than the first file: --by wants them alike.")
        self.names = piece.names
        levels = [text.strip() for text in texts_of(piece, self.column)]
        for level in dict.fromkeys(levels):
            places = [place for place, own in enumerate(levels) if own == level]
            if not level:
                self.n_without += len(places)
                continue
            yield level, _rows(piece, places, header=level not in self.n_rows)
            self.n_rows[level] = self.n_rows.get(level, 0) + len(places)


def rows_of(piece: Piece, places: Sequence[int]) -> Piece:
    """Some rows of a piece, in this order."""
    frame = piece.frame.iloc[list(places)].reset_index(drop=True)
    return replace(piece, frame=frame, find=lambda row, column: piece.find(places[row], column), text=None)


def _rows(piece: Piece, places: Sequence[int], header: bool) -> bytes:
    """Some rows of a piece, under its header if that is wanted."""
    if piece.text is None:
        return str(piece.frame.iloc[list(places)].to_csv(index=False, header=header, lineterminator="\n")).encode()
    text, raw, wanted = piece.text, piece.text.raw, set(places)
    lines, above = raw.text.split("\n"), piece.text.above
    found = enumerate(records(text.body.text, text.delimiter, above, piece.file))
    own = [line for place, record in found if place in wanted for line in lines[record.line : record.end]]
    head = lines[:above] if header else []
    written = raw.newline.join([*head, *own, ""])
    return (raw.marks + written if header else written).encode(raw.codec)
