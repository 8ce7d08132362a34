"""How well a model fits the rows that come: their log-densities, or the totals and criteria."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

import numpy as np

from em_cli.criteria import Figures, names, values
from em_cli.engine.arrays import add
from em_cli.engine.scoring import RowScores, totals
from em_cli.errors import DataError
from em_cli.families.variational.held import n_held
from em_cli.models.variational import VARIATIONAL
from em_cli.outputs.model_file import LoadedModel
from em_cli.outputs.tables import csv_text
from em_cli.sources.stream import Chunk

Scored = Iterable[tuple[Chunk, RowScores]]


def density_lines(chunks: Scored) -> Iterator[str]:
    """A line for each row: its id, under the name of that column, or its number, and its log-density."""
    every = iter(chunks)
    first = next(every)
    key = first[0].id_name or "row"

    def rows() -> Iterator[dict[str, object]]:
        for chunk, scores in chain([first], every):
            values: list[float | None] = [None] * chunk.n_rows
            for place, value in zip(chunk.rows.tolist(), scores.log_density.tolist(), strict=True):
                values[place] = value
            for name, value in zip(chunk.keys, values, strict=True):
                yield {key: name, "log_density": value}

    return csv_text((key, "log_density"), rows())


def score_document(loaded: LoadedModel, chunks: Scored) -> dict[str, object]:
    """The totals of all rows and what follows from them; `DataError` if there is no row with weight."""
    total, n_read, n, weighted, n_groups = None, 0, 0, False, 0.0
    for chunk, scores in chunks:
        part = totals(scores, chunk.weights)
        total = part if total is None else add(total, part)
        seen = int((~np.isnan(chunk.x).all(axis=0)).sum()) if loaded.sequential else len(chunk.rows)
        if scores.share is not None:
            n_groups += float((scores.share if chunk.weights is None else scores.share * chunk.weights).sum())
        n_read, n, weighted = n_read + chunk.n_rows, n + seen, weighted or chunk.weights is not None
    weight = float(n if total is None or not weighted else total.n_effective.sum())
    if total is None or not weight:
        raise DataError("there is no row to score.")
    counted = round(n_groups, 9) or weight
    n_parameters = loaded.model.n_parameters - n_held(loaded.document)
    figures = Figures(
        float(total.log_likelihood), n_parameters, counted, float(total.entropy), float(total.log_largest)
    )
    return {
        "n_rows_read": n_read,
        "n_samples": n,
        "log_likelihood": figures.log_likelihood,
        "sum_weights": weight,
        "log_likelihood_per_row": figures.log_likelihood / weight,
        "n_parameters": figures.n_parameters,
        **_criteria(loaded, figures),
        "entropy": figures.entropy,
        "n_assigned": [int(count) for count in total.n_assigned],
    }


def _criteria(loaded: LoadedModel, figures: Figures) -> dict[str, float | None]:
    """None of a variational fit: its predictive density is at no maximum of the likelihood."""
    if loaded.document.get("inference") == VARIATIONAL:
        return dict.fromkeys(names())
    return {name: value if value < float("inf") else None for name, value in values(figures).items()}
