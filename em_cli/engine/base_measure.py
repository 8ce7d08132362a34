"""The part of a log-likelihood that no parameter changes: the log base measure of the rows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.family import BoundFamily
from em_cli.engine.rows import Block, RowWeights, Source, quanta


def total(family: BoundFamily, rows: Block, weights: Array | None) -> float:
    """That of these rows, each counted by its weight (n,)."""
    measure = family.base_measure(rows.x)
    return float((measure if weights is None else measure * weights).sum())


def base_measure(family: BoundFamily, source: Source) -> float:
    """That of all rows; where no pass has found it yet, they are read for it."""
    known = source.cache.base_measures.of(family)
    if known is not None:
        return known
    parts = (total(family, rows, rows.weights) for index in range(len(source)) for rows in quanta(source[index]))
    return source.cache.base_measures.keep(family, sum(parts))


def base_measures(family: BoundFamily, source: Source, weights: Sequence[RowWeights]) -> Array:
    """(R,) those under each of these weights (n,) over those of the data; each block is read once."""
    totals = np.zeros(len(weights))
    for rows in (rows for index in range(len(source)) for rows in quanta(source[index])):
        some, measure = slice(rows.first_row, rows.first_row + rows.n_rows), family.base_measure(rows.x)
        for place, own in enumerate(weights):
            totals[place] += (measure * (own[some] if rows.weights is None else own[some] * rows.weights)).sum()
    return totals
