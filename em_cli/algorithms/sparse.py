"""Sparse EM: truncated responsibilities, with the components near the likeliest one for candidates (Forster & Lücke
2018; Neal & Hinton 1998, §5).

Of many components a row bears on few. An E-step looks at so many of them for each row; with all of them it is EM.
L-BFGS climbs the bound of the log-likelihood that these make, which is as smooth, and whose slope follows from the
truncated statistics. Between such climbs a few E-steps look at all components: what is far from a row draws it, too. In
the first climb what is far has no share of a row; after it, it keeps the one that it had, so that the bound has the
slope of the log-likelihood where a climb begins, and rounds of them lead to its maximum. Where these do not
gain less and less, a climb with all components goes on.

Where rows bear on more components than that, the bound is about something else: components that share their rows with
many others dwindle. Then it is left to a climb with all of them.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, replace
from math import inf
from typing import Annotated, Literal

from em_cli.algorithms.drawing import fewest_rows
from em_cli.algorithms.em import EM
from em_cli.algorithms.ending import NONE, ByParts, to_the_end
from em_cli.algorithms.lbfgs import LBFGS
from em_cli.algorithms.usual import needs_plain_sums, needs_single_rows
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.few_components import Few
from em_cli.engine.model import Model
from em_cli.engine.protocols import Query
from em_cli.parts import Option

FEWEST = 1.0  # rows of a component
SETTLING = 20  # EM steps with few components, before L-BFGS climbs
LOOKS = 3  # steps with all components, before some are chosen anew
WINDOW = 5  # iterates of a climb with few, which have to gain something
FAR = 0.1  # nats a row between the log-likelihood and its bound, with which few components are too few


@dataclass(frozen=True, slots=True)
class Sparse(ByParts):
    components: Annotated[int, Option("that are looked at for each row", least=1)] = 8
    steps: Annotated[int, Option("before they are chosen anew, at most", least=2)] = 80
    rounds: Annotated[int, Option("of so many steps, at most", least=1)] = 100
    enough: Annotated[float, Option("gain of a round, in nats, below which it is the last", least=0)] = 0.1
    finish: Annotated[
        Literal["lbfgs", "em", "none"], Option("what goes on, with all components; none ends after the rounds")
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
        found = begun = yield from self._looked(found)
        bound = yield Query(
            found.parameters, assignment=Few.near(model, found, self.components), plain=True, settles=False
        )
        too_few = found.log_likelihood - bound.objective > FAR * found.weight.sum()
        if not (too_few and self.finish != NONE):
            found = yield from self._rounds(model, found)
        if self.finish != NONE:
            dwindled = found.weight.min() < fewest_rows(model, found.parameters) <= begun.weight.min()
            yield from to_the_end(self.finish, model, begun.parameters if dwindled else found.parameters)

    def _looked(self, found: Expectation) -> Generator[Query, Expectation, Expectation]:
        """EM with all components."""
        for _ in range(LOOKS):
            found = yield Query(found.statistics, plain=True, settles=False)
        return found

    def _rounds(self, model: Model, found: Expectation) -> Generator[Query, Expectation, Expectation]:
        """Where climbs with few components lead."""
        found = yield from self._settled(model, found)
        best = yield from self._looked(found)
        gained = inf
        for number in range(self.rounds):
            found = yield from self._looked((yield from self._ascended(model, best, keeps=number > 0)))
            gain = found.log_likelihood - best.log_likelihood
            if gain > 0:
                best = found
            if number > 0 and (gain < self.enough or gain > gained):
                break
            gained = gain if number > 0 else inf
        return best if best is found else (yield Query(best.parameters, plain=True, settles=False))

    def _settled(self, model: Model, found: Expectation) -> Generator[Query, Expectation, Expectation]:
        """EM with few components, until these have settled."""
        few = Few.near(model, found, self.components)
        for _ in range(SETTLING):
            found = yield Query(found.statistics, assignment=few, plain=True, settles=False)
            if found.weight.min() < FEWEST:  # nobody's rows have it near
                return (yield Query(found.parameters, plain=True, settles=False))
        return found

    def _ascended(self, model: Model, found: Expectation, keeps: bool) -> Generator[Query, Expectation, Expectation]:
        """L-BFGS with few components, for as long as it gains and every component has rows."""
        few, bounds = Few.near(model, found, self.components, keeps), list[float]()
        asking = LBFGS().iterate(model, found)
        asked = next(asking)
        for _ in range(self.steps):
            at = asked.at.statistics if isinstance(asked.at, Expectation) else asked.at
            told = yield replace(asked, at=at, expected_gain=None, assignment=few, plain=True, settles=False)
            if not asked.trial or told.objective >= bounds[-1]:
                if told.weight.min() < FEWEST:
                    break
                found = told
                bounds.append(found.objective)
            if len(bounds) > WINDOW and bounds[-1] - bounds[-1 - WINDOW] < self.enough / 2:
                break
            asked = asking.send(told)
        return found
