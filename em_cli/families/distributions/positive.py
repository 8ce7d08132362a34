"""What distributions of positive quantities share: logarithms, relative to the mean of the column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.columns import Columns
from em_cli.engine.documents import LEAST, table
from em_cli.families.distributions.distribution import Values

REQUIREMENT = "a number > 0"

LARGEST_SHAPE = 1e30


def unit(columns: Columns) -> Array:
    """(D,) what the logarithms are relative to."""
    return np.where(columns.mean > 0, columns.mean, 1.0)


def log_sd(columns: Columns) -> Array:
    """(D,) of logarithms, were they normal: that of a lognormal variable of the same mean and variance."""
    variance = np.log1p((columns.sd / unit(columns)) ** 2)
    return np.sqrt(np.where(variance > 0, variance, 1.0))


def logs(x: Array, columns: Columns) -> Array:
    """(D, n) of the cells."""
    return np.log(x / unit(columns)[:, None])


def embedding(x: Array, columns: Columns) -> Array:
    """Logarithms: whatever the unit of a component, it is as wide there."""
    embedded: Array = logs(x, columns) / log_sd(columns)[:, None]
    return embedded


def allows(x: Array) -> Flags:
    allowed: Flags = np.isnan(x) | ((x > 0) & np.isfinite(x))
    return allowed


def to_document(values: Values) -> dict[str, Any]:
    """Of shapes and scales."""
    return {"shapes": values[0].tolist(), "scales": values[1].tolist()}


def from_document(document: Mapping[str, Any], shape: tuple[int, int]) -> Values:
    shapes = table(
        document, "shapes", shape, lambda shapes: (shapes >= LEAST) & (shapes <= LARGEST_SHAPE), "not positive"
    )
    return shapes, table(document, "scales", shape, lambda scales: scales >= LEAST, "not positive")
