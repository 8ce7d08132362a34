"""Yes or no: columns of independent Bernoulli variables given the component."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from em_cli.engine.arrays import Array
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Parameter
from em_cli.families.distributions.columnwise import Columnwise
from em_cli.families.distributions.declared import Declared
from em_cli.families.distributions.distribution import Values
from em_cli.families.distributions.level_priors import LevelPriors
from em_cli.families.distributions.parameters import from_zero_to_one
from em_cli.families.distributions.support import YES_OR_NO, Support

SMALLEST = 1e-300  # stands for a probability of zero where its logarithm is wanted


@dataclass(frozen=True, slots=True)
class Bernoulli:
    """Yes or no: columns of independent Bernoulli variables given the component."""

    describes: ClassVar[str] = "binary"
    title: ClassVar[str] = "Bernoulli mixture"
    comparable: ClassVar[bool] = True
    narrowest: ClassVar[float] = 0.0
    support: ClassVar[Support] = YES_OR_NO
    parameters: ClassVar[tuple[Parameter, ...]] = (Parameter("probabilities", from_zero_to_one()),)

    def bind(self, columns: Columns) -> Columnwise:
        own = BernoulliDistribution(columns)
        declared = Declared(self, own, columns, filling=own.likelier)
        return Columnwise(declared, columns, priors=LevelPriors((2,) * len(columns.mean), coded=True))


@dataclass(frozen=True, slots=True, eq=False)
class BernoulliDistribution:
    """Probabilities p of a one, zero and one allowed. The likelihood is bounded: no component can collapse."""

    columns: Columns

    def features(self, x: Array, out: Array) -> None:
        out[...] = x

    def base_measure(self, x: Array) -> Array:
        return np.zeros_like(x)

    def natural(self, values: Values) -> tuple[Array, Array]:
        (p,) = values
        no = np.log(np.maximum(1 - p, SMALLEST))
        return no, np.log(np.maximum(p, SMALLEST)) - no

    def maximize(self, weight: Array, sums: Array) -> Values:
        return (np.minimum(sums / weight, 1.0),)

    def typical(self) -> Array:
        return self.columns.mean

    def moments(self, values: Values) -> tuple[Array, Array]:
        (p,) = values
        return p, np.sqrt(p * (1 - p))

    def likelier(self, values: Values, responsibilities: Array) -> Array:
        """What is likelier."""
        return (values[0].T @ responsibilities > 0.5).astype(np.float64)

    def sample(self, values: Values, rng: np.random.Generator) -> Array:
        return (rng.random(values[0].shape) < values[0]).astype(np.float64)

    def score(self, weight: Array, sums: Array, values: Values) -> Values:
        return (sums - weight * values[0],)

    def information(self, values: Values) -> list[list[Array]]:
        return [[values[0] * (1 - values[0])]]
