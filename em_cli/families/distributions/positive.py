"""What distributions of positive quantities share: logarithms, relative to the mean of the column."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.families.distributions.parameters import above_zero

LARGEST_SHAPE = 1e30
SHAPES_AND_SCALES = (Parameter("shapes", above_zero(LARGEST_SHAPE)), Parameter("scales", above_zero()))


def unit(columns: Columns) -> Array:
    """(D,) what the logarithms are relative to."""
    return columns.positive_unit


def log_sd(columns: Columns) -> Array:
    """(D,) of logarithms, were they normal: that of a lognormal variable of the same mean and variance."""
    return columns.log_sd


def logs(x: Array, columns: Columns) -> Array:
    """(D, n) of the cells."""
    return np.log(x / unit(columns)[:, None])


def embedding(x: Array, columns: Columns) -> Array:
    """Logarithms: whatever the unit of a component, it is as wide there."""
    embedded: Array = logs(x, columns) / log_sd(columns)[:, None]
    return embedded
