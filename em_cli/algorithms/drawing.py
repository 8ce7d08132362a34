"""E-steps with labels that are drawn, such that no component is left with too few rows (Celeux & Diebolt 1985)."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from hashlib import sha256
from itertools import count

import numpy as np

from em_cli.engine.arrays import map_arrays
from em_cli.engine.assignment import SOFT, Sampled
from em_cli.engine.expectation import Expectation, ModelStatistics, Parameters
from em_cli.engine.model import Model
from em_cli.engine.protocols import Query

REDRAWS = 10  # before labels are shared after all


def seeds(start: Parameters, seed: int) -> Iterator[int]:
    """Of every step that climbs from this start: numbers belong to it, to the step and to the row."""
    parts = [str(seed).encode()]

    def noted(array: np.ndarray) -> np.ndarray:
        parts.append(np.asarray(array).tobytes())
        return array

    map_arrays(noted, start)
    own = int.from_bytes(sha256(b"".join(parts)).digest()[:8], "little") << 32
    return (own + step for step in count())


def fewest_rows(model: Model, start: Parameters) -> int:
    """Rows that a component needs: one more than there are columns."""
    means, _ = model.family.moments(start.components)
    return int(means.shape[1]) + 1


def drawn(
    at: Parameters | Expectation | ModelStatistics, own: Iterator[int], fewest: int, plain: bool = False
) -> Generator[Query, Expectation, Expectation]:
    """An E-step with drawn labels; drawn again where one component has fewer rows than that."""
    found = yield Query(at, assignment=Sampled(next(own)), plain=plain, settles=False)
    for _ in range(REDRAWS):
        if found.weight.min() >= fewest:
            return found
        found = yield Query(found.parameters, assignment=Sampled(next(own)), plain=plain, settles=False)
    return (yield Query(found.parameters, assignment=SOFT, plain=plain, settles=False))
