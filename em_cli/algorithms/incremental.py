"""Incremental EM (Neal & Hinton 1998).

The rows fall into blocks by lot. After the E-step of a block its statistics take the place of its former ones in the
sum, and an M-step follows at once: what one block tells serves the next. With one block it is EM.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Annotated, Literal

import numpy as np

from em_cli.algorithms.ending import NONE, ByParts, to_the_end
from em_cli.algorithms.usual import needs_plain_sums, needs_single_rows
from em_cli.engine.arrays import add
from em_cli.engine.expectation import Expectation, ModelStatistics, Parameters
from em_cli.engine.model import Model
from em_cli.engine.parts_of_rows import Part
from em_cli.engine.protocols import Query
from em_cli.parts import Option

FEWEST = 20  # rows of a block


@dataclass(frozen=True, slots=True)
class Incremental(ByParts):
    blocks: Annotated[int, Option("into which the rows fall", least=1)] = 20
    sweeps: Annotated[int, Option("through all blocks, each in an order of its own", least=1)] = 5
    finish: Annotated[
        Literal["lbfgs", "em", "none"], Option("what goes on, over all rows at once; none ends after the sweeps")
    ] = "lbfgs"
    seed: Annotated[int, Option("of the blocks and their order", least=0)] = 0

    def refuses(self, model: Model) -> str | None:
        return needs_single_rows("incremental", model) or needs_plain_sums("incremental", model)

    def iterate(self, model: Model, start: Parameters | Expectation) -> Generator[Query, Expectation, None]:
        found = yield Query(start, plain=True, settles=False)
        of = max(1, min(self.blocks, int(found.weight.sum() / FEWEST)))
        parts = [Part(number, of, self.seed) for number in range(of)]
        blocks = [found.statistics] if of == 1 else (yield from _each(found.parameters, parts))
        for sweep in range(self.sweeps):
            for number in np.random.default_rng((self.seed, sweep)).permutation(of):
                found = yield Query(_sum(blocks), plain=True, rows=parts[number], settles=False)
                blocks[number] = found.statistics
        last = yield Query(_sum(blocks), settles=False)
        if self.finish != NONE:
            yield from to_the_end(self.finish, model, last)


def _each(at: Parameters, parts: Sequence[Part]) -> Generator[Query, Expectation, list[ModelStatistics]]:
    """What each part has to tell at the same parameters."""
    blocks = []
    for part in parts:
        blocks.append((yield Query(at, plain=True, rows=part, settles=False)).statistics)
    return blocks


def _sum(blocks: Sequence[ModelStatistics]) -> ModelStatistics:
    """Anew each time: differences would keep the rounding of all sums before."""
    return reduce(add, blocks)
