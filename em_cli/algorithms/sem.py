"""Stochastic EM (Celeux & Diebolt 1985).

Every row is drawn into a component by its responsibilities, and the M-step takes the labels as they are: a Markov chain
of parameters that stays at no saddle and about the maxima. Then a climb to the end from the highest of it; without
one, the mean of the chain.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Annotated, Literal

from em_cli.algorithms.drawing import drawn, fewest_rows, seeds
from em_cli.algorithms.ending import NONE, Ending, to_the_end
from em_cli.algorithms.usual import needs_plain_sums, needs_single_rows
from em_cli.engine.arrays import add, map_arrays
from em_cli.engine.expectation import Expectation, ModelStatistics, Parameters
from em_cli.engine.model import Model
from em_cli.engine.protocols import Query
from em_cli.parts import Option


@dataclass(frozen=True, slots=True)
class SEM(Ending):
    burn_in: Annotated[int, Option("steps before those of which the mean is taken", least=0)] = 200
    steps: Annotated[int, Option("after these", least=1)] = 200
    finish: Annotated[
        Literal["lbfgs", "em", "none"], Option("what goes on from the highest; none ends with the mean of the chain")
    ] = "lbfgs"
    seed: Annotated[int, Option("of the labels that are drawn", least=0)] = 0

    def refuses(self, model: Model) -> str | None:
        return needs_single_rows("sem", model) or (needs_plain_sums("sem", model) if self.finish == NONE else None)

    def iterate(self, model: Model, start: Parameters | Expectation) -> Generator[Query, Expectation, None]:
        assert isinstance(start, Parameters), "it begins anew"
        own, fewest, plain = seeds(start, self.seed), fewest_rows(model, start), self.finish == NONE
        found = yield from drawn(start, own, fewest, plain)
        highest, total = found, None
        for step in range(self.burn_in + self.steps):
            found = yield from drawn(found.statistics if plain else found, own, fewest, plain)
            if found.log_likelihood > highest.log_likelihood:
                highest = found
            if step >= self.burn_in:
                total = found.statistics if total is None else add(total, found.statistics)
        if self.finish != NONE:
            yield from to_the_end(self.finish, model, highest.parameters)
        elif total is not None:
            yield Query(mean_of(total, self.steps), settles=False)


def mean_of(total: ModelStatistics, times: int) -> ModelStatistics:
    return map_arrays(lambda sums: sums / times, total)
