"""What a latent structure knows of the labels of rows that follow each other, in its several senses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.generic import P_told, S_told
from em_cli.engine.rows import Block


@dataclass(frozen=True, slots=True, eq=False)
class Decoded:
    """Of rows in groups."""

    responsibilities: Array  # (K, n) given all rows of the group
    filtered: Array  # (K, n) given the rows up to each, itself included
    log_density: Array  # (n,) of each row given those before it; they sum to the log-likelihood
    path: Integers  # (n,) the most probable labels of a group together
    path_log_probability: Array  # (G,) of these and the rows


class Decoder(Protocol[P_told, S_told]):
    """What a latent structure knows of the labels of groups of rows."""

    @property
    def ordered(self) -> bool:
        """Whether rows of a group follow each other, so that one label leads to the next."""

    def decode(self, log_density: Array, parameters: P_told, block: Block) -> Decoded:
        """From log-densities (K, n) of the components, and parameters without a stack."""

    def ahead(self, parameters: P_told, filtered: Array, steps: int) -> Array:
        """(K, …, steps) probabilities of the labels of the rows that follow rows of these (K, …)."""

    def law_of_first(self, parameters: P_told) -> Array:
        """(K,) probabilities of the label of the first row of a group."""

    def law_of_steps(self, parameters: P_told) -> Array:
        """(K, K) probabilities of the next label, given the one before."""

    def expected_steps(self, statistics: S_told) -> Array:
        """(K, K) how often one label is expected to follow another, from the statistics (no stack) of an E-step."""
