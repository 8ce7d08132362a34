"""Mini-batch EM (Nguyen, Forbes & McLachlan 2020).

After each batch of rows, which fall into it by lot, the statistics take a step towards what it tells of all, and an
M-step follows; the steps grow smaller, and of the last half the mean is taken. A few passes go where EM goes in many.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from em_cli.algorithms.ending import NONE, ByParts, to_the_end
from em_cli.algorithms.usual import needs_plain_sums, needs_single_rows
from em_cli.engine.arrays import map_arrays
from em_cli.engine.expectation import Expectation, ModelStatistics, Parameters
from em_cli.engine.model import Model
from em_cli.engine.parts_of_rows import Part
from em_cli.engine.protocols import Query
from em_cli.parts import Option

ROWS_OF_COMPONENT = 20  # in a batch, at least
FEWEST_BATCHES = 20  # where that leaves so many rows in each


@dataclass(frozen=True, slots=True)
class MiniBatch(ByParts):
    batch: Annotated[int, Option("rows of a batch at most, where that is 20 for each component", least=1)] = 1000
    passes: Annotated[int, Option("over all rows, in batches", least=1)] = 2
    decay: Annotated[float, Option("of the steps", above=0.5, most=1)] = 0.6
    finish: Annotated[
        Literal["lbfgs", "em", "none"], Option("what goes on, over all rows at once; none ends after the passes")
    ] = "lbfgs"
    seed: Annotated[int, Option("of the batches", least=0)] = 0

    def refuses(self, model: Model) -> str | None:
        return needs_single_rows("minibatch", model) or needs_plain_sums("minibatch", model)

    def iterate(self, model: Model, start: Parameters | Expectation) -> Generator[Query, Expectation, None]:
        found = yield Query(start, plain=True, settles=False)
        of = batches_of(found, self.batch)
        parts = [Part(number, of, self.seed + turn) for turn in range(self.passes) for number in range(of)]
        last = yield Query((yield from approached(found.statistics, parts, self.decay)), settles=False)
        if self.finish != NONE:
            yield from to_the_end(self.finish, model, last)


def batches_of(found: Expectation, rows: int) -> int:
    """Into how many batches of so many rows at most the data fall."""
    n = float(found.weight.sum())
    return max(1, int(n / max(min(rows, n / FEWEST_BATCHES), ROWS_OF_COMPONENT * len(found.weight))))


def approached(
    statistics: ModelStatistics, parts: Sequence[Part], decay: float
) -> Generator[Query, Expectation, ModelStatistics]:
    """The mean of the last half of the statistics, which approach those of all rows batch by batch."""
    mean, of_half = statistics, 0
    for turn, part in enumerate(parts):
        found = yield Query(statistics, plain=True, rows=part, settles=False)
        told = map_arrays(lambda sums, of=part.of: sums * of, found.statistics)
        statistics = stepped(statistics, told, (turn + 2) ** -decay)
        if 2 * turn >= len(parts):
            of_half += 1
            mean = stepped(mean, statistics, 1 / of_half)
    return mean if of_half else statistics


def stepped(mean: ModelStatistics, towards: ModelStatistics, size: float) -> ModelStatistics:
    """s + γ (S − s), and S itself for γ = 1."""
    return towards if size == 1.0 else map_arrays(lambda s, new: s + size * (new - s), mean, towards)
