"""New rows for a model of sequences: all of them are read before any is scored, for what follows a row bears on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.decoder import Decoded
from em_cli.engine.scoring import RowScores
from em_cli.errors import DataError
from em_cli.inference.pseudo_residuals import forecast_of
from em_cli.options import ReadingOptions
from em_cli.outputs.model_file import LoadedModel
from em_cli.sources.in_memory import InMemory
from em_cli.sources.pieces import texts_of
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.sequences import Sequences, check_weights_of_sequences, groups_of, sequences_of
from em_cli.sources.stream import Chunk


def with_columns_of(loaded: LoadedModel, reading: ReadingOptions) -> ReadingOptions:
    """The options, with the columns of sequences and time that the model was fitted with, unless others are given."""
    document = loaded.document
    for known in ("group_column", "sequence_column", "order_column", "step"):
        if not isinstance(value := document.get(known), str | None):
            raise DataError(f"the field {known!r} must be a word, not {value!r}.")
    return replace(
        reading,
        group=reading.group or document.get("group_column"),
        sequence=reading.sequence or document.get("sequence_column"),
        order=reading.order or document.get("order_column"),
        step=reading.step or document.get("step"),
    )


@dataclass(frozen=True, eq=False)
class NewSequences:
    """Rows of files, in sequences."""

    loaded: LoadedModel
    chunks: Sequence[Chunk]
    sequences: Sequences
    options: ReadOptions
    labels: Integers | None = None  # (n,) known components; -1 where none is known

    @cached_property
    def source(self) -> InMemory:
        """Their steps."""
        return self.sequences.source(self.whole.x, self.whole.weights, self.labels)

    @cached_property
    def whole(self) -> Chunk:
        """All rows as one chunk."""
        first, many = self.chunks[0], self.chunks
        before = np.cumsum([0, *(chunk.n_rows for chunk in many)])
        weights = [chunk.weights for chunk in many if chunk.weights is not None]
        return replace(
            first,
            n_rows=sum(chunk.n_rows for chunk in many),
            ids=None if first.ids is None else [name for chunk in many for name in chunk.ids or ()],
            x=np.concatenate([chunk.x for chunk in many], axis=1),
            rows=np.concatenate([passed + chunk.rows for passed, chunk in zip(before, many, strict=False)]),
            weights=np.concatenate(weights) if weights else None,
        )

    @cached_property
    def decoded(self) -> Decoded:
        """Of all steps."""
        blocks = [self.source[index] for index in range(len(self.source))]
        found = [self.loaded.decoded(block) for block in blocks]
        return Decoded(
            np.concatenate([part.responsibilities for part in found], axis=1),
            np.concatenate([part.filtered for part in found], axis=1),
            np.concatenate([part.log_density for part in found]),
            np.concatenate([part.path for part in found]),
            np.concatenate([part.path_log_probability for part in found]),
        )

    @property
    def scores(self) -> RowScores:
        """Of all rows, in the order in which they came."""
        at, found = self.sequences.places, self.decoded
        scores = RowScores(found.log_density[at], found.responsibilities.take(at, axis=1))
        if self.loaded.ordered:
            return replace(scores, path=found.path[at])
        return replace(scores, share=1 / np.diff(self.sequences.groups)[self.sequences.of_rows])

    @property
    def forecast(self) -> Array:
        """(K, n) what is known of each step before it is seen."""
        loaded = self.loaded
        return forecast_of(loaded.model, loaded.parameters, self.decoded.filtered, self.sequences.groups)

    @property
    def last(self) -> Array:
        """(K, G) what is known of the last step of each sequence."""
        return self.decoded.filtered[:, self.sequences.groups[1:] - 1]


def new_sequences(
    loaded: LoadedModel, chunks: Sequence[Chunk], options: ReadOptions, labels: Integers | None = None
) -> NewSequences:
    """The rows of the chunks in their sequences; `DataError` says which row stands in the way."""
    n_rows = sum(chunk.n_rows for chunk in chunks)
    files = list(dict.fromkeys(chunk.piece.file for chunk in chunks))
    shown = files[0] if len(files) == 1 else f"{len(files)} files"
    if not n_rows:
        raise DataError(f"{shown}: there is no row to score.")
    names, times = (
        None if name is None else [text for chunk in chunks for text in texts_of(chunk.piece, name)]
        for name in (options.units, options.order)
    )
    if names is not None and options.group is not None:
        before = np.cumsum([0, *(chunk.n_rows for chunk in chunks)])
        rows = np.concatenate([passed + chunk.rows for passed, chunk in zip(before, chunks, strict=False)])
        in_groups = groups_of([names[row] for row in rows.tolist()], rows, shown, options.group)
    else:
        in_groups = sequences_of(n_rows, names, times, shown, options)
    found = NewSequences(loaded, chunks, in_groups, options, labels)
    if found.whole.weights is not None and options.weights is not None:
        check_weights_of_sequences(found.whole.weights, found.sequences, found.whole.rows, options.weights, shown)
    return found
