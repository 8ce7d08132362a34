"""How algorithms end that lead to a maximum of the likelihood, and do not climb to it themselves."""

from __future__ import annotations

from collections.abc import Generator, Mapping

from em_cli.algorithms.em import EM
from em_cli.algorithms.lbfgs import LBFGS
from em_cli.algorithms.usual import Usual
from em_cli.engine.expectation import Expectation, Parameters
from em_cli.engine.model import Model
from em_cli.engine.objectives import LOG_LIKELIHOOD
from em_cli.engine.protocols import Algorithm, Query

BY_NAME: Mapping[str, Algorithm] = {"em": EM(), "lbfgs": LBFGS()}
NONE = "none"
NO_MAXIMUM = "stochastic approximation"  # what stands for an objective where there is no such end


def to_the_end(by: str, model: Model, at: Parameters | Expectation) -> Generator[Query, Expectation, None]:
    """To the maximum, by an algorithm of this name; from what an E-step found, unless its sums are plain."""
    yield from BY_NAME[by].iterate(model, at)


class Ending(Usual):
    """It goes from every start to its end, where another climbs on to the maximum unless `finish` is none."""

    __slots__ = ()

    finish: str

    @property
    def objective(self) -> str:
        return NO_MAXIMUM if self.finish == NONE else LOG_LIKELIHOOD

    @property
    def from_starts(self) -> bool:
        return True


class ByParts(Ending):
    """So does one that looks at some of the rows at once; of many rows, starts climb on a sample first."""

    __slots__ = ()

    @property
    def on_sample(self) -> Algorithm:
        return LBFGS()
