"""Whole data files, ready to be fitted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.errors import DataError
from em_cli.printable import safe
from em_cli.sources.candidates import candidates, check_same
from em_cli.sources.column_types import decide, levels_of, remarks, values_of
from em_cli.sources.dress import WORD_FOR_NOTHING, undress
from em_cli.sources.examined import Examined, examine
from em_cli.sources.files import digest, expand, label
from em_cli.sources.identifiers import leave_out_identifiers
from em_cli.sources.in_memory import InMemory
from em_cli.sources.memory_check import Room
from em_cli.sources.options import ReadOptions
from em_cli.sources.pieces import Piece, Written, pieces, texts_of
from em_cli.sources.quoting import quoted
from em_cli.sources.redundant import leave_out_redundant
from em_cli.sources.schema import Schema
from em_cli.sources.sequences import Sequences, check_weights_of_sequences, groups_of, sequences_of
from em_cli.sources.spellings import UNTOLD, spelled, with_noughts
from em_cli.sources.spool import STDIN
from em_cli.sources.table import Data, InputFile, Notice, Others
from em_cli.sources.usable import check_spread, id_notice, looks_like_id, notices_of_header, usable_rows
from em_cli.sources.weights import check_weights, weights_of


@dataclass(slots=True)
class _Content:
    """What files hold, column by column, piece by piece."""

    options: ReadOptions  # with what the header says of the names of rows
    names: tuple[str, ...] = ()  # of all columns
    written: Written | None = None  # the first piece, where the file is text
    parts: dict[str, list[Examined]] = field(default_factory=dict)
    ids: list[str] | None = None
    weights: list[Array] = field(default_factory=list)
    labels: list[Examined] = field(default_factory=list)
    sequence: list[str] = field(default_factory=list)  # cells of the column that names sequences
    times: list[str] = field(default_factory=list)  # and of that of time
    spelled: dict[str, Counter[str]] = field(default_factory=dict)  # how missing cells are, by column
    noughts: set[str] = field(default_factory=set)  # columns of numbers that are written with noughts in front
    inputs: list[InputFile] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)  # of the header
    n_read: int = 0  # rows
    last: Piece | None = None  # that has any

    def begin(self, piece: Piece) -> None:
        """What the header of the first file says."""
        self.names, self.written = piece.names, piece.text
        self.options = self.options.with_row_names(piece.row_names)
        self.ids = None if self.options.id is None else []
        self.notices = notices_of_header(piece)
        self.parts = {name: [] for name in candidates(piece.names, piece.file, self.options)}

    def take(self, piece: Piece) -> None:
        """The next rows."""
        options = self.options
        found = [examine(piece, name, options, column[-1] if column else None) for name, column in self.parts.items()]
        gappy = [name for name, column in zip(self.parts, found, strict=True) if column.n_missing]
        for gap, counts in spelled(piece, gappy, options).items():
            self.spelled.setdefault(gap, Counter()).update(counts)
        numbers = [name for name, column in zip(self.parts, found, strict=True) if column.texts is None]
        self.noughts.update(with_noughts(piece, numbers))
        together = np.array([column.values for column in found])  # in one place, not amid the text
        for column, examined, values in zip(self.parts.values(), found, together, strict=True):
            column.append(replace(examined, values=values))
        if self.ids is not None:
            self.ids += piece.frame[options.id].fillna("").tolist()
        if options.weights is not None:
            self.weights.append(weights_of(piece, options))
        if options.labels is not None:
            self.labels.append(examine(piece, options.labels, replace(options, default_type="categorical")))
        for cells, name in ((self.sequence, options.units), (self.times, options.order)):
            if name is not None:
                cells += texts_of(piece, name)
        self.n_read += len(piece.frame)
        self.last = piece if len(piece.frame) else self.last

    def place_of_last(self) -> str:
        """Of the last row."""
        assert self.last is not None, "there are rows"
        line = self.last.find(len(self.last.frame) - 1, self.last.names[0]).line
        return f"row {self.n_read:,}" + (f", line {line:,}" if line is not None else "")

    def sequences(self, shown: str, usable: Flags) -> Sequences | None:
        """Of the rows, where they follow each other in time; or their groups, of those that can be used."""
        options = self.options
        if options.group is not None:
            rows = np.flatnonzero(usable)
            return groups_of([self.sequence[row] for row in rows.tolist()], rows, shown, options.group)
        if not options.sequential:
            return None
        names = None if options.sequence is None else self.sequence
        return sequences_of(self.n_read, names, None if options.order is None else self.times, shown, options)


def _content(files: Sequence[str], shown: str, options: ReadOptions) -> _Content:
    """All files, which must have the same columns and some row."""
    content = _Content(options)
    room = Room(files, options.id is not None)
    for number, path in enumerate(files):
        for piece in pieces(path, options, content.inputs.append):
            if not content.names:
                content.begin(piece)
            elif number and piece.first_row == 0:
                check_same(piece.names, piece.file, content.names, label(files[0]))
            content.take(piece)
            room.check(piece, len(content.parts), shown)
    if not content.n_read:
        raise DataError(f"{shown} {'has' if len(files) == 1 else 'have'} a header but no row of data.")
    return content


def read(paths: Sequence[str], options: ReadOptions) -> Data:
    """All rows of the files, stacked by column name; `DataError` says what stands in the way."""
    files = expand(paths)
    shown = label(files[0]) if len(files) == 1 else f"{len(files)} files"
    content = _content(files, shown, options)
    names, written, parts, ids, options = content.names, content.written, content.parts, content.ids, content.options
    labels, inputs, n_read, found_in_file = content.labels, content.inputs, content.n_read, content.notices
    marks = undress(parts, options, found_in_file)
    decided = decide(parts, shown, options)
    numbering = leave_out_identifiers(decided, parts, options)
    leave_out_redundant(decided, parts, options)
    decided.notices += remarks(decided.columns, parts, options, content.noughts, content.place_of_last)
    schema = Schema(tuple(decided.columns)).with_together(options.together).with_last(options.last)
    usable, n_missing, missing = usable_rows(parts, schema.names, n_read, shown, options)
    sequences = content.sequences(shown, usable)
    weight = _checked_weights(content, sequences, usable, shown)
    fitted = usable if weight is None else usable & (weight > 0)
    aside = ~fitted if options.missing == "model" else usable & ~fitted
    whole = bool(fitted.all())
    x, others = np.empty((len(schema.columns), int(fitted.sum()))), np.empty((len(schema.columns), int(aside.sum())))
    id_like: list[str] = []
    for row, fitted_column in enumerate(schema.columns):
        name, levels = fitted_column.name, fitted_column.levels
        values = values_of(parts.pop(name), levels, x[row] if whole else None)
        if name not in options.named and not levels and looks_like_id(name, values):
            id_like.append(name)
        if not whole:
            np.compress(fitted, values, out=x[row])
            np.compress(aside, values, out=others[row])
    check_spread(x, schema, shown, options)
    label_names = levels_of(labels)
    known = np.nan_to_num(values_of(labels, label_names, None), nan=-1.0).astype(np.intp) if labels else None
    if known is not None and not label_names:
        raise DataError(f"{shown}: column {quoted(str(options.labels))} is empty: no component is known of any row.")
    weight = None if weight is None else _scaled(weight[fitted], options)
    of_rows = x, weight, None if known is None else known[fitted]
    return Data(
        name=_short_name(files),
        source=InMemory(*of_rows) if sequences is None else sequences.source(*of_rows, options.group is not None),
        schema=schema,
        rows=np.flatnonzero(fitted),
        others=Others(others, np.flatnonzero(aside)),
        n_rows_read=n_read,
        ids=numbering[1] if numbering else ids,
        id_name=numbering[0] if numbering else options.id,
        weights_name=options.weights,
        total_weight=None if weight is None else float(weight.sum()),
        label_names=label_names,
        n_missing=n_missing,
        thousands=marks,
        spelled=_spellings(content.spelled, n_missing),
        n_gappy=int(np.isnan(x).any(axis=1).sum()) if n_missing and options.missing == "model" else 0,
        why=decided.why,
        notices=(*found_in_file, *decided.notices, *missing, *id_notice(id_like)),
        layout={"columns": list(names)}
        | ({"delimiter": written.delimiter, "newline": written.raw.newline} if written else {}),
        inputs=tuple(inputs),
        data_sha256=digest(inputs),
        sequences=sequences,
    )


def _spellings(found: Mapping[str, Counter[str]], n_missing: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """How missing cells of the fitted columns are spelled; those that no frame took for missing are the word None."""
    spellings: dict[str, dict[str, int]] = {}
    for name, n in n_missing.items():
        counts = Counter(found.get(name, {}))
        counts[WORD_FOR_NOTHING] += n - counts.total()
        spellings[name] = {text: times for text, times in counts.most_common() if times > 0 and text != UNTOLD}
    return {name: own for name, own in spellings.items() if own}


def _checked_weights(content: _Content, sequences: Sequences | None, usable: Flags, shown: str) -> Array | None:
    """(n,) those of all rows."""
    name = content.options.weights
    if name is None:
        return None
    weights = np.concatenate(content.weights)
    check_weights(weights, name, shown)
    if sequences is not None:
        noun = "sequence" if content.options.group is None else "group"
        check_weights_of_sequences(weights[usable], sequences, np.flatnonzero(usable), name, shown, noun)
    return weights


def _scaled(weights: Array, options: ReadOptions) -> Array:
    """The weights of the rows fitted, as they count."""
    return weights * (len(weights) / weights.sum()) if options.mean_weight_one else weights


def _short_name(files: Sequence[str]) -> str:
    if len(files) > 1:
        return f"{len(files)} files"
    return label(STDIN) if files[0] == STDIN else safe(Path(files[0]).name)
