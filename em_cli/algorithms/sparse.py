"""Sparse EM: truncated responsibilities, with the components near the likeliest one for candidates (Forster & Lücke
2018; Neal & Hinton 1998, §5).

Of many components a row bears on few. Each E-step looks at so many of them for each row, which are chosen anew after
some steps; with all components it is EM.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Annotated, Literal

from em_cli.algorithms.em import EM
from em_cli.algorithms.ending import NONE, ByParts, to_the_end
from em_cli.algorithms.usual import needs_plain_sums, needs_single_rows
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.few_components import Few
from em_cli.engine.model import Model
from em_cli.engine.protocols import Query
from em_cli.parts import Option

FEWEST = 1.0  # rows of a component


@dataclass(frozen=True, slots=True)
class Sparse(ByParts):
    components: Annotated[int, Option("that are looked at for each row", least=1)] = 8
    steps: Annotated[int, Option("before they are chosen anew", least=2)] = 20
    rounds: Annotated[int, Option("of so many steps, at most", least=1)] = 100
    enough: Annotated[float, Option("gain of a round, in nats, below which it ends", least=0)] = 0.1
    finish: Annotated[
        Literal["lbfgs", "em", "none"], Option("what climbs on, with all components; none ends after the rounds")
    ] = "lbfgs"

    def refuses(self, model: Model) -> str | None:
        if model.latent.extra:
            return "--algorithm sparse knows components alone: leave --noise out; em, squarem and lbfgs know it."
        return needs_single_rows("sparse", model) or needs_plain_sums("sparse", model)

    def iterate(self, model: Model, start: Parameters | Expectation) -> Generator[Query, Expectation, None]:
        if self.components >= model.n_components:
            yield from EM().iterate(model, start)
            return
        found = yield Query(start, plain=True, settles=False)
        for _ in range(self.rounds):
            found, gain = yield from self._round(model, found)
            if gain < self.enough:
                break
        last = yield Query(found.statistics, settles=False)
        if self.finish != NONE:
            yield from to_the_end(self.finish, model, last)

    def _round(self, model: Model, found: Expectation) -> Generator[Query, Expectation, tuple[Expectation, float]]:
        """Steps with the same candidates; what they have found, and the nats that they have gained."""
        few, bounds = Few.near(model, found, self.components), list[float]()
        for _ in range(self.steps):
            found = yield Query(found.statistics, assignment=few, plain=True, settles=False)
            bounds.append(found.objective)
            if found.weight.min() < FEWEST:  # nobody's rows have it near: all components are looked at once
                found = yield Query(found.parameters, plain=True, settles=False)
                return found, float("inf")
        return found, bounds[-1] - bounds[0]
