"""Data with the component and its probability beside every row, else as they were written."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from em_cli.engine.arrays import Integers
from em_cli.errors import DataError
from em_cli.options import ReadingOptions
from em_cli.outputs.document import Scored
from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.tables import LABELS, NO_LABEL, Label, labels_of
from em_cli.printable import safe, say
from em_cli.runs.fitted_rows import scored_rows
from em_cli.runs.remembered import as_fitted
from em_cli.runs.row_scores import chunks_for, sequences_for
from em_cli.sources.copying import Copy, extended
from em_cli.sources.files import digest, expand
from em_cli.sources.pieces import Piece, pieces
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.table import Data, InputFile


@dataclass(slots=True)
class _Labelled:
    """The copy on its way."""

    decimal: str  # of the data, unless a file is found to have another
    names: Label = LABELS  # of the columns added
    copy: Copy = field(default_factory=lambda: Copy("label"))

    def piece(self, piece: Piece, labels: Sequence[Label]) -> bytes:
        """A piece of the data, as it is in the copy."""
        header = self.copy.begins(piece)
        if header:
            self.names = _free(piece.names)
        if piece.marks is not None:
            self.decimal = piece.marks.decimal
        if self.decimal != ".":
            labels = [(component, probability.replace(".", self.decimal)) for component, probability in labels]
        return self.copy.written(piece, extended(piece, self.names, labels, header), header)


def _free(taken: Sequence[str]) -> tuple[str, str]:
    """The names of the columns to be added: with a number where the data have such names already."""
    component, probability = LABELS
    number, names = 1, LABELS
    while set(names) & set(taken):
        number += 1
        names = f"{component}_{number}", f"{probability}_{number}"
    if number > 1:
        there = next(name for name in LABELS if name in taken)
        say(f"the data have a column {there!r}: those added are {names[0]} and {names[1]}.")
    return names


def labelled_rows(loaded: LoadedModel, paths: Sequence[str], reading: ReadingOptions) -> Iterator[bytes]:
    """Files with their rows labelled by a model, piece by piece as the rows come."""
    copy = _Labelled(as_fitted(loaded, reading).decimal or ".")
    if loaded.sequential:
        found = sequences_for(loaded, paths, reading)
        labels = labels_of(found.scores, loaded.model.n_components)
        every = _placed(labels, found.whole.rows, found.whole.n_rows)
        for chunk in found.chunks:
            yield copy.piece(chunk.piece, every[chunk.first_row : chunk.first_row + chunk.n_rows])
        return
    for chunk in chunks_for(loaded, paths, reading):
        labels = labels_of(loaded.score(chunk.x), loaded.model.n_components)
        yield copy.piece(chunk.piece, _placed(labels, chunk.rows, chunk.n_rows))


def _placed(labels: list[Label], rows: Integers, n_rows: int) -> list[Label]:
    """The labels where their rows are; none of others."""
    if len(labels) == n_rows:
        return labels
    every = [NO_LABEL] * n_rows
    for row, label in zip(rows.tolist(), labels, strict=True):
        every[row] = label
    return every


def labels_of_fit(result: Scored, data: Data) -> Iterator[Label]:
    """The label of each row that was read, in its order."""
    n_components, row = result.loaded.model.n_components, 0
    for rows, scores in scored_rows(result, data):
        for place, label in zip(rows.tolist(), labels_of(scores, n_components), strict=True):
            yield from (NO_LABEL for _ in range(place - row))
            yield label
            row = place + 1
    yield from (NO_LABEL for _ in range(data.n_rows_read - row))


def labels_in(lines: Iterable[bytes]) -> Iterator[Label]:
    """The same, as responsibilities.csv has them."""
    rows = csv.reader(str(line, "utf-8") for line in lines)
    header = next(rows)
    first, last = header.index("component"), header.index("log_density")
    for row in rows:
        known = row[first] != ""
        yield (row[first], repr(max(map(float, row[first + 1 : last])))) if known else NO_LABEL


def data_labelled(
    labels: Iterable[Label], paths: Sequence[str], options: ReadOptions, data_sha256: str
) -> Iterator[bytes]:
    """The data of a run with these labels; they are read again, and must be what they were."""
    copy, rest, inputs = _Labelled(options.decimal), iter(labels), list[InputFile]()
    for path in expand(paths):
        for piece in pieces(path, options, inputs.append):
            own = list(islice(rest, len(piece.frame)))
            if len(own) < len(piece.frame):
                raise _changed(piece.file)
            yield copy.piece(piece, own)
    if digest(inputs) != data_sha256:
        raise _changed(inputs[0].name if len(inputs) == 1 else f"one of {len(inputs)} files")


def _changed(file: str) -> DataError:
    return DataError(f"{safe(file)} has changed while the run went on: its rows cannot be labelled.")
