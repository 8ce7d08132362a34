"""What several runs say of the same rows, some rows at a time."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from pathlib import Path

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.scoring import component_log_density
from em_cli.errors import UsageError
from em_cli.options import ReadingOptions
from em_cli.outputs.model_file import LoadedModel
from em_cli.postestimation.outliers import own_data
from em_cli.runs.row_scores import scored_chunks, sequences_for
from em_cli.sources.files import expand
from em_cli.sources.spool import STDIN


@dataclass(frozen=True, slots=True, eq=False)
class Judge:
    """A run whose model judges rows."""

    name: str
    loaded: LoadedModel

    @property
    def frequencies(self) -> bool:
        """Whether weights count equal rows."""
        return self.loaded.document.get("weight_type") != "sampling"


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """What a model says of rows."""

    rows: Integers  # (n,) places of the rows among all that are read
    keys: Array | Integers  # (n,) their ids, or numbers from 1
    log_density: Array  # (n,)
    responsibilities: Array  # (K, n)
    of_components: Array  # (K, n) their log-densities
    weights: Array  # (n,) of the rows; ones where they have none
    units: Integers | None  # (n,) the sequence or group of each row, of models by which rows depend on each other

    @property
    def component(self) -> Integers:
        """(n,) the likeliest."""
        found: Integers = self.responsibilities.argmax(axis=0)
        return found

    def only(self, kept: Flags) -> Judged:
        return Judged(
            self.rows[kept],
            self.keys[kept],
            self.log_density[kept],
            self.responsibilities[:, kept],
            self.of_components[:, kept],
            self.weights[kept],
            None if self.units is None else self.units[kept],
        )

    def beside(self, later: Judged) -> Judged:
        """With rows that follow."""
        assert self.units is None is later.units, "all rows of units are judged at once"
        return Judged(
            np.concatenate([self.rows, later.rows]),
            np.concatenate([self.keys, later.keys]),
            np.concatenate([self.log_density, later.log_density]),
            np.concatenate([self.responsibilities, later.responsibilities], axis=1),
            np.concatenate([self.of_components, later.of_components], axis=1),
            np.concatenate([self.weights, later.weights]),
            None,
        )


@dataclass(frozen=True, slots=True, eq=False)
class Reached:
    """What has been judged of the rows up to one of them, and not been looked at."""

    key: str  # "row", or the name of the id
    stop: int  # so many rows have been read
    judged: Judged

    def parted(self, stop: int) -> tuple[Judged, Reached]:
        """The rows before this one, and the others."""
        before = self.judged.rows < stop
        if before.all():
            return self.judged, replace(self, judged=self.judged.only(~before))
        return self.judged.only(before), replace(self, judged=self.judged.only(~before))


@dataclass(frozen=True, slots=True)
class JudgedData:
    """The rows that several runs are compared by: their own, or others; under the weights of a column, if one is
    named."""

    judges: Sequence[Judge]
    runs: Sequence[str]
    data: Sequence[str]
    reading: ReadingOptions
    weighed: str | None

    def pieces(self) -> Iterator[tuple[str, list[Judged]]]:
        """What their rows are called by, and rows that all models can judge, maybe none, as each of these judges them.

        `UsageError` for rows that can be read only once.
        """
        streams = [self._stream(judge, run) for judge, run in zip(self.judges, self.runs, strict=True)]
        if any(judge.loaded.sequential for judge in self.judges):  # whose units no piece may cut
            streams = [iter([reduce(_joined, stream)]) for stream in streams]
        reached = [next(stream) for stream in streams]
        while True:
            stop = min(one.stop for one in reached)
            now, reached = map(list, zip(*(one.parted(stop) for one in reached), strict=True))
            yield reached[0].key, _in_common(now)
            for place, (one, stream) in enumerate(zip(reached, streams, strict=True)):
                if one.stop == stop:
                    if (following := next(stream, None)) is None:
                        return
                    reached[place] = _joined(one, following)

    def _stream(self, judge: Judge, run: str) -> Iterator[Reached]:
        paths, how = (self.data, self.reading) if self.data else own_data(run, self.reading)
        for path in expand(paths):
            if path == STDIN or Path(path).is_fifo():
                shown = "standard input" if path == STDIN else path
                raise UsageError(f"em compare reads rows for each run, and {shown} can be read once: name a file.")
        loaded, k, units = judge.loaded, judge.loaded.model.n_components, None
        chunks = scored_chunks(loaded, paths, how, self.weighed)
        if loaded.sequential:
            found = sequences_for(loaded, paths, how, self.weighed)
            units, chunks = found.sequences.of_rows, iter([(found.whole, found.scores)])
        for chunk, scores in chunks:
            ready = loaded.with_gaps if np.isnan(chunk.x).any() else loaded
            rows = chunk.first_row + chunk.rows
            keys = rows + 1 if chunk.ids is None else np.array(chunk.ids, dtype=object)[chunk.rows]
            judged = Judged(
                rows,
                keys,
                scores.log_density,
                scores.responsibilities[:k],
                component_log_density(ready.model, ready.parameters, chunk.x),
                np.ones(len(rows)) if chunk.weights is None else chunk.weights,
                units,
            )
            yield Reached(chunk.id_name or "row", chunk.first_row + chunk.n_rows, judged)


def _joined(earlier: Reached, later: Reached) -> Reached:
    if not len(earlier.judged.rows):
        return later
    return replace(later, judged=earlier.judged.beside(later.judged))


def _in_common(judged: Sequence[Judged]) -> list[Judged]:
    """Of the rows that all have judged."""
    first, *others = (one.rows for one in judged)
    if all(np.array_equal(first, rows) for rows in others):
        return [*judged]
    common = reduce(np.intersect1d, others, first)
    return [one.only(np.isin(one.rows, common)) for one in judged]
