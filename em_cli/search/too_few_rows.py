"""Models of which it is known before any search that no fit can be sound: rows are too few."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import take
from em_cli.engine.model import Model
from em_cli.search.survey import Survey


def too_few_rows(model: Model, known: Survey) -> str:
    """Why no fit of so many components can be sound, one resting on no more than its share of the rows; or nothing.

    Asked of the widest component that there is, that of all rows.
    """
    family, block = model.family, known.block
    if model.latent.needs_groups or block.n_rows < known.source.n_rows:
        return ""
    features = np.empty((family.n_features(), block.n_rows))
    family.features(block.x, features)
    mass = np.ones(block.n_rows) if block.weights is None else block.weights
    alone = take(family.maximize(family.statistics(features, mass[None, None], None), None), 0)
    share, any_number = (np.array([rows]) for rows in (known.n_distinct / model.n_components, np.inf))
    (collapse,), (anyhow,) = (family.degenerate(alone, rows) for rows in (share, any_number))
    if collapse is None or anyhow is not None:
        return ""
    return collapse.reason.replace("it rests on", "a component rests on no more than", 1)
