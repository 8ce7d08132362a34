"""States of sequences in the sense that is asked for, and of the rows that may follow them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from em_cli.errors import UsageError
from em_cli.inference.pseudo_residuals import TYPES, Forecasts
from em_cli.options import ReadingOptions
from em_cli.outputs.folder import Content
from em_cli.outputs.forecasts import (
    DECODES,
    Row,
    expected_columns,
    expected_values,
    forecast_rows,
    state_columns,
    state_rows,
    table,
)
from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.tables import csv_text
from em_cli.registry import did_you_mean
from em_cli.runs.labelled import labelled_rows
from em_cli.runs.new_sequences import NewSequences
from em_cli.runs.row_scores import score_table, sequences_for


def asked_table(
    loaded: LoadedModel,
    paths: Sequence[str],
    reading: ReadingOptions,
    decode: str | None,
    horizon: int | None,
    append: bool,
    unseen: int | None,
) -> Content:
    """What `em predict` tells of rows: as a copy of them, as states of sequences, or as a table."""
    if unseen is not None:
        raise UsageError("--unseen lists terms that documents do not have: it goes with a model of topics.")
    if append and (decode is not None or horizon is not None):
        other = "--horizon" if decode is None else "--decode"
        raise UsageError(f"--append adds the likeliest component of each row: {other} is another table.")
    if append:
        return labelled_rows(loaded, paths, reading)
    if decode is not None or horizon is not None:
        return forecast_lines(loaded, paths, reading, decode or "posterior", horizon or 0)
    return score_table(loaded, paths, reading)


def forecast_lines(
    loaded: LoadedModel, paths: Sequence[str], reading: ReadingOptions, decode: str, horizon: int
) -> Iterator[str]:
    """CSV lines: every row as it came, then those that follow each sequence, at steps 1, 2, …."""
    if not loaded.ordered:
        raise UsageError(
            "--decode and --horizon are about rows that follow each other in time; "
            f"in a model of latent structure {loaded.document['latent']!r} they do not."
        )
    if decode not in DECODES:
        raise UsageError(f"--decode {decode!r} is unknown{did_you_mean(decode, DECODES)}")
    if horizon and decode == "viterbi":
        raise UsageError(
            "--horizon does not go with --decode viterbi: of rows to come the states have probabilities, "
            "and no most probable path. Use --decode filter or posterior."
        )
    if horizon and loaded.response:
        raise UsageError(
            f"--horizon: {loaded.response!r} is told by other columns, which are not known of rows to come. Rows with "
            "these, and without a response, are predicted as any others."
        )
    found = sequences_for(loaded, paths, reading)
    key = reading.id or "row"
    named = str(found.options.sequence) if horizon and found.sequences.names else ""
    beside = [*([named] if named else []), *(["step"] if horizon else [])]
    more = expected_columns(loaded) if horizon else []
    names = [key, *beside, *state_columns(loaded.model.n_components, decode), *more]
    if len(set(names)) < len(names):
        raise UsageError("the forecast would have two columns of one name: choose another column as --id.")
    return table(names, _rows(found, key, named, decode, horizon))


def residual_table(loaded: LoadedModel, paths: Sequence[str], reading: ReadingOptions) -> Iterator[str]:
    """CSV lines: the pseudo-residuals of every row, by what was known before it came."""
    if not loaded.ordered:
        raise UsageError(
            "--residuals compare rows with what was forecast of them; in a model of latent structure "
            f"{loaded.document['latent']!r} rows do not follow each other, and nothing is forecast."
        )
    if loaded.response:
        raise UsageError(
            f"--residuals: {loaded.response!r} is told by other columns, and pseudo-residuals are of columns by "
            "themselves. em predict has what is expected of it, to compare."
        )
    found = sequences_for(loaded, paths, reading)
    forecast = found.forecast.take(found.sequences.places, axis=1)
    columns = [column for column in loaded.schema.columns if column.type in TYPES]
    if not columns:
        raise UsageError("--residuals needs a column of numbers or levels: angles have no order.")
    by = Forecasts(loaded.with_gaps.model, loaded.with_gaps.parameters, loaded.schema.columns, forecast)
    places = [loaded.schema.columns.index(column) for column in columns]
    residuals = np.array([by.residuals(place, found.whole.x[place]) for place in places])
    key, names = reading.id or "row", [f"residual_{column.name}" for column in columns]
    rows = zip(found.whole.keys, residuals.T.tolist(), strict=True)
    return csv_text([key, *names], ({key: name} | dict(zip(names, own, strict=True)) for name, own in rows))


def _rows(found: NewSequences, key: str, named: str, decode: str, horizon: int) -> Iterator[Row]:
    sequences, loaded = found.sequences, found.loaded
    of = sequences.of_rows
    states = state_rows(found.decoded, sequences.places, decode)
    for row, (name, state) in enumerate(zip(found.whole.keys, states, strict=True)):
        yield {key: name} | ({named: sequences.names[of[row]]} if named else {}) | {"step": 0} | state
    decoder = loaded.model.latent.decoder
    if not horizon or decoder is None:
        return
    ahead = decoder.ahead(loaded.parameters.latent, found.last, horizon)
    for group in range(sequences.n_sequences):
        known = ahead[:, group]
        expected = expected_values(loaded, known)
        for step, state in enumerate(forecast_rows(known, decode), 1):
            own: Row = {named: sequences.names[group]} if named else {}
            yield own | {"step": step} | state | expected[step - 1]
