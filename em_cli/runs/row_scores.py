"""Rows of files or of standard input, scored as they come; what predict and score share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from em_cli.config.resolve import resolve
from em_cli.engine.scoring import RowScores
from em_cli.errors import UsageError
from em_cli.options import ReadingOptions, layer
from em_cli.outputs.model_file import LoadedModel, read_model
from em_cli.outputs.predictions import prediction_header, prediction_lines
from em_cli.outputs.tables import score_header, score_lines
from em_cli.printable import safe, say
from em_cli.runs.new_sequences import NewSequences, new_sequences, with_columns_of
from em_cli.runs.read import read_options
from em_cli.runs.remembered import as_fitted, remembered, tell_remembered
from em_cli.sources.quoting import quoted
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.stream import Chunk, stream


def open_model(model: str, paths: list[str], reading: ReadingOptions | None = None) -> LoadedModel:
    """The model that is to score the rows of these files; if options are given, what it adds to them is said."""
    if model == "-" and "-" in paths:
        raise UsageError("the model and the data cannot both come from standard input.")
    loaded = read_model(model)
    if reading is not None:
        tell_remembered(loaded, reading)
    return loaded


def chunks_for(
    loaded: LoadedModel, paths: Sequence[str], options: ReadingOptions, weights: str | None = None
) -> Iterator[Chunk]:
    """The rows in the order they come; at the end, what is to be said of unknown levels and units."""
    unseen, units = Counter[str](), dict[str, str]()
    for chunk in stream(paths, loaded.schema.columns, reading_for(loaded, options, weights)):
        unseen.update(chunk.unseen)
        units |= chunk.units
        yield chunk
    if unseen:
        cells = ", ".join(f"{safe(name)}: {n:,}" for name, n in unseen.items())
        warn(f"cells with levels that the model has not seen count as missing ({cells}).")
    if units:
        worn = ", ".join(f"{safe(name)}: {quoted(unit)}" for name, unit in units.items())
        warn(f"cells wear a unit where those of the model were plain numbers, and are taken for the same ({worn}).")


def scored_chunks(
    loaded: LoadedModel, paths: Sequence[str], options: ReadingOptions, weights: str | None = None
) -> Iterator[tuple[Chunk, RowScores]]:
    """The rows in the order they come, with their scores; memory does not grow with their number.

    Rows that follow each other in sequences are read whole.
    """
    if loaded.sequential:
        found = sequences_for(loaded, paths, options, weights)
        yield found.whole, found.scores
        return
    for chunk in chunks_for(loaded, paths, options, weights):
        yield chunk, loaded.score(chunk.x)


def score_table(loaded: LoadedModel, paths: Sequence[str], options: ReadingOptions) -> Iterator[str]:
    """Component, probabilities and densities of the rows, as CSV; of regressions, what is expected of the response."""
    first, regression = True, loaded.response is not None
    for chunk, scores in scored_chunks(loaded, paths, options):
        key = chunk.id_name or options.id or "row"
        if first:
            yield prediction_header(key, loaded) if regression else score_header(key, loaded.model)
            first = False
        if regression:
            yield from prediction_lines(loaded, chunk, scores)
        else:
            yield from score_lines(scores, chunk.rows, chunk.keys, loaded.model.n_components)


def sequences_for(
    loaded: LoadedModel, paths: Sequence[str], options: ReadingOptions, weights: str | None = None
) -> NewSequences:
    """All rows, in their sequences, for a model by which they follow each other."""
    chunks = list(chunks_for(loaded, paths, options, weights))
    return new_sequences(loaded, chunks, reading_for(loaded, options, weights))


def reading_for(loaded: LoadedModel, options: ReadingOptions, weights: str | None = None) -> ReadOptions:
    """How new rows are read for a model: as it remembers that its own were, unless the options say otherwise."""
    own = as_fitted(loaded, options)
    config = resolve(None, [], layer(with_columns_of(loaded, own) if loaded.sequential else own))
    read = replace(
        read_options(config.data, {}, sequential=loaded.sequential), weights=weights, response=loaded.response
    )
    if read.id is None and not loaded.sequential and (name := remembered(loaded).get("id")) not in (None, weights):
        return replace(read, id=name, id_if_there=True)
    return read if read.files in loaded.schema.names else read.with_files_as_id()


def warn(message: str) -> None:
    say(f"warning: {message}")
