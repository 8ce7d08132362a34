"""Stochastic approximation EM (Delyon, Lavielle & Moulines 1999).

The statistics of drawn labels are averaged, with steps that grow smaller: it begins as stochastic EM, and settles.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Annotated, Literal

from em_cli.algorithms.drawing import drawn, fewest_rows, seeds
from em_cli.algorithms.ending import NONE, Ending, to_the_end
from em_cli.algorithms.minibatch import stepped
from em_cli.algorithms.usual import needs_plain_sums, needs_single_rows
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.model import Model
from em_cli.engine.protocols import Query
from em_cli.parts import Option


@dataclass(frozen=True, slots=True)
class SAEM(Ending):
    burn_in: Annotated[int, Option("steps of full size, as stochastic EM", least=1)] = 100
    steps: Annotated[int, Option("of size t to the power of minus decay, after these", least=0)] = 200
    decay: Annotated[float, Option("of the steps", above=0.5, most=1)] = 0.8
    finish: Annotated[Literal["lbfgs", "em", "none"], Option("what goes on to the maximum; none ends where it is")] = (
        "lbfgs"
    )
    seed: Annotated[int, Option("of the labels that are drawn", least=0)] = 0

    def refuses(self, model: Model) -> str | None:
        return needs_single_rows("saem", model) or needs_plain_sums("saem", model)

    def iterate(self, model: Model, start: Parameters | Expectation) -> Generator[Query, Expectation, None]:
        assert isinstance(start, Parameters), "it begins anew"
        own, fewest = seeds(start, self.seed), fewest_rows(model, start)
        mean = (yield from drawn(start, own, fewest, True)).statistics
        for step in range(1, self.burn_in + self.steps):
            found = yield from drawn(mean, own, fewest, True)
            size = float(max(1, step - self.burn_in + 1)) ** -self.decay
            mean = stepped(mean, found.statistics, size)
        last = yield Query(mean, settles=False)
        if self.finish != NONE:
            yield from to_the_end(self.finish, model, last)
