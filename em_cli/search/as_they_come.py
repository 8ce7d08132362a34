"""Online EM on rows without an end (Cappé & Moulines 2009): constant memory, a model at any time.

Statistics take a step towards those of each batch of rows, and an M-step follows; the steps grow smaller. The model at
any time is the M-step of a mean of the statistics in which those of late weigh most, for it must forget the beginning
without knowing when the end is (polynomial-decay averaging; Shamir & Zhang 2013).
"""

from __future__ import annotations

import numpy as np

from em_cli.algorithms.minibatch import stepped
from em_cli.engine.arrays import Array, flat, map_arrays, stack, take
from em_cli.engine.expectation import ModelStatistics, Parameters
from em_cli.engine.model import Model
from em_cli.engine.passes import one_pass
from em_cli.engine.plan import Stack
from em_cli.engine.protocols import Runner
from em_cli.engine.rows import Source

LATE = 3.0  # power of the number of the step by which its statistics count: the first half of all has 6 %


class AsTheyCome:
    """A model on its way through a stream."""

    def __init__(self, model: Model, start: Parameters, first: Source, runner: Runner, decay: float, batch: int):
        self.model, self.runner, self.decay = model, runner, decay
        self.steps = first.n_rows / batch  # as if the first rows had come like those after them
        self.scale = weight_of(first)  # sums are those of so many rows
        self.refused = 0  # batches under which a component would have collapsed
        self.statistics = self.mean = self._expected(stack([start]), first)[0]
        self.at = self._maximum(self.mean)[0]

    @property
    def parameters(self) -> Parameters:
        """At this time."""
        at, sound = self._maximum(self.mean)
        return take(at if sound else self.at, 0)

    def go_on(self, statistics: ModelStatistics, mean: ModelStatistics, steps: float, refused: int) -> None:
        """From where another has come to."""
        self.statistics, self.mean, self.steps, self.refused = statistics, mean, steps, refused
        self.at = self._maximum(statistics)[0]

    def see(self, rows: Source, batch: int) -> float:
        """Learn from some rows, of which a batch has so many; their log-likelihood before that, in all."""
        found, log_likelihood = self._expected(self.at, rows)
        share = min(1.0, rows.n_rows / batch)
        moved = stepped(self.statistics, found, share * (self.steps + 2) ** -self.decay)
        at, sound = self._maximum(moved)
        if sound:
            self.statistics, self.at = moved, at
        else:
            self.refused += 1
        self.steps += share
        self.mean = stepped(self.mean, self.statistics, share * (LATE + 1) / (self.steps + LATE))
        return log_likelihood

    def log_likelihood(self, parameters: Parameters, rows: Source) -> tuple[float, Array]:
        """In all, of these rows; the responsibility (K,) that each component bears."""
        (batch,) = one_pass([Stack(self.model, stack([parameters]))], rows, self.runner)
        return float(batch.log_likelihood[0]), batch.statistics.weight[0]

    def _expected(self, at: Parameters, rows: Source) -> tuple[ModelStatistics, float]:
        """The statistics as if there were `scale` rows, and the log-likelihood."""
        (batch,) = one_pass([Stack(self.model, at, plain=True)], rows, self.runner)
        factor = self.scale / weight_of(rows)
        told = map_arrays(lambda sums: sums * factor, take(batch.statistics, 0))
        return told, float(batch.log_likelihood[0])

    def _maximum(self, statistics: ModelStatistics) -> tuple[Parameters, bool]:
        """The M-step, and whether every component rests on something."""
        at, empty = self.model.at_maximum(stack([statistics]), None)
        collapsed = self.model.family.degenerate(flat(at.components), statistics.weight)
        return at, not empty.any() and not any(collapsed)


def weight_of(rows: Source) -> float:
    """Of all rows together."""
    blocks = (rows[index] for index in range(len(rows)))
    return float(sum(block.n_rows if block.weights is None else np.sum(block.weights) for block in blocks))
