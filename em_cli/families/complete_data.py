"""What a family of data with missing cells has from the family of complete data that it is built around."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

import numpy as np

from em_cli.engine.arrays import Array

Base = TypeVar("Base")
Told = ParamSpec("Told")
Answer = TypeVar("Answer")


def of_base(method: Callable[Concatenate[Base, Told], Answer]) -> Callable[Concatenate[Any, Told], Answer]:
    """The method as that of `self.base`."""

    @wraps(method)
    def passed_on(self: Any, /, *told: Told.args, **named: Told.kwargs) -> Answer:
        return method(self.base, *told, **named)

    return passed_on


def measure_of_observed(x: Array, scale: Array) -> Array:
    """(n,) the log base measure of the observed cells of rows x (D, n), in coordinates of this scale (D,)."""
    logs = np.where(np.isnan(x), 0.0, np.log(scale)[:, None])
    total: Array = -np.add.reduce(logs, axis=0)
    return total
