"""Rows drawn from a model, as CSV."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.errors import UsageError
from em_cli.models.groups import grouped_places
from em_cli.options import ReadingOptions
from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.predictions import drawn_given
from em_cli.outputs.tables import column_csv
from em_cli.sources.schema import Cells

DRAWN = 1 << 14  # rows at once, where they do not follow each other


def check_given(loaded: LoadedModel, n: int | None, given: str | None) -> None:
    """`UsageError` if it is not said what to draw."""
    if loaded.response is None:
        if given is not None and not loaded.told:
            raise UsageError(
                "--given is about the regressors of a regression, or what tells mixing weights; all columns of this "
                "model are drawn."
            )
        if n is None and given is None:
            other = ", or rows by which mixing weights are told, as in --given data.csv" if loaded.told else ""
            raise UsageError(f"how many rows? Give -n, as in -n 1000{other}.")
        if n is not None and given is not None:
            raise UsageError("-n does not go with --given: there are as many rows as in the file.")
        return
    if given is None:
        raise UsageError(
            f"the model tells {loaded.response!r} given other columns, and not how these are spread: name a file of "
            "rows with them, as in --given data.csv. A response is drawn for each of its rows."
        )
    if n is not None:
        raise UsageError("-n does not go with --given: there are as many rows as in the file.")


def lines_given(loaded: LoadedModel, path: str, seed: int, sequences: int | None, labels: bool) -> Iterator[str]:
    """The rows of a file, with what is described of each drawn anew; a response needs regressors to be drawn."""
    from em_cli.runs.row_scores import chunks_for

    if sequences is not None or loaded.sequential:
        raise UsageError("--given draws rows that are independent of each other; those of this model are not.")
    names = loaded.schema.names
    if labels and "component" in names:
        raise UsageError("--labels: the model has a column named 'component' already.")

    def parts() -> Iterator[list[Cells]]:
        for chunk in chunks_for(loaded, [path], ReadingOptions()):
            x, drawn = drawn_given(loaded, chunk.x, np.random.default_rng((seed, chunk.first_row)))
            cells = [column.cells(values) for column, values in zip(loaded.schema.columns, x, strict=True)]
            yield [*cells, *([(drawn + 1).tolist()] if labels else [])]

    return column_csv([*names, *(["component"] if labels else [])], parts())


def drawn_lines(loaded: LoadedModel, n: int, seed: int, sequences: int | None, labels: bool) -> Iterator[str]:
    """n rows, or so many of each sequence; the sequence stands first where there are several, the component last.

    What tells mixing weights is not drawn: the others are as they are in all rows together.
    """
    drawn_columns = [loaded.schema.columns[place] for place in grouped_places(loaded.groups)]
    names, k = [column.name for column in drawn_columns], loaded.model.n_components
    if sequences is not None and not loaded.ordered:
        raise UsageError("--sequences is about rows that follow each other; those of this model are independent.")
    named = str(loaded.document.get("sequence_column") or "sequence") if sequences is not None else ""
    for column in [*(["component"] if labels else []), *([named] if named else [])]:
        if column in names or (named == column == "component" and labels):
            option = "--labels" if column == "component" else "--sequences"
            raise UsageError(f"{option}: the model has a column named {column!r} already.")

    def parts() -> Iterator[list[Cells]]:
        for number in range(1, (sequences or 1) + 1):
            for x, drawn in parts_drawn(loaded, n, seed, number):
                first: list[Cells] = [[number] * len(drawn)] if named else []
                cells = [column.cells(values) for column, values in zip(drawn_columns, x, strict=False)]
                yield [*first, *cells, *([((drawn + 1) % (k + 1)).tolist()] if labels else [])]

    return column_csv([*([named] if named else []), *names, *(["component"] if labels else [])], parts())


def parts_drawn(loaded: LoadedModel, n: int, seed: int, number: int = 1) -> Iterator[tuple[Array, Integers]]:
    """Rows and their outcomes; a sequence is drawn whole."""
    if loaded.ordered:
        yield loaded.model.sample(loaded.parameters, n, np.random.default_rng((seed, 0, number)))
        return
    for first in range(0, n, DRAWN):
        yield loaded.model.sample(loaded.parameters, min(DRAWN, n - first), np.random.default_rng((seed, first)))
