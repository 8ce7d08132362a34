"""Whether new rows still follow a model: what `em score --drift` says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from em_cli.documents.params_json import RowScoreFields
from em_cli.engine.arrays import Array
from em_cli.engine.column_moments import Moments
from em_cli.engine.rows import Block
from em_cli.engine.scoring import RowScores, moments_of_scores
from em_cli.errors import DataError, ExitStatus
from em_cli.inference.drift import SIZE, ColumnDrift, column_drift, density_drift, level_drift, share_drift, together
from em_cli.inference.reported import tail_in_words
from em_cli.models.groups import described
from em_cli.models.redrawn import drawn_like
from em_cli.options import ReadingOptions
from em_cli.outputs.described import checked, wrong_field
from em_cli.outputs.model_file import LoadedModel
from em_cli.postestimation.score_totals import score_document
from em_cli.runners.serial import Serial
from em_cli.runs.new_sequences import NewSequences
from em_cli.runs.row_scores import scored_chunks, sequences_for, warn
from em_cli.sources.stream import Chunk

MOST_ROWS = 20_000  # whose cells are compared column by column; of more, as many by lot
DRAWN = 20_000  # rows from the model, at least
SEED = 20


@dataclass(slots=True, eq=False)
class Watch:
    """What there is to know of new rows, gathered as they go by."""

    loaded: LoadedModel
    moments: Moments | None = None
    cells: Array = field(default_factory=lambda: np.empty((0, 0)))  # (D, m) of rows by lot
    keys: Array = field(default_factory=lambda: np.empty(0))  # (m,) their lots
    weights: Array = field(default_factory=lambda: np.empty(0))  # (m,)
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(SEED))

    def over(self, chunks: Iterable[tuple[Chunk, RowScores]]) -> Iterator[tuple[Chunk, RowScores]]:
        for chunk, scores in chunks:
            self._add(chunk.x, scores, chunk.weights)
            yield chunk, scores

    def see(self, found: NewSequences) -> None:
        """Rows in sequences or groups, which are the units."""
        loaded = self.loaded.with_gaps
        self.moments = moments_of_scores(loaded.model, loaded.parameters, found.source, Serial())

    def _add(self, x: Array, scores: RowScores, weights: Array | None) -> None:
        seen = ~np.isnan(x).all(axis=0)
        values = np.concatenate([scores.log_density[None], scores.responsibilities])[:, seen]
        if not values.shape[1]:
            return
        own = np.ones(values.shape[1]) if weights is None else weights[seen]
        part = Moments.of(values, None, None if weights is None else own, pairs=False)
        self.moments = part if self.moments is None else self.moments + part
        keys = np.concatenate([self.keys, self.rng.random(values.shape[1])])
        cells = x[:, seen] if not self.cells.size else np.concatenate([self.cells, x[:, seen]], axis=1)
        kept = np.sort(np.argsort(keys)[:MOST_ROWS])
        self.keys, self.cells = keys[kept], cells[:, kept]
        self.weights = np.concatenate([self.weights, own])[kept]

    def document(self) -> dict[str, Any]:
        """`DataError` where the model does not say what its own rows were like, or new ones are too few."""
        known, new = _known(self.loaded), self.moments
        if new is None or new.weight[0] < 2:
            what = "sequences or groups" if self.loaded.sequential else "rows"
            raise DataError(f"--drift compares {what}, and needs two of them at least.")
        n, m = float(known["n"]), float(new.weight[0])
        old = (known["log_density_mean"], known["log_density_sd"], n)
        density = density_drift(old, (float(new.mean[0]), float(new.sd[0]), m), self.loaded.model.n_parameters)
        shares = [
            share_drift(mean, sd, n, float(mine), float(spread), m)
            for mean, sd, mine, spread in zip(
                known["share_mean"], known["share_sd"], new.mean[1:], new.sd[1:], strict=True
            )
        ]
        columns = {} if self.loaded.sequential else dict(self._columns(n))
        names = [str(one["name"]) for one in self.loaded.document["components"]] + list(self.loaded.model.latent.extra)
        told = [one.p for one in shares] if len(shares) > 1 else []
        p = together([density.p], told, [one.p for one in columns.values()])
        return {
            "n_fitted": n,
            "n_new": m,
            "log_density": asdict(density),
            "shares": [{"name": name} | asdict(one) for name, one in zip(names, shares, strict=True)],
            "columns": [{"column": name} | asdict(one) for name, one in columns.items()],
            "p": p,
            "drifted": p < SIZE,
        }

    def _columns(self, n_fitted: float) -> Iterator[tuple[str, ColumnDrift]]:
        """Each column beside that of rows from the model, which lack the same cells."""
        loaded, like, drawn = self.loaded.with_gaps, Block(0, self.cells), list[Array]()
        while sum(part.shape[1] for part in drawn) < DRAWN:
            drawn.append(drawn_like(loaded.model, loaded.groups, loaded.parameters, like, self.rng))
        from_model = np.concatenate(drawn, axis=1)
        for place in described(loaded.groups, loaded.schema):
            column = loaded.schema.columns[place]
            own, theirs = (each[place][~np.isnan(each[place])] for each in (self.cells, from_model))
            weights = self.weights[~np.isnan(self.cells[place])]
            if weights.sum() > 0 and len(theirs):
                worth = self._worth(weights)
                if column.levels:
                    yield column.name, level_drift(own, weights, worth, theirs, len(column.levels), n_fitted)
                else:
                    yield column.name, column_drift(own, weights, worth, theirs, n_fitted)

    def _worth(self, weights: Array) -> float:
        """As how many rows: what they count, or by the variance of a weighted mean (Kish 1965)."""
        sampling = self.loaded.document.get("weight_type") == "sampling"
        return float(weights.sum() ** 2 / np.square(weights).sum() if sampling else weights.sum())


def drift_document(
    loaded: LoadedModel, paths: Sequence[str], reading: ReadingOptions, weights: str | None
) -> dict[str, Any]:
    """The totals of the rows as ever, and whether they have drifted."""
    watch = Watch(loaded)
    if loaded.sequential:
        found = sequences_for(loaded, paths, reading, weights)
        watch.see(found)
        totals = score_document(loaded, iter([(found.whole, found.scores)]))
    else:
        totals = score_document(loaded, watch.over(scored_chunks(loaded, paths, reading, weights)))
    return totals | {"drift": watch.document()}


def _known(loaded: LoadedModel) -> RowScoreFields:
    """What the model says of its own rows; `DataError` if that is nothing, or makes no sense."""
    found = loaded.document.get("row_scores")
    if found is None:
        raise DataError("the model does not hold what --drift compares with: it is of an earlier em. Fit it again.")
    wrong = wrong_field(checked(RowScoreFields), found) if isinstance(found, dict) else "it holds no fields"
    if not wrong:
        known: RowScoreFields = found
        if known["n"] > 0 and len(known["share_mean"]) == len(known["share_sd"]) == loaded.model.n_outcomes:
            return known
        wrong = "it does not speak of these components"
    raise DataError(f"the field 'row_scores': {wrong}. Was it edited?")


def tell_drift(found: Mapping[str, Any], strict: bool) -> None:
    """Say that rows have drifted; with --strict, end with the status of what is doubtful."""
    if not found["drifted"]:
        return
    warn(f"the new rows do not follow the model any more ({tail_in_words(found['p'])}): {_worst(found)}.")
    if strict:
        raise SystemExit(ExitStatus.DOUBTFUL)


def _worst(found: Mapping[str, Any]) -> str:
    """What is least like the fitted rows, in words."""
    told: list[tuple[float, str]] = [
        (found["log_density"]["p"], "they are less likely under it than those fitted were")
    ]
    told += [
        (one["p"], f"the share of {one['name']} is {one['new']:.2f}, and was {one['fitted']:.2f}")
        for one in found["shares"]
    ]
    told += [(one["p"], f"column {one['column']!r} is distributed otherwise") for one in found["columns"]]
    return min(told)[1]
