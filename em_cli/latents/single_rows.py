"""What the latent structures share under which the labels of rows are independent."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

from em_cli.engine.arrays import Array, Integers, map_arrays
from em_cli.engine.rows import Block
from em_cli.latents.bayes import weighted_sum

Statistics = TypeVar("Statistics")


class SingleRows:
    """Rows are the units, components are told apart by their densities alone, and no row tells of the next."""

    title: ClassVar[str | None] = None
    needs_groups: ClassVar[bool] = False
    sums_are_plain: ClassVar[bool] = True
    exchangeable: ClassVar[bool] = True
    decoder: ClassVar[None] = None
    is_bayes_alone: ClassVar[bool] = False

    __slots__ = ()

    def divergence(self, parameters: Any) -> Array | float:
        return 0.0

    def total(self, log_likelihood: Array, block: Block, weights: Array | None) -> Array:
        return weighted_sum(log_likelihood, weights)

    def seen(self, responsibilities: Array, block: Block) -> None:
        return None

    def mixed(self, statistics: Statistics, shares: Array) -> Statistics:
        return statistics

    def arranged(self, partition: Integers, n_components: int, block: Block, seed: tuple[int, ...]) -> Integers:
        return partition

    def renumbered(self, parameters: Any, order: Integers) -> Any:
        return map_arrays(lambda array: array[order], parameters)

    def settled(self, parameters: Any, weight: Array) -> Any:
        return parameters
