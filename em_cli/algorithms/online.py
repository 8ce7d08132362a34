"""Online EM (Cappé & Moulines 2009).

As mini-batch EM, with the rows as they come, once: of standard input it can go on for ever (`search.as_they_come`).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Annotated, Literal

from em_cli.algorithms.ending import NONE, ByParts, to_the_end
from em_cli.algorithms.minibatch import approached, batches_of
from em_cli.algorithms.usual import needs_plain_sums, needs_single_rows
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.model import Model
from em_cli.engine.parts_of_rows import Part
from em_cli.engine.protocols import Query
from em_cli.parts import Option


@dataclass(frozen=True, slots=True)
class Online(ByParts):
    batch: Annotated[int, Option("rows of a step at most, where that is 20 for each component", least=1)] = 500
    decay: Annotated[float, Option("of the steps", above=0.5, most=1)] = 0.6
    finish: Annotated[
        Literal["lbfgs", "em", "none"], Option("what goes on, over all rows at once; none ends with the last row")
    ] = "lbfgs"
    first: Annotated[int, Option("rows of a stream, from which it starts and by which columns are known", least=1)] = (
        5000
    )
    every: Annotated[int, Option("rows of a stream, after which the model so far is written", least=1)] = 100_000

    def refuses(self, model: Model) -> str | None:
        return needs_single_rows("online", model) or needs_plain_sums("online", model)

    def iterate(self, model: Model, start: Parameters | Expectation) -> Generator[Query, Expectation, None]:
        found = yield Query(start, plain=True, settles=False)
        of = batches_of(found, self.batch)
        as_they_come = [Part(number, of, None) for number in range(of)]
        last = yield Query((yield from approached(found.statistics, as_they_come, self.decay)), settles=False)
        if self.finish != NONE:
            yield from to_the_end(self.finish, model, last)
