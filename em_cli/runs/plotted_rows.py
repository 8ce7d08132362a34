"""The rows of a run that are shown: read once more from the data, which must be those that were fitted."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from em_cli.documents.manifest_json import Manifest
from em_cli.engine.arrays import Array, Integers
from em_cli.engine.rows import Block, Source, picked
from em_cli.engine.scoring import RowScores
from em_cli.errors import DataError
from em_cli.models.groups import grouped_places
from em_cli.outputs.document import Scored
from em_cli.outputs.model_file import LoadedModel
from em_cli.reports.finished_run import Rows, sample
from em_cli.runs.fitted_rows import scored_sequences
from em_cli.runs.new_sequences import NewSequences, new_sequences
from em_cli.runs.remembered import remembered
from em_cli.sources.column_types import recoded
from em_cli.sources.examined import examine
from em_cli.sources.files import expand, hashed, label
from em_cli.sources.quoting import plural
from em_cli.sources.read_options import ReadOptions
from em_cli.sources.row_blocks import Filling
from em_cli.sources.row_file import NUMBER
from em_cli.sources.sequences import Sequences
from em_cli.sources.store import Store
from em_cli.sources.stream import Chunk, stream
from em_cli.sources.table import Data

ROLES = ("id", "sequence", "order", "group", "missing", "weights", "labels")


def rows_of(result: Scored, data: Data) -> Rows:
    """Those of a fit whose data are at hand."""
    if data.sequences is not None:
        return _of_sequences(
            scored_sequences(result.loaded, result.source, data.sequences),
            data.source,
            data.sequences,
            data.rows.all,
        )
    kept = sample(data.source.n_rows)
    rows = picked(result.source, kept)
    return _scored(result.loaded, rows.x, rows.weights, rows.labels, data.rows.at(kept) + 1, data.source.n_rows)


def read_rows(loaded: LoadedModel, manifest: Manifest, home: Path, data: Sequence[str]) -> Rows:
    """Those of a run folder, in memory that does not grow with their number."""
    paths = data_files(manifest, home, data)
    options = _options_of(loaded, manifest)
    if loaded.sequential:
        return _read_sequences(loaded, paths, options)
    n = int(loaded.document["n_samples"])
    rows, numbers = _read(loaded, paths, options, sample(n))
    return _scored(loaded, rows.x, rows.weights, rows.labels, numbers, n)


def read_source(loaded: LoadedModel, manifest: Manifest, home: Path, data: Sequence[str], store: Store) -> Source:
    """All rows that were fitted, kept in the store; those in groups or sequences one behind the other, in memory."""
    paths = data_files(manifest, home, data)
    options = _options_of(loaded, manifest)
    n, d, telling = int(loaded.document["n_samples"]), len(loaded.schema.columns), _telling(loaded)
    store.fixed = loaded.sequential
    store.expect(NUMBER * n * d, NUMBER * n * d)
    if loaded.sequential:
        return _sequences(loaded, paths, options).source
    found = Filling(store, d, n, options.weights is not None, labelled=False)
    for chunk in stream(paths, loaded.schema.columns, options):
        fitted = _fitted(chunk, telling)[: n - found.n]
        lines = chunk.x if chunk.weights is None else [*chunk.x, chunk.weights]
        found.add(chunk.first_row + chunk.rows[fitted], [line[fitted] for line in lines])
    if found.weighted:
        found.scale_weights(loaded.document["sum_weights"])
    return found.done()[0]


def _telling(loaded: LoadedModel) -> list[int]:
    """Columns of which a row has some, if it took part in the fit."""
    if loaded.response is not None:
        return [loaded.schema.names.index(loaded.response)]
    return list(grouped_places(loaded.groups))


def _read(loaded: LoadedModel, paths: Sequence[str], options: ReadOptions, kept: Integers) -> tuple[Block, Integers]:
    """Some of the rows that were fitted, and their numbers in the data, from 1."""
    names, telling = _names(loaded), _telling(loaded)
    passed, total = 0, 0.0
    x, weights, labels, numbers = [], [], [], []
    for chunk in stream(paths, loaded.schema.columns, options):
        fitted = _fitted(chunk, telling)
        some = kept[np.searchsorted(kept, passed) : np.searchsorted(kept, passed + len(fitted))] - passed
        chosen, passed = fitted[some], passed + len(fitted)
        x.append(chunk.x[:, chosen])
        numbers.append(chunk.first_row + chunk.rows[chosen] + 1)
        if chunk.weights is not None:
            weights.append(chunk.weights[chosen])
            total += float(chunk.weights[fitted].sum())
        if options.labels is not None:
            labels.append(_labels(chunk, options, names)[chunk.rows[chosen]])
    rows = Block(
        0,
        np.concatenate(x, axis=1),
        np.concatenate(weights) * (loaded.document["sum_weights"] / total) if weights else None,
        np.concatenate(labels) if labels else None,
    )
    return rows, np.concatenate(numbers)


def _read_sequences(loaded: LoadedModel, paths: Sequence[str], options: ReadOptions) -> Rows:
    """Those of files whose rows follow each other; they are read whole."""
    found = _sequences(loaded, paths, options)
    return _of_sequences(found.scores, found.source, found.sequences, found.whole.rows)


def _sequences(loaded: LoadedModel, paths: Sequence[str], options: ReadOptions) -> NewSequences:
    chunks, names = list(stream(paths, loaded.schema.columns, options)), _names(loaded)
    labels = [_labels(chunk, options, names)[chunk.rows] for chunk in chunks] if options.labels is not None else None
    return new_sequences(loaded, chunks, options, None if labels is None else np.concatenate(labels))


def _names(loaded: LoadedModel) -> dict[str, int]:
    return {str(component["name"]): place for place, component in enumerate(loaded.document["components"])}


def _options_of(loaded: LoadedModel, manifest: Manifest) -> ReadOptions:
    """How the data were read: the configuration of the run says what columns were to it, the model all else."""
    asked = manifest.get("config", {}).get("data", {})
    own: dict[str, Any] = {name: value for name, value in remembered(loaded).items() if name != "id"}
    own |= {
        "in_units": own.pop("units", {}),
        "na": tuple(own.get("na", ())),
        "na_level": tuple(own.get("na_level", ())),
    }
    own |= {name: asked[name] for name in ROLES if name in asked}
    step = asked.get("step")
    return ReadOptions(
        **own, step=None if step is None else str(step), sequential=loaded.sequential, response=loaded.response
    )


def _of_sequences(scores: RowScores, source: Source, sequences: Sequences, numbers: Integers) -> Rows:
    n = len(sequences.places)
    kept = sample(n)
    kept = kept[np.argsort(sequences.places[kept], kind="stable")]  # in the order of time
    rows = picked(source, sequences.places[kept])
    r, of = scores.responsibilities[:, kept], sequences.of_rows[kept]
    return Rows(
        rows.x,
        rows.weights,
        r,
        scores.log_density[kept],
        numbers[kept] + 1,
        n,
        None if scores.path is None else scores.path[kept],
        of,
        sequences.places[kept] - sequences.groups[of],
    )


def _scored(
    loaded: LoadedModel, x: Array, weights: Array | None, labels: Integers | None, numbers: Integers, n_fitted: int
) -> Rows:
    scores = loaded.score(x, labels)
    return Rows(x, weights, scores.responsibilities, scores.log_density, numbers, n_fitted)


def _fitted(chunk: Chunk, telling: Sequence[int]) -> Integers:
    """Places of the rows of a chunk that took part in the fit: those with a cell in some of these columns."""
    fitted = ~np.isnan(chunk.x[telling]).all(axis=0)
    if chunk.weights is not None:
        fitted &= chunk.weights > 0
    return np.flatnonzero(fitted)


def _labels(chunk: Chunk, options: ReadOptions, names: Mapping[str, int]) -> Integers:
    """The component (n,) of every row, -1 where it is not known."""
    assert options.labels is not None, "there is a column of labels"
    part = examine(chunk.piece, options.labels, replace(options, default_type="categorical"))
    codes = recoded(part, {name: float(place) for name, place in names.items()})
    return np.nan_to_num(codes, nan=-1.0).astype(np.intp)


def data_files(manifest: Manifest, home: Path, data: Sequence[str] = ()) -> list[str]:
    """Where the data are; `DataError` if they are not the ones that were fitted."""
    inputs = manifest["inputs"]
    if data:
        paths = expand(data)
        if "-" in paths:
            raise DataError("the data are read more than once: name a file, not standard input.")
    elif any(file["name"] == "-" for file in inputs):
        raise DataError(
            f"{home} was fitted to standard input: name a file that holds the same behind it: {home} data.csv."
        )
    else:
        paths = list(_at_their_place(manifest, home))
    if len(paths) != len(inputs):
        raise DataError(
            f"{home} was fitted to {plural(len(inputs), 'file')}, not {len(paths)}: name all of them, in their order."
        )
    for path, file in zip(paths, inputs, strict=True):
        if hashed(path).sha256 != file["sha256"]:
            raise DataError(
                f"{label(path)} is not what {home} was fitted to: its SHA-256 is another one than in manifest.json. "
                "Name a file that holds the same data as then, or fit again."
            )
    return paths


def _at_their_place(manifest: Manifest, home: Path) -> Iterator[str]:
    """As they were given, from here, from where the program ran then, or from beside the run folder."""
    for file in manifest["inputs"]:
        name = str(file["name"])
        from_where = (Path(), Path(str(manifest.get("working_directory") or "")), home.absolute().parent)
        found = next((place / name for place in from_where if (place / name).exists()), None)
        if found is not None:
            yield str(found)
        else:
            raise DataError(
                f"{name}, to which {home} was fitted, is not there any more: say where it is, behind the run folder: "
                f"{shlex.join((str(home), Path(name).name))}."
            )
