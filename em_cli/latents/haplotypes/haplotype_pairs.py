"""Unordered pairs of haplotypes, of which a genotype of unknown phase is made (Excoffier & Slatkin 1995).

A genotype is a group of rows, each a haplotype that it may hold. Those that agree where the genotype is
heterozygous are a half of it, whatever stands at its loci without an observation; halves are numbered so that the
two that make up the genotype are the first and the last, the second and the last but one, and so on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.assignment import SOFT, Assignment
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.expectation import ModelStatistics
from em_cli.engine.family import BoundFamily
from em_cli.engine.latent import Described, Posterior
from em_cli.engine.rows import Block, checked_groups
from em_cli.errors import UsageError

LEAST = 1e-300  # probability of a genotype: an extrapolation may come to none
NOT_WITH_PAIRS = "--latent pairs describes genotypes by pairs of haplotypes: it has no "


@dataclass(frozen=True, slots=True)
class Nothing:
    """The law of pairs has no parameters: the two haplotypes of a genotype are independent."""

    none: Array  # (…, 1) zeros


@dataclass(frozen=True, slots=True)
class Pairs:
    """Each genotype is made of two haplotypes, drawn independently (Hardy & Weinberg)."""

    quantities: ClassVar[Mapping[str, Quantity]] = {}
    includes: ClassVar[tuple[str, ...]] = ()
    declines: ClassVar[Mapping[str, str]] = {
        "density": NOT_WITH_PAIRS + "noise component.",
        "weights": NOT_WITH_PAIRS + "mixing weights; the frequencies of the haplotypes are fitted.",
    }
    needs_groups: ClassVar[bool] = True
    sums_are_plain: ClassVar[bool] = True
    kindred: ClassVar[None] = None
    exchangeable: ClassVar[bool] = True
    title: ClassVar[str | None] = None
    extra: ClassVar[tuple[str, ...]] = ()
    beyond: ClassVar[None] = None
    is_bayes_alone: ClassVar[bool] = False
    decoder: ClassVar[None] = None

    def refuses(self, columns: Sequence[Described], n_components: Sequence[int]) -> str | None:
        return None

    def bind(self, family: BoundFamily, columns: Columns) -> Pairs:
        raise UsageError("pairs are of haplotypes, and of no other columns.")

    @classmethod
    def of_document(cls, document: Mapping[str, object]) -> Pairs:
        return cls()

    def divergence(self, parameters: Nothing) -> float:
        return 0.0

    def log_prior(self, parameters: Nothing) -> Array:
        return np.zeros_like(parameters.none)

    def posterior(
        self,
        log_density: Array,
        parameters: Nothing,
        block: Block,
        weights: Array | None = None,
        assignment: Assignment = SOFT,
    ) -> Posterior:
        """Expected copies of each haplotype in each genotype, two in all, in place of log-frequencies (R, 1, n)."""
        if assignment != SOFT:
            raise UsageError("pairs of haplotypes are assigned by their probabilities only.")
        groups, halves = checked_groups(block), np.flatnonzero(np.diff(block.x[1], prepend=-1.0))
        first = np.searchsorted(halves, groups[:-1])
        n_halves = np.diff(np.append(first, len(halves)))
        other = np.repeat(2 * first + n_halves - 1, n_halves) - np.arange(len(halves))
        own = np.exp(log_density[:, 0], out=log_density[:, 0])
        of_other = np.add.reduceat(own, halves, axis=1)
        both = of_other * of_other[:, other]
        of_other = of_other[:, other]
        probability = np.maximum(np.add.reduceat(both, first, axis=1), LEAST)
        of_other *= 2 / np.repeat(probability, n_halves, axis=1)
        own *= np.repeat(of_other, np.diff(np.append(halves, block.n_rows)), axis=1)
        if weights is not None:
            log_density *= weights[..., None, :]
        return Posterior(np.log(probability), None)

    def total(self, log_likelihood: Array, block: Block, weights: Array | None) -> Array:
        if weights is not None:
            log_likelihood = log_likelihood * weights[..., checked_groups(block)[:-1]]
        total: Array = np.add.reduce(log_likelihood, axis=1)
        return total

    def seen(self, responsibilities: Array, block: Block) -> None:
        raise UsageError("haplotypes begin from their frequencies, and not from a partition of rows.")

    def mixed(self, statistics: Any, shares: Array) -> Any:
        return statistics

    def arranged(self, partition: Integers, n_components: int, block: Block, seed: tuple[int, ...]) -> Integers:
        return partition

    def renumbered(self, parameters: Nothing, order: Integers) -> Nothing:
        return parameters

    def settled(self, parameters: Nothing, weight: Array) -> Nothing:
        return parameters

    def maximize(self, weight: Array, statistics: None, parameters: Nothing | None) -> Nothing:
        return Nothing(np.zeros_like(weight))

    def n_parameters(self, n_components: int) -> int:
        return 0

    def to_document(self, parameters: Nothing) -> dict[str, object]:
        return {}

    def from_document(self, document: Mapping[str, object], n_components: int) -> Nothing:
        return Nothing(np.zeros(1))

    def sample(self, parameters: Nothing, n_rows: int, rng: np.random.Generator) -> Integers:
        """All of the one law of haplotypes."""
        return np.zeros(n_rows, np.intp)

    def chart(self, parameters: Nothing, weight: Array) -> NothingChart:
        return NothingChart()


@dataclass(frozen=True, slots=True)
class NothingChart:
    """Of what has no coordinates."""

    size: ClassVar[int] = 0

    def coordinates(self, parameters: Nothing) -> Array:
        return parameters.none[..., :0]

    def parameters(self, u: Array) -> Nothing:
        return Nothing(np.zeros((*u.shape[:-1], 1)))

    def gradient(self, statistics: ModelStatistics, parameters: Nothing) -> Array:
        return parameters.none[..., :0]
