"""Which numbers a column of a type can hold."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array, Flags
from em_cli.engine.transforms import TRANSFORMS

LARGEST = 1e50  # number: products of four of these, over as many of the smallest spreads, are finite
SMALLEST_SPREAD = 1e-50  # of a column
LARGEST_COUNT = 1e12  # beyond it the logarithms of probabilities are not exact to a hundredth

WANTED = {
    "count": "a whole number from 0 up",
    "positive": "a number above 0",
    "proportion": "a number above 0 and below 1",
}  # of the types that cannot hold any number


def impossible(values: Array, type: str, transform: str | None = None) -> Flags:
    """Which finite values (n,) no column of this type can hold, or none that is to be transformed so."""
    if transform is not None:
        outside: Flags = ~TRANSFORMS[transform].holds(values)
    elif type == "count":
        outside = (values < 0) | (values != np.floor(values)) | (values > LARGEST_COUNT)
    elif type == "positive":
        outside = values <= 0
    elif type == "proportion":
        outside = (values <= 0) | (values >= 1)
    else:
        return np.zeros(len(values), np.bool_)
    return outside & np.isfinite(values)
