"""What several runs say of the same rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.scoring import component_log_density
from em_cli.errors import DataError
from em_cli.options import ReadingOptions
from em_cli.outputs.model_file import LoadedModel
from em_cli.postestimation.outliers import own_data
from em_cli.runs.row_scores import scored_chunks, sequences_for


@dataclass(frozen=True, slots=True, eq=False)
class Scored:
    """A run, and what its model says of rows."""

    name: str
    loaded: LoadedModel
    rows: Integers  # (n,) places of the rows among all that were read
    key: str  # "row", or the name of the id
    keys: Sequence[str | int]  # of all rows that were read
    log_density: Array  # (n,)
    responsibilities: Array  # (K, n)
    of_components: Array  # (K, n) their log-densities
    weights: Array  # (n,) of the rows; ones where they have none
    units: Integers | None  # (n,) the sequence or group of each row, of models by which rows depend on each other

    def only(self, rows: Integers) -> Scored:
        kept = np.isin(self.rows, rows)
        return Scored(
            self.name,
            self.loaded,
            self.rows[kept],
            self.key,
            self.keys,
            self.log_density[kept],
            self.responsibilities[:, kept],
            self.of_components[:, kept],
            self.weights[kept],
            None if self.units is None else self.units[kept],
        )

    @property
    def frequencies(self) -> bool:
        """Whether weights count equal rows."""
        return self.loaded.document.get("weight_type") != "sampling"

    @property
    def component(self) -> Integers:
        """(n,) the likeliest."""
        found: Integers = self.responsibilities.argmax(axis=0)
        return found


def scored_by(
    run: str, name: str, loaded: LoadedModel, data: Sequence[str], reading: ReadingOptions, weighed: str | None
) -> Scored:
    """The rows of the run, or of other data; under the weights of a column, if one is named."""
    paths, how = (data, reading) if data else own_data(run, reading)
    weights = list[Array]()
    passed, rows, densities, shares, each = 0, list[Integers](), list[Array](), list[Array](), list[Array]()
    key, keys = "row", list[str | int]()
    k = loaded.model.n_components
    units, chunks = None, scored_chunks(loaded, paths, how, weighed)
    if loaded.sequential:
        found = sequences_for(loaded, paths, how, weighed)
        units, chunks = found.sequences.of_rows, iter([(found.whole, found.scores)])
    for chunk, scores in chunks:
        rows.append(passed + chunk.rows)
        densities.append(scores.log_density)
        shares.append(scores.responsibilities[:k])
        weights.append(np.ones(len(chunk.rows)) if chunk.weights is None else chunk.weights)
        ready = loaded.with_gaps if np.isnan(chunk.x).any() else loaded
        each.append(component_log_density(ready.model, ready.parameters, chunk.x))
        key, passed = chunk.id_name or key, passed + chunk.n_rows
        keys.extend(chunk.keys)
    if not any(map(len, rows)):
        raise DataError(f"there is no row that {name} could judge.")
    parts = np.concatenate(rows), key, keys, np.concatenate(densities)
    return Scored(name, loaded, *parts, _beside(shares), _beside(each), np.concatenate(weights), units)


def _beside(parts: Sequence[Array]) -> Array:
    return np.concatenate(parts, axis=1)


def on_the_same_rows(scored: Sequence[Scored]) -> list[Scored]:
    """Scores of the rows that all models can judge; `DataError` if there are none."""
    common = scored[0].rows
    for one in scored[1:]:
        common = np.intersect1d(common, one.rows)
    if not len(common):
        raise DataError("there is no row that all of these models can judge.")
    return [one.only(common) for one in scored]
