"""The traces of many climbs side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.stopping import WINDOW, Stopping

LENGTH = 64  # iterates for which there is room at first


class Traces:
    """What each of R climbs has gone by at its iterates, and when it is to end."""

    def __init__(self, begun: Sequence[Sequence[float]], stoppings: Sequence[Stopping]) -> None:
        self.length: Integers = np.array([len(trace) for trace in begun], np.intp)
        self.values = np.zeros((len(begun), max([LENGTH, *(self.length + 1)])))
        for row, trace in zip(self.values, begun, strict=True):
            row[: len(trace)] = trace
        self.tolerance = np.array([stopping.tolerance for stopping in stoppings])
        self.most = np.array([stopping.max_iterations for stopping in stoppings])

    def append(self, values: Array) -> None:
        """The next iterate (R,) of each."""
        if len(self.length) and self.length.max() == self.values.shape[1]:
            self.values = np.concatenate([self.values, np.zeros_like(self.values)], axis=1)
        self.values[np.arange(len(values)), self.length] = values
        self.length += 1

    def keep(self, going: Flags | Integers) -> None:
        """Some of the climbs, or all in another order."""
        self.values, self.length = self.values[going], self.length[going]
        self.tolerance, self.most = self.tolerance[going], self.most[going]

    def join(self, other: Traces) -> None:
        """Those of other climbs behind these."""
        longest = max(self.values.shape[1], other.values.shape[1])
        wide = [np.pad(each.values, ((0, 0), (0, longest - each.values.shape[1]))) for each in (self, other)]
        self.values, self.length = np.concatenate(wide), np.concatenate([self.length, other.length])
        self.tolerance = np.concatenate([self.tolerance, other.tolerance])
        self.most = np.concatenate([self.most, other.most])

    def of(self, climb: int) -> list[float]:
        """One trace."""
        trace: list[float] = self.values[climb, : self.length[climb]].tolist()
        return trace

    def verdicts(self) -> tuple[Flags, Flags]:
        """Which climbs (R,) have come to rest, and which end here: what `Stopping` says of each by nats."""
        last = self._back(0)
        slow = (self.length > 2) & (last - self._back(1) < self.tolerance / 1000)
        rests, own = np.zeros(len(last), np.bool_), np.flatnonzero(slow)
        if len(own):
            least = self.tolerance[own]
            rests[own] = (last[own] - self._back(WINDOW, own) < least) & (self._remaining(last[own], own) < least / 10)
        return rests, rests | (self.length >= self.most)

    def _remaining(self, last: Array, own: Integers) -> Array:
        """Nats still to gain by some of them, as `remaining` has it of one."""
        half = np.minimum(WINDOW // 2, (self.length[own] - 1) // 2)
        middle = self._back(half, own)
        late, early = last - middle, middle - self._back(2 * half, own)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = late / early
            left = np.where(late >= early, np.inf, late * ratio / (1 - ratio))
        return np.where(late <= 1e-13 * np.abs(last), 0.0, left)

    def _back(self, steps: Integers | int, own: Integers | None = None) -> Array:
        """What each, or some of them, went by so many iterates before the last, or at its first."""
        rows = np.arange(len(self.length)) if own is None else own
        values: Array = self.values[rows, np.maximum(self.length[rows] - 1 - steps, 0)]
        return values
