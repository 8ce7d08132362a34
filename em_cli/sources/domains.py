"""Which numbers a column of a type can hold."""

from __future__ import annotations

import numpy as np

from em_cli.engine.arrays import Array, Flags

WANTED = {
    "count": "a whole number from 0 up",
    "positive": "a number above 0",
    "proportion": "a number above 0 and below 1",
}  # of the types that cannot hold any number


def impossible(values: Array, type: str) -> Flags:
    """Which finite values (n,) no column of this type can hold."""
    if type == "count":
        outside: Flags = (values < 0) | (values != np.floor(values))
    elif type == "positive":
        outside = values <= 0
    elif type == "proportion":
        outside = (values <= 0) | (values >= 1)
    else:
        return np.zeros(len(values), np.bool_)
    return outside & np.isfinite(values)
