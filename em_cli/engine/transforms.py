"""Transformations of a column: it is fitted on another scale, and told of in its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from em_cli.engine.arrays import Array, Flags

NEAREST = float(np.finfo(float).eps)  # to the ends of the unit interval
WITHIN = 0.5  # a value that every transformation can take


@dataclass(frozen=True, slots=True)
class Transform:
    """An increasing function y of x, with its inverse, and the logarithm of its slope dy/dx."""

    requirement: str  # what a cell must be, in words that follow "must be"
    holds: Callable[[Array], Flags]  # which numbers it can take
    forward: Callable[[Array], Array]
    inverse: Callable[[Array], Array]  # of any number
    log_slope: Callable[[Array], Array]  # at x
    less: float | None = None  # x is exp y less this, if it is that at all

    def taken(self, x: Array) -> tuple[Array, Array]:
        """y and the log of the slope at x; NaN and 0 where a cell is missing, a slope of 0 where none can be."""
        missing, able = np.isnan(x), self.holds(x)
        inside = np.where(able, x, WITHIN)
        y = np.where(missing, np.nan, self.forward(inside))
        return y, np.where(able, self.log_slope(inside), np.where(missing, 0.0, -np.inf))


def _logit(x: Array) -> Array:
    return np.asarray(np.log(x) - np.log1p(-x))


def _expit(y: Array) -> Array:
    return np.clip(0.5 * (1 + np.tanh(0.5 * y)), NEAREST, 1 - NEAREST)


def _exp(y: Array) -> Array:
    return np.exp(np.clip(y, -700.0, 700.0))


TRANSFORMS: Mapping[str, Transform] = {
    "log": Transform("a number > 0", lambda x: x > 0, np.log, _exp, lambda x: -np.log(x), 0.0),
    "log1p": Transform("a number > -1", lambda x: x > -1, np.log1p, lambda y: _exp(y) - 1, lambda x: -np.log1p(x), 1.0),
    "sqrt": Transform(
        "a number > 0 (at 0 the slope of a root is infinite)",
        lambda x: x > 0,
        np.sqrt,
        lambda y: y * np.abs(y),
        lambda x: -np.log(2.0) - 0.5 * np.log(x),
    ),
    "logit": Transform(
        "a number between 0 and 1, neither of them",
        lambda x: (x > 0) & (x < 1),
        _logit,
        _expit,
        lambda x: -np.log(x) - np.log1p(-x),
    ),
}


def forward(x: Array, transforms: Mapping[int, Transform]) -> Array:
    """The rows x (D, n) with some columns, by their places, on the scales on which they are fitted."""
    y = x.copy()
    for place, transform in transforms.items():
        y[place] = transform.taken(x[place])[0]
    return y
