"""The latent structure: the joint law of the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from em_cli.engine.arrays import Array, Integers
from em_cli.engine.assignment import SOFT, Assignment
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.decoder import Decoder
from em_cli.engine.expectation import LatentStatistics, ModelStatistics
from em_cli.engine.family import BoundFamily
from em_cli.engine.generic import P, P_made, S
from em_cli.engine.owners import Owners
from em_cli.engine.rows import Block


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is believed about the labels of some rows; the responsibilities overwrite the log-densities."""

    log_likelihood: Array  # (R, U) of each unit: row, or group of rows where the structure needs them
    statistics: LatentStatistics  # of the latent structure, beyond the component weights; the weights are in it
    extra: Array | None = None  # (R, E, n) responsibilities of the outcomes beyond the components, likewise
    objective: Array | None = None  # (R, U) what climbs go by; None where that is the log-likelihood


class Described(Protocol):
    """A column, as far as a latent structure may care what is in it."""

    @property
    def name(self) -> str: ...
    @property
    def discrete(self) -> bool:
        """Whether its values are whole numbers: counts, or codes of levels."""


class Latent(Protocol[P, S]):
    """The joint law of the labels.

    As with a family, `bind` gives the same made ready for data.
    """

    title: ClassVar[str | None]  # of a model with it, behind the families; None where that is a mixture of them
    declines: ClassVar[Mapping[str, str]]  # options of other structures that this one cannot have: why
    includes: ClassVar[tuple[str, ...]]  # the names of other structures that it is with parameters held

    @property
    def quantities(self) -> Mapping[str, Quantity]:
        """What the numbers of its documents are, by the names of the fields."""

    def refuses(self, columns: Sequence[Described], n_components: Sequence[int]) -> str | None:
        """Why it does not go with such columns, or with one of these numbers of components; None if it does."""

    def bind(self, family: BoundFamily, columns: Columns) -> Latent[P, S]: ...
    @classmethod
    def of_document(cls, document: Mapping[str, object]) -> Latent[P, S]:
        """The structure, with its options, that a document speaks of; not yet bound."""

    def log_prior(self, parameters: P) -> Array:
        """What is added (R, K) to every row's log-density before `posterior`."""

    def divergence(self, parameters: P) -> Array | float:
        """(R,) nats from the prior to an approximate posterior (Kullback–Leibler); 0 of parameters that are points."""

    @property
    def needs_groups(self) -> bool:
        """Whether rows that belong together have to be looked at together; if not, the rows are the units."""

    @property
    def is_bayes_alone(self) -> bool:
        """Whether its posterior is Bayes' rule, by rows, of log-densities and its `log_prior`, and of nothing else."""

    @property
    def sums_are_plain(self) -> bool:
        """Whether statistics of different parameters add, and their M-step is the same from wherever."""

    def posterior(
        self,
        log_density: Array,
        parameters: P,
        block: Block,
        weights: Array | None = None,
        assignment: Assignment = SOFT,
    ) -> Posterior:
        """Overwrite log-densities (R, K, n) by responsibilities times the weights (n,), if there are any.

        The log-likelihood is without them. They are the case weights of the block in a pass, and none where
        rows are scored. The assignment tells what stands for the responsibilities; the log-likelihood is that
        of the parameters, whichever it is. `UsageError` if the structure does not know it.
        """

    def total(self, log_likelihood: Array, block: Block, weights: Array | None) -> Array:
        """What units of this log-likelihood (R, U) add to the objective (R,), under these weights."""

    def seen(self, responsibilities: Array, block: Block) -> S:
        """The statistics beyond the component weights, where nothing but responsibilities (R, K, n) is known."""

    def mixed(self, statistics: S, shares: Array) -> S:
        """The statistics (no stack) of components that are made of these shares (K', K) of others."""

    def arranged(self, partition: Integers, n_components: int, block: Block, seed: tuple[int, ...]) -> Integers:
        """The partition (n,) to start from in place of one that knows nothing of the structure."""

    @property
    def kindred(self) -> KindredLatent[P] | None:
        """Itself, if rows are the units, and what components bear tells all its parameters, without a prior.

        Candidates go together under those that are equal.
        """

    @property
    def exchangeable(self) -> bool:
        """Whether nothing but the rows tells the components apart, so that their numbers mean nothing."""

    def renumbered(self, parameters: P, order: Integers) -> P:
        """Parameters (no stack) of the components in this order."""

    def settled(self, parameters: P, weight: Array) -> P:
        """Parameters (no stack) with what in them follows from the weight (K,) of the components alone."""

    @property
    def decoder(self) -> Decoder[P, S] | None:
        """What tells of the labels of rows that follow each other; None where they do not."""

    def maximize(self, weight: Array, statistics: S, parameters: P) -> P: ...
    def n_parameters(self, n_components: int) -> int: ...
    def to_document(self, parameters: P) -> dict[str, object]: ...
    def from_document(self, document: Mapping[str, object], n_components: int) -> P: ...
    def sample(self, parameters: P, n_rows: int, rng: np.random.Generator) -> Integers:
        """The outcome of each row (n,): its component, or K and up for those beyond them."""

    def chart(self, parameters: P, weight: Array) -> LatentChart[P] | None: ...

    @property
    def extra(self) -> tuple[str, ...]:
        """The names of outcomes beyond the K components, such as noise.

        They have responsibilities of their own, behind those of the components. Documents hold the weight
        of each under its name.
        """

    @property
    def beyond(self) -> BeyondComponents | None:
        """What tells of rows of these outcomes; None if there are none."""


class KindredLatent(Protocol[P_made]):
    """A latent structure whose M-steps go together, whatever the numbers of components."""

    def maximize_kin(self, weight: Array, owners: Owners) -> P_made:
        """The parameters (C, …) from the weight (C,) of components one behind the other; with the bits of a stack."""


class BeyondComponents(Protocol):
    """A latent structure by which rows may belong to no component."""

    def log_density_at(self, x: Array) -> Array:
        """(E, n) of the outcomes at rows (D, n), in the user's units, missing cells integrated out."""

    def draw(self, outcomes: Integers, rng: np.random.Generator) -> Array:
        """Rows (D, n) of these outcomes (n,) beyond the components, counted from 0, in the user's units."""


class LatentChart(Protocol[P]):
    """A chart whose gradient is told the statistics of the whole model."""

    @property
    def size(self) -> int: ...
    def coordinates(self, parameters: P) -> Array: ...
    def parameters(self, u: Array) -> P: ...
    def gradient(self, statistics: ModelStatistics, parameters: P) -> Array: ...
