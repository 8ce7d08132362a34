"""Rows drawn from a model, as CSV."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.errors import UsageError
from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.tables import csv_text

DRAWN = 1 << 14  # rows at once, where they do not follow each other
Row = dict[str, object]


def drawn_lines(loaded: LoadedModel, n: int, seed: int, sequences: int | None, labels: bool) -> Iterator[str]:
    """n rows, or so many of each sequence; the sequence stands first where there are several, the component last."""
    names, k = loaded.schema.names, loaded.model.n_components
    if sequences is not None and not loaded.sequential:
        raise UsageError("--sequences is about rows that follow each other; those of this model are independent.")
    named = str(loaded.document.get("sequence_column") or "sequence") if sequences is not None else ""
    for column in [*(["component"] if labels else []), *([named] if named else [])]:
        if column in names or (named == column == "component" and labels):
            option = "--labels" if column == "component" else "--sequences"
            raise UsageError(f"{option}: the model has a column named {column!r} already.")

    def rows() -> Iterator[Row]:
        for number in range(1, (sequences or 1) + 1):
            first: Row = {named: number} if named else {}
            for x, drawn in _parts(loaded, n, seed, number):
                columns = [column.cells(values) for column, values in zip(loaded.schema.columns, x, strict=True)]
                for values, label in zip(zip(*columns, strict=True), drawn.tolist(), strict=True):
                    row: Row = first | dict(zip(names, values, strict=True))
                    yield row | ({"component": (label + 1) % (k + 1)} if labels else {})

    return csv_text([*([named] if named else []), *names, *(["component"] if labels else [])], rows())


def _parts(loaded: LoadedModel, n: int, seed: int, number: int) -> Iterator[tuple[Array, Integers]]:
    """Rows and their outcomes; a sequence is drawn whole."""
    if loaded.sequential:
        yield loaded.model.sample(loaded.parameters, n, np.random.default_rng((seed, 0, number)))
        return
    for first in range(0, n, DRAWN):
        yield loaded.model.sample(loaded.parameters, min(DRAWN, n - first), np.random.default_rng((seed, first)))
