"""Deterministic annealing EM (Ueda & Nakano 1998).

Responsibilities are those of the joint densities to a power β, which rises to one: the softer they are, the fewer
maxima there are to be caught by. Where β is too small, all components melt into one; labels that are drawn once
after every rise part them again, not always as well as they were. So from β = 1 on the higher climbs on to a maximum
of the likelihood: where the powers have led, or where EM has from the start in as many steps.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from typing import Annotated, Literal

from em_cli.algorithms.drawing import drawn, fewest_rows, seeds
from em_cli.algorithms.ending import BY_NAME, to_the_end
from em_cli.algorithms.usual import Usual, needs_single_rows
from em_cli.engine.assignment import Tempered
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.model import Model
from em_cli.engine.protocols import Algorithm, Query
from em_cli.parts import Option


@dataclass(frozen=True, slots=True)
class Annealed(Usual):
    first: Annotated[float, Option("power of the densities to begin with", above=0, most=1)] = 0.2
    growth: Annotated[float, Option("of the power, by this factor", above=1)] = 1.3
    steps: Annotated[int, Option("at each power, at most", least=1)] = 20
    enough: Annotated[float, Option("gain of a step, in nats, below which the power rises", least=0)] = 0.1
    finish: Annotated[Literal["lbfgs", "em"], Option("what climbs from power one on")] = "lbfgs"
    seed: Annotated[int, Option("of the labels that are drawn", least=0)] = 0

    @property
    def from_starts(self) -> bool:
        return True

    @property
    def from_sample(self) -> Algorithm:
        return BY_NAME[self.finish]

    def refuses(self, model: Model) -> str | None:
        return needs_single_rows("annealed", model)

    def iterate(self, model: Model, start: Parameters | Expectation) -> Generator[Query, Expectation, None]:
        assert isinstance(start, Parameters), "it begins anew"
        at: Parameters | Expectation = start
        power, own, fewest = self.first, seeds(start, self.seed), fewest_rows(model, start)
        while power < 1.0:
            how = Tempered(power)
            found = yield Query(at, assignment=how, settles=False)
            for _ in range(self.steps - 1):
                before = found
                found = yield Query(before, assignment=how, settles=False)
                if found.objective - before.objective < self.enough:
                    break
            at, power = (yield from drawn(found, own, fewest)), power * self.growth
        if self.first < 1.0:
            at = max([(yield from self._plainly(at)), (yield from self._plainly(start))], key=_log_likelihood)
        yield from to_the_end(self.finish, model, at)

    def _plainly(self, at: Parameters | Expectation) -> Generator[Query, Expectation, Expectation]:
        """EM, for as many steps as at each power."""
        found = yield Query(at, settles=False)
        for _ in range(self.steps):
            before = found
            found = yield Query(before, settles=False)
            if found.log_likelihood - before.log_likelihood < self.enough:
                break
        return found


def _log_likelihood(found: Expectation) -> float:
    return found.log_likelihood
