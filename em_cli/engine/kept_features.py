"""Features of rows that passes look for again."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.cache import TileKey
from em_cli.engine.family import BoundFamily
from em_cli.engine.rows import Block


def features_of(family: BoundFamily, kept: dict[TileKey, Array], n_features: int, rows: Block) -> Array:
    """The first features (F, n) of the rows, kept by the place of these."""
    name = n_features, rows.index, rows.first_row
    if name not in kept:
        features = np.empty((n_features, rows.n_rows))
        family.features(rows.x, features)
        kept[name] = features
    return kept[name]
