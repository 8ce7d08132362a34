"""Whole data files, ready to be fitted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import numpy as np

from em_cli import memory
from em_cli.engine.arrays import Array, Integers
from em_cli.engine.events import STORING, PhaseStarted, RowsRead, ignore
from em_cli.engine.rows import Held, Here, joined
from em_cli.errors import DataError
from em_cli.printable import safe
from em_cli.sources.alleles import read_alleles
from em_cli.sources.awaited import Awaited
from em_cli.sources.candidates import candidates, check_same
from em_cli.sources.codes import length_of_codes, take_codes
from em_cli.sources.column_facts import Parts
from em_cli.sources.column_types import decide, remarks, values_of
from em_cli.sources.decimals import Marks
from em_cli.sources.dress import undress
from em_cli.sources.elsewhere import by_others, reads_for
from em_cli.sources.examined import Examined
from em_cli.sources.files import digest, expand, label
from em_cli.sources.identifiers import leave_out_identifiers
from em_cli.sources.in_memory import InMemory
from em_cli.sources.memory_check import Room
from em_cli.sources.pieces import Piece, Range, Written, pieces_or_ranges
from em_cli.sources.quoted_numbers import take_quoted
from em_cli.sources.quoting import quoted
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.redundant import leave_out_redundant
from em_cli.sources.remote import path_in
from em_cli.sources.row_blocks import Blocks, Filling
from em_cli.sources.row_names import RowNames
from em_cli.sources.schema import Schema
from em_cli.sources.sequences import Sequences, check_weights_of_sequences, groups_of, sequences_of
from em_cli.sources.spellings import UNTOLD, maybe_levels
from em_cli.sources.spool import STDIN
from em_cli.sources.store import Store
from em_cli.sources.table import Data, InputFile, Notice, Others
from em_cli.sources.taken import Taken, after, take
from em_cli.sources.text_types import levels_of
from em_cli.sources.usable import Usable, check_spread, id_notices, looks_like_id, notices_of_header, usable_rows

GONE = Here(np.empty(0))


@dataclass(slots=True)
class _Content:
    """What files hold, column by column, piece by piece."""

    options: ReadOptions  # with what the header says of the names of rows
    store: Store  # where the rows are kept
    awaited: Awaited | None = None  # of which the first rows are read alone
    names: tuple[str, ...] = ()  # of all columns
    marks: Marks | None = None  # in numbers, found where nobody had said so
    written: Written | None = None  # the first piece, where the file is text
    parts: Parts = field(default_factory=Parts)
    ids: RowNames | None = None
    weights: list[Held] = field(default_factory=list)  # of each piece
    labels: list[Examined] = field(default_factory=list)
    sequence: list[str] = field(default_factory=list)  # cells of the column that names sequences
    times: list[str] = field(default_factory=list)  # and of that of time
    spelled: dict[str, Counter[str]] = field(default_factory=dict)  # how missing cells are, by column
    leading_zeros: dict[str, Counter[int]] = field(default_factory=dict)  # cells with leading zeros, by their length
    quotes: dict[str, set[bool | None]] = field(default_factory=dict)  # whether numbers are in quotes, file by file
    inputs: list[InputFile] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)  # of the header
    n_read: int = 0  # rows
    last: Piece | Range | None = None  # that has any

    def begin(self, piece: Piece) -> None:
        """What the header of the first file says."""
        self.names, self.written = piece.names, piece.text
        self.options, self.marks = self.options.with_row_names(piece.row_names).with_marks(piece.marks), piece.marks
        self.ids = None if self.options.id is None else RowNames(self.store, self.options.id)
        self.notices = notices_of_header(piece, self.options)
        self.parts = Parts(candidates(piece.names, piece.file, self.options))

    def take(self, piece: Piece) -> Taken:
        """What there is in the next rows."""
        return take(piece, tuple(self.parts), self.options, self.store, self.store)

    def add(self, part: Piece | Range, taken: Taken) -> None:
        """The next rows."""
        for gap, counts in taken.spelled.items():
            self.spelled.setdefault(gap, Counter()).update(counts)
        for number, lengths in taken.leading_zeros.items():
            self.leading_zeros.setdefault(number, Counter()).update(lengths)
        for name, own in taken.quotes.items():
            self.quotes.setdefault(name, set()).add(own)
        for column, examined in zip(self.parts.values(), taken.columns, strict=True):
            column.append(after(examined, column[-1]) if column else examined)
        if self.ids is not None and taken.names is not None:
            self.ids.add(taken.names)
        if taken.weights is not None:
            self.weights.append(taken.weights)
        if taken.labels is not None:
            self.labels.append(taken.labels)
        self.sequence += taken.sequence
        self.times += taken.times
        self.n_read += taken.n_rows
        self.last = part if taken.n_rows else self.last

    @property
    def watched(self) -> ReadOptions:
        """How the columns are looked at; of those in one piece there is nothing to tell on the way."""
        pieces = max(map(len, self.parts.values()), default=0)
        return self.options if pieces > 1 else replace(self.options, observe=ignore)

    def codes(self, options: ReadOptions) -> tuple[dict[str, int], dict[str, tuple[str, str]]]:
        """Columns with leading zeros, which stand as texts from now on, and the types of those in quotes."""
        codes = take_codes(self.parts, self.leading_zeros, options)
        return codes, take_quoted(self.parts, self.quotes, options, self.notices)

    def numbered_by(self, name: str) -> RowNames:
        """Row names that are the numbers of a column, as they are written."""
        digits = length_of_codes(self.leading_zeros.get(name, Counter()), name, self.parts)
        return RowNames(self.store, name, digits or 0)

    def place_of_last(self) -> str:
        """Of the last row."""
        assert self.last is not None, "there are rows"
        last = self.last if isinstance(self.last, Piece) else self.last.piece()
        line = last.find(len(last.frame) - 1, last.names[0]).line
        return f"row {self.n_read:,}" + (f", line {line:,}" if line is not None else "")

    def sequences(self, shown: str, usable: Usable) -> Sequences | None:
        """Of the rows, where they follow each other in time; or their groups, of those that can be used."""
        options = self.options
        if options.group is not None:
            rows = np.flatnonzero(np.concatenate([usable.of(piece) for piece in range(usable.n_pieces)]))
            return groups_of([self.sequence[row] for row in rows.tolist()], rows, shown, options.group)
        if not options.sequential:
            return None
        names = None if options.sequence is None else self.sequence
        return sequences_of(self.n_read, names, None if options.order is None else self.times, shown, options)


def _content(files: Sequence[str], shown: str, options: ReadOptions, awaited: Awaited | None) -> _Content:
    """All files, which must have the same columns and some row."""
    store = options.store or Store()
    together = options.sequential or options.group is not None
    content = _Content(options, store.in_memory() if together else store, awaited)
    room_left = Room(files, options.id is not None, content.store, options.observe)
    for path in files:
        for part, taken in _of_file(path, label(files[0]), options.with_marks(content.marks), content):
            content.add(part, taken)
            room_left.check(label(path), taken, len(content.parts), shown)
    if not content.n_read:
        raise DataError(f"{shown} {'has' if len(files) == 1 else 'have'} a header but no row of data.")
    memory.give_back()
    return content


def _of_file(path: str, first: str, options: ReadOptions, content: _Content) -> Iterator[tuple[Piece | Range, Taken]]:
    """The pieces of a file, which must have the columns of the first one."""
    others, n = reads_for(path, options), 0
    if content.awaited is not None:
        parts: Iterator[Piece | Range] = content.awaited.first_pieces(path, options, content.inputs.append)
    else:
        parts = pieces_or_ranges(path, options, content.inputs.append, ranges=others is not None)
    for part in parts:
        if isinstance(part, Piece):
            if not content.names:
                content.begin(part)
            elif not part.first_row:
                check_same(part.names, part.file, content.names, first)
            taken = content.take(part)
            n += taken.n_rows
            yield part, taken
        else:
            assert others is not None, "there are ranges for others only"
            names, store, before = tuple(content.parts), content.store, Path(path).stat()
            yield from by_others(others, chain([part], parts), n, names, content.options, store)
            after_all = Path(path).stat()
            if (before.st_size, before.st_mtime_ns) != (after_all.st_size, after_all.st_mtime_ns):
                raise DataError(f"{label(path)} has changed while it was read. Run it again when nobody writes to it.")


def read(paths: Sequence[str], options: ReadOptions, awaited: Awaited | None = None) -> Data:
    """All rows of the files, stacked by column name, or the first of those that are `awaited`; or `DataError`."""
    files = expand(paths)
    shown = label(files[0]) if len(files) == 1 else f"{len(files)} files"
    content = _content(files, shown, options, awaited)
    parts, options = content.parts, content.watched
    labels, inputs, n_read, found_in_file = content.labels, content.inputs, content.n_read, content.notices
    alleles = read_alleles(parts, shown, options, found_in_file)
    thousands, units = undress(parts, options, found_in_file)
    decided = decide(parts, shown, options, *content.codes(options))
    numbering = leave_out_identifiers(decided, parts, options)
    leave_out_redundant(decided, parts, options)
    decided.notices += remarks(decided.columns, parts, options, content.leading_zeros, content.place_of_last)
    schema = Schema(tuple(decided.columns)).with_together(options.together).with_last(options.last)
    usable, n_missing, missing = usable_rows(parts, schema.names, n_read, shown, options)
    spelled = _spellings(content, n_missing)
    missing += maybe_levels(schema, spelled, n_read, options)
    sequences = content.sequences(shown, usable)
    _check_weights(content, sequences, usable, shown)
    id_like = [
        one.name
        for one in schema.columns
        if one.name not in options.named and not one.levels and looks_like_id(one.name, parts.facts(one.name))
    ]
    ids = content.ids if numbering is None else content.numbered_by(numbering)
    label_names = levels_of(labels)
    if labels and not label_names:
        raise DataError(f"{shown}: column {quoted(str(options.labels))} is empty: no component is known of any row.")
    found, others = _filled(content, options, schema, usable, label_names, ids if numbering else None)
    check_spread(found, schema, shown, options)
    source, rows = found.done()
    if options.weights is not None and options.mean_weight_one:
        found.scale_weights(float(found.n))
    return Data(
        name=_short_name(files),
        source=source if sequences is None else _in_steps(source, sequences, options.group is not None),
        schema=schema,
        rows=rows,
        others=others,
        n_rows_read=n_read,
        ids=ids,
        id_name=numbering or options.id,
        weights_name=options.weights,
        total_weight=found.total_weight if options.weights is not None else None,
        label_names=label_names,
        n_missing=n_missing,
        marks=content.marks or (Marks(options.decimal, thousands) if thousands else None),
        units=units,
        alleles=alleles,
        spelled=spelled,
        n_gappy=int(found.gaps.sum()) if n_missing and options.missing == "model" else 0,
        why=decided.why,
        notices=(*found_in_file, *decided.notices, *missing, *id_notices(id_like, parts), *_fractional(found, options)),
        layout=_layout(content),
        inputs=tuple(inputs),
        data_sha256=digest(inputs),
        on_disk=content.store.on_disk and sequences is None,
        sequences=sequences,
    )


def _layout(content: _Content) -> dict[str, object]:
    """Of the first file: its columns, and how its fields are separated where it is text."""
    said, written = dict[str, object](columns=list(content.names)), content.written
    if written is not None:
        said |= {"delimiter": written.delimiter, "newline": written.raw.newline}
        said |= {} if written.headed else {"header": False}
    return said


def _spellings(content: _Content, n_missing: Mapping[str, int]) -> dict[str, dict[str, int]]:
    """How missing cells of the fitted columns are spelled: those of the frame, and words among numbers."""
    spellings: dict[str, dict[str, int]] = {}
    for name in n_missing:
        counts = Counter(content.spelled.get(name, {}))
        column = content.parts[name]
        if column[0].texts is None:
            words = {word: sum(part.forms[word] for part in column) for word in content.options.nothing_among_numbers}
            counts.update(words)
        spellings[name] = {text: times for text, times in counts.most_common() if times > 0 and text != UNTOLD}
    return {name: own for name, own in spellings.items() if own}


def _check_weights(content: _Content, sequences: Sequences | None, usable: Usable, shown: str) -> None:
    """`DataError` if no row has any weight, or rows that belong together have different ones."""
    name = content.options.weights
    if name is None:
        return
    if not any((held.read() > 0).any() for held in content.weights):
        raise DataError(f"{shown}: every weight in column {quoted(name)} is 0: there is no row to fit.")
    if sequences is not None:
        noun = "sequence" if content.options.group is None else "group"
        weights = np.concatenate([held.read() for held in content.weights])
        rows = np.flatnonzero(np.concatenate([usable.of(piece) for piece in range(usable.n_pieces)]))
        check_weights_of_sequences(weights[rows], sequences, rows, name, shown, noun)


def _fractional(found: Filling, options: ReadOptions) -> list[Notice]:
    """What to say of weights that no numbers of alike rows can be, where they are taken for these."""
    if options.weights is None or options.mean_weight_one or not found.fractions:
        return []
    some = f"{found.fractions:,} of {found.n:,} weights in column {quoted(options.weights)}"
    remedy = "; weights of a sample: --weight-type sampling" if options.alleles is None else ""  # those are counted
    message = (
        f"{some} are no whole numbers (such as {found.fraction:.6g}), and all are taken as frequencies: "
        f"criteria and errors count {found.total_weight:,.6g} rows{remedy}"
    )
    return [Notice("fractional_weights", message)]


def _filled(
    content: _Content,
    options: ReadOptions,
    schema: Schema,
    usable: Usable,
    label_names: tuple[str, ...],
    numbers: RowNames | None,
) -> tuple[Filling, Others]:
    """The rows to fit, in blocks, and those that take no part; each piece is let go of when it has been taken.

    The column of `numbers` is that of the names of the rows.
    """
    parts, n_pieces = content.parts, usable.n_pieces
    options.observe(PhaseStarted(STORING, 0))
    weighted, labelled = options.weights is not None, options.labels is not None
    found = Filling(content.store, len(schema.columns), content.n_read, weighted, labelled)
    aside: list[tuple[Integers, Array]] = []
    first = 0
    flags = (usable.of(piece) for piece in range(n_pieces))
    for piece, of_piece in enumerate(flags):
        lines = [values_of(parts[one.name][piece], one.levels) for one in schema.columns]
        fitted, n = of_piece, len(of_piece)
        if weighted:
            weights = content.weights[piece].read()
            fitted = of_piece & (weights > 0)
        own = [*lines, *([weights] if weighted else [])]
        if labelled:
            own.append(np.nan_to_num(values_of(content.labels[piece], label_names), nan=-1.0))
        rows = np.flatnonzero(fitted)
        found.add(first + rows, own if len(rows) == n else [line[rows] for line in own])
        others = np.flatnonzero(~fitted if options.missing == "model" else of_piece & ~fitted)
        if len(others):
            aside.append((first + others, np.array([line[others] for line in lines])))
        if numbers is not None:
            numbers.add_numbers(parts[numbers.name][piece].values)
        _let_go(content, piece)
        first += n
        options.observe(RowsRead(first, first / content.n_read))
    content.store.let_go()
    x = np.concatenate([own for _, own in aside], axis=1) if aside else np.empty((len(schema.columns), 0))
    return found, Others(x, np.concatenate([rows for rows, _ in aside]) if aside else np.empty(0, np.intp))


def _let_go(content: _Content, piece: int) -> None:
    """Give the room of a piece back, all columns of which stand in it."""
    for column in (*content.parts.values(), content.labels):
        if column:
            column[piece] = replace(column[piece], held=GONE)
    if content.weights:
        content.weights[piece] = GONE


def _in_steps(source: Blocks, sequences: Sequences, alike: bool) -> InMemory:
    """The rows at the steps of their sequences."""
    blocks = joined([source[index] for index in range(len(source))])
    return sequences.source(blocks.x, blocks.weights, blocks.labels, alike)


def _short_name(files: Sequence[str]) -> str:
    if len(files) > 1:
        return f"{len(files)} files"
    return label(STDIN) if files[0] == STDIN else safe(path_in(files[0]).name)
