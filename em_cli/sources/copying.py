"""Files copied as they are written, but for what is changed in their rows."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from io import StringIO

from em_cli.errors import UsageError
from em_cli.sources.pieces import Piece
from em_cli.sources.records import records


@dataclass(slots=True)
class Copy:
    """One file made of several: the header once, every line ended, all in the manner of the first."""

    doing: str  # "complete", "label"
    first: Piece | None = None
    open_end: bool = False  # whether the last line is not ended yet

    def begins(self, piece: Piece) -> bool:
        """Whether what stands above the rows belongs into the copy; `UsageError` if the file is not like the first."""
        if self.first is None:
            self.first = piece
            return True
        if piece.names != self.first.names:
            self._refuse(piece, "has other columns than")
        if _manner(piece) != _manner(self.first):
            self._refuse(piece, "has another delimiter or encoding than")
        return False

    def _refuse(self, piece: Piece, how: str) -> None:
        first = self.first.file if self.first else ""
        raise UsageError(f"{piece.file} {how} {first}: {self.doing} one file at a time.")

    def written(self, piece: Piece, text: str, header: bool) -> bytes:
        """The text of a piece as bytes; with `header` it begins where the piece does, else below what is above."""
        if piece.text is None:
            return text.encode()
        raw = piece.text.raw
        data = raw.encoded(text, 0 if header else piece.text.above)
        if self.open_end and text:
            data = raw.newline.encode(raw.codec) + data
        if text:
            self.open_end = not text.endswith("\n")
        return raw.marks.encode(raw.codec) + data if header else data


def _manner(piece: Piece) -> tuple[str, str] | None:
    return None if piece.text is None else (piece.text.delimiter, piece.text.raw.codec)


def extended(piece: Piece, names: Sequence[str], cells: Sequence[Sequence[str]], header: bool) -> str:
    """The text of a piece with a cell more for each of these columns, in its header (if that is wanted) and its rows.

    They stand behind the last column, before blank fields and comments that may follow it.
    """
    if piece.text is None:
        frame = piece.frame.astype(object)
        for place, name in enumerate(names):
            frame[name] = [row[place] for row in cells]
        return str(frame.to_csv(index=False, header=header and piece.first_row == 0, lineterminator="\n"))
    text, width = piece.text, len(piece.names)
    lines, ends = text.raw.text.split("\n"), text.plain.text.split("\n")
    above = text.above
    last = above - 1 if above else len(lines) - 1 if not text.body.text else -1
    if header and text.headed and last >= 0:
        alike = [f'"{name}"' for name in names] if ends[last].endswith('"') else names
        lines[last] = _with(lines[last], ends[last], text.unnamed, text.delimiter, alike)
    found = records(text.body.text, text.delimiter, above, piece.file)
    for record, more in zip(found, cells, strict=True):
        line = record.end - 1
        own = [field(cell, text.delimiter) for cell in more]
        lines[line] = _with(lines[line], ends[line], len(record.fields) - width, text.delimiter, own)
    return "\n".join(lines if header else lines[above:])


def _with(line: str, plain: str, beyond: int, delimiter: str, cells: Sequence[str]) -> str:
    """A line with further cells, as they are written; `plain` is it without a comment, and ends in blank fields."""
    for _ in range(beyond):
        plain = plain[: plain.rindex(delimiter)]
    return plain + delimiter + delimiter.join(cells) + line[len(plain) :]


def field(text: str, delimiter: str) -> str:
    """A cell as it is written, quoted where that is needed."""
    if delimiter not in text and not any(mark in text for mark in '"\n\r '):
        return text
    buffer = StringIO()
    csv.writer(buffer, delimiter=delimiter, lineterminator="").writerow([text])
    return buffer.getvalue()
