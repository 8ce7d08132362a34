"""The traces of many climbs side by side."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from em_cli.engine.arrays import Array, Flags, Integers
from em_cli.engine.stopping import BELIEVED, WINDOW, Stopping, rests_by_nats

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
        rows, place = np.arange(len(self.length)), self.length - 1
        gain = self.values[rows, place] - self.values[rows, np.maximum(place - 1, 0)]
        rests = np.zeros(len(rows), np.bool_)
        for climb in np.flatnonzero((self.length > 2) & (gain < self.tolerance / BELIEVED)).tolist():
            latest = self.values[climb, max(0, place[climb] - WINDOW) : place[climb] + 1]
            rests[climb] = rests_by_nats(latest.tolist(), float(self.tolerance[climb]))
        return rests, rests | (self.length >= self.most)
