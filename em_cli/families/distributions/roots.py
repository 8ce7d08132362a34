"""Newton's iteration on many numbers at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from em_cli.engine.arrays import Array

CLOSE = 1e-9  # a step so small, the iteration converging quadratically, is the last one
MOST_STEPS = 50
LONGEST_STEP = 3.0


def settled(steps: Callable[[tuple[Array, ...]], tuple[Array, ...]], start: tuple[Array, ...]) -> tuple[Array, ...]:
    """Where the steps lead; each number rests when its own step is small, whatever its company does."""
    at = start
    moving = np.ones(np.broadcast_shapes(*[part.shape for part in start]), np.bool_)
    for _ in range(MOST_STEPS):
        step = [np.where(moving, np.clip(part, -LONGEST_STEP, LONGEST_STEP), 0.0) for part in steps(at)]
        at = tuple(part + own for part, own in zip(at, step, strict=True))
        moving = np.logical_or.reduce([np.abs(own) > CLOSE for own in step])
        if not moving.any():
            break
    return at
