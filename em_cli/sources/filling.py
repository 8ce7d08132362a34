"""A piece of a data file with missing cells filled, everything else as it stands there."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.sources.copying import field
from em_cli.sources.pieces import Piece, Written
from em_cli.sources.records import records
from em_cli.sources.schema import Column

Cells = Mapping[int, Mapping[str, str]]  # by row of the piece and column


def missing_cells(piece: Piece, columns: list[Column]) -> Array:
    """Which cells (D, n) of these columns are missing; one whose level is unknown is not."""
    return np.array([piece.frame[column.name].isna().to_numpy(dtype=bool) for column in columns])


def cell_text(column: Column, value: float, decimal: str) -> str:
    """A value as a cell of its column."""
    (cell,) = column.cells(np.array([value]))
    return repr(cell).replace(".", decimal) if isinstance(cell, float) else str(cell)


def filled(piece: Piece, cells: Cells, header: bool) -> str:
    """The text of the piece; with what stands above the rows, if that is wanted and here."""
    if piece.text is None:
        frame = piece.frame.astype(object)
        for row, values in cells.items():
            for name, text in values.items():
                frame.loc[row, name] = text
        return str(frame.to_csv(index=False, header=header and piece.first_row == 0, lineterminator="\n"))
    return _filled_text(piece, piece.text, cells, header)


def _filled_text(piece: Piece, text: Written, cells: Cells, header: bool) -> str:
    above = text.above
    if not cells and (header or not above):
        return text.raw.text
    lines, own = _lines(text.raw.text), _lines(text.plain.text)
    places = {name: place for place, name in enumerate(piece.names)}
    for row, record in enumerate(records(text.body.text, text.delimiter, above, piece.file)):
        if row not in cells:
            continue
        whole = "".join(own[record.line : record.end])
        fields = split(whole.rstrip("\n"), text.delimiter)
        for name, value in cells[row].items():
            fields[places[name]] = field(value, text.delimiter)
        lines[record.line] = text.delimiter.join(fields) + "\n" * whole.endswith("\n")
        for line in range(record.line + 1, record.end):
            lines[line] = ""
    return "".join(lines if header else lines[above:])


def _lines(text: str) -> list[str]:
    """With their ends; other characters that end a line on a screen are parts of cells."""
    *ended, last = text.split("\n")
    return [*(f"{line}\n" for line in ended), *([last] if last else [])]


def split(record: str, delimiter: str) -> list[str]:
    """The fields of a record as they are written, quotes and blanks included."""
    fields, start, at = list[str](), 0, 0
    while at < len(record):
        if record[at] == '"' and not record[start:at].strip():
            at = _end_of_quoted(record, at)
        elif record[at] == delimiter:
            fields.append(record[start:at])
            at = start = at + 1
        else:
            at += 1
    return [*fields, record[start:]]


def _end_of_quoted(record: str, at: int) -> int:
    """The place after the quote that closes the field opened here."""
    while True:
        at = record.find('"', at + 1)
        if at < 0:
            return len(record)
        if record[at + 1 : at + 2] != '"':
            return at + 1
        at += 1
