"""Models of which it is known before any search that no fit can be sound: rows, or their cells, are too few."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import take
from em_cli.engine.model import Model
from em_cli.engine.row_sums import sums_of_rows
from em_cli.search.survey import Survey


def too_few_rows(model: Model, known: Survey) -> str:
    """Why no fit of so many components can be sound; or nothing.

    One rests on no more than its share of the rows, which is asked of the widest components that there are, those of
    all rows; and where cells are missing, those that are seen are no fewer than the parameters.
    """
    family, block = model.family, known.block
    if model.latent.needs_groups or block.n_rows < known.source.n_rows:
        return ""
    n_seen = int(np.count_nonzero(~np.isnan(block.x)))
    if n_seen < min(block.x.size, model.n_parameters):
        return f"{n_seen:,} cells are seen, fewer than the {model.n_parameters:,} parameters"
    mass = np.ones(block.n_rows) if block.weights is None else block.weights
    k = model.n_components
    shares = np.repeat(mass[None, None] / k, k, axis=1)
    alike = take(family.maximize(sums_of_rows(family, block.x, shares, None), None), 0)
    collapse, anyhow = (family.degenerate(alike, np.full(k, rows))[0] for rows in (known.n_distinct / k, np.inf))
    if collapse is None or anyhow is not None:
        return ""
    return collapse.reason.replace("it rests on", "a component rests on no more than", 1)
