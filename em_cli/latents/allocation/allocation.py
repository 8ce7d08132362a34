"""Latent Dirichlet allocation: every token of a document has a topic, by the document's own shares of them.

Variational Bayes (Blei, Ng & Jordan 2003; Hoffman, Blei & Bach 2010): what a climb maximises is a lower bound
of the log evidence, with all its constants.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np

from em_cli.engine.arrays import Array, Integers, OfUnits
from em_cli.engine.assignment import SOFT, Assignment
from em_cli.engine.columns import Columns
from em_cli.engine.declared_numbers import Quantity
from em_cli.engine.documents import field
from em_cli.engine.expectation import ModelStatistics
from em_cli.engine.family import BoundFamily
from em_cli.engine.latent import Described, Posterior
from em_cli.engine.rows import Block, checked_groups
from em_cli.errors import UsageError
from em_cli.latents.allocation.concentration import fitted
from em_cli.latents.allocation.local_steps import local_steps
from em_cli.parts import Option

STEPS = 5  # of the topics' shares of documents in each pass
NOT_WITH_TOPICS = "--latent topics describes documents by the tokens of their terms: it has no "


@dataclass(frozen=True, slots=True)
class Shares:
    """The prior of the shares of topics, and where the local steps of each document begin."""

    alpha: Array  # (…, K)
    gamma: Array  # (…, K, D)


@dataclass(frozen=True, slots=True)
class Allocation:
    """Each token draws its topic by shares of its document, which come from a Dirichlet law."""

    alpha: Annotated[
        Literal["learned"] | float, Option("of the Dirichlet law of shares: learned, or of each topic", above=0)
    ] = "learned"
    eta: Annotated[float, Option("of the Dirichlet prior of the terms of a topic", above=0)] = 0.1
    documents: Integers | None = None  # (D + 1,) at which row each document begins, and how many rows there are
    anew: bool = False  # whether each pass begins from flat shares: what documents took to early they may leave again

    quantities: ClassVar[Mapping[str, Quantity]] = {}
    includes: ClassVar[tuple[str, ...]] = ()
    declines: ClassVar[Mapping[str, str]] = {
        "density": NOT_WITH_TOPICS + "noise component; a topic of its own takes what is common to all.",
        "weights": NOT_WITH_TOPICS + "mixing weights; alpha is the law of the shares: --set latent.alpha=0.1.",
    }
    needs_groups: ClassVar[bool] = True
    sums_are_plain: ClassVar[bool] = False
    kindred: ClassVar[None] = None
    exchangeable: ClassVar[bool] = True
    title: ClassVar[str | None] = None
    extra: ClassVar[tuple[str, ...]] = ()
    beyond: ClassVar[None] = None
    is_bayes_alone: ClassVar[bool] = False
    decoder: ClassVar[None] = None

    def refuses(self, columns: Sequence[Described], n_components: Sequence[int]) -> str | None:
        return None

    def bind(self, family: BoundFamily, columns: Columns) -> Allocation:
        raise UsageError("topics are laws of the terms of documents, and of no other columns.")

    def of(self, documents: Integers) -> Allocation:
        """Bound to documents."""
        return replace(self, documents=documents)

    @classmethod
    def of_document(cls, document: Mapping[str, object]) -> Allocation:
        alpha = "learned" if document.get("alpha_learned", True) else float(field(document, "alpha")[0])
        return cls(alpha if isinstance(alpha, float) else "learned", float(field(document, "eta")))

    def start(self, n_components: int, lengths: Array) -> Shares:
        """The prior to begin with, and flat shares (K, D) of documents with so many tokens (D,)."""
        alpha = np.full(n_components, self.alpha if isinstance(self.alpha, float | int) else 1 / n_components)
        return flat(alpha, lengths)

    def divergence(self, parameters: Any) -> float:
        """Those of the documents are part of what they are worth."""
        return 0.0

    def log_prior(self, parameters: Shares) -> Array:
        """Nothing is added to rows: the shares are those of documents."""
        return np.zeros_like(parameters.alpha)

    def posterior(
        self,
        log_density: Array,
        parameters: Shares,
        block: Block,
        weights: Array | None = None,
        assignment: Assignment = SOFT,
    ) -> Posterior:
        """Some local steps from where the last pass left them; responsibilities are expected tokens."""
        if assignment != SOFT or weights is not None:
            raise UsageError("tokens are assigned to topics by their probabilities only, and each counts once.")
        groups = checked_groups(block)
        assert self.documents is not None, "it is bound"
        first = int(np.searchsorted(self.documents, block.first_row))
        own = parameters.gamma[..., first : first + len(groups) - 1]
        np.exp(log_density, out=log_density)
        if self.anew:
            own = flat(parameters.alpha, np.add.reduceat(block.x[1], groups[:-1])).gamma
        found = local_steps(log_density, block.x[1], groups, parameters.alpha, own, STEPS)
        return Posterior(found.bound, (found.expected_log.sum(axis=2), OfUnits((found.gamma,))))

    def total(self, log_likelihood: Array, block: Block, weights: Array | None) -> Array:
        total: Array = np.add.reduce(log_likelihood, axis=1)
        return total

    def seen(self, responsibilities: Array, block: Block) -> None:
        raise UsageError("topics begin from topics, and not from a partition of rows.")

    def mixed(self, statistics: object, shares: Array) -> Any:
        return statistics

    def arranged(self, partition: Integers, n_components: int, block: Block, seed: tuple[int, ...]) -> Integers:
        return partition

    def renumbered(self, parameters: Shares, order: Integers) -> Shares:
        return Shares(parameters.alpha[order], parameters.gamma[order])

    def settled(self, parameters: Shares, weight: Array) -> Shares:
        return parameters

    def maximize(self, weight: Array, statistics: tuple[Array, Array], parameters: Shares) -> Shares:
        expected_log, gamma = statistics
        if self.alpha != "learned":
            return Shares(parameters.alpha, gamma)
        return Shares(fitted(parameters.alpha, expected_log, gamma.shape[-1]), gamma)

    def n_parameters(self, n_components: int) -> int:
        return n_components if self.alpha == "learned" else 0

    def to_document(self, parameters: Shares) -> dict[str, object]:
        return {"alpha": parameters.alpha.tolist(), "alpha_learned": self.alpha == "learned", "eta": self.eta}

    def from_document(self, document: Mapping[str, object], n_components: int) -> Shares:
        return Shares(np.array(document["alpha"], np.float64), np.empty((n_components, 0)))

    def sample(self, parameters: Shares, n_rows: int, rng: np.random.Generator) -> Integers:
        """The topics of tokens of as many documents."""
        return np.array([rng.choice(len(parameters.alpha), p=rng.dirichlet(parameters.alpha)) for _ in range(n_rows)])

    def chart(self, parameters: Shares, weight: Array) -> SharesChart:
        return SharesChart(parameters)


def flat(alpha: Array, lengths: Array) -> Shares:
    """Equal shares (…, K, D) of all topics in documents with so many tokens (D,)."""
    return Shares(alpha, alpha[..., None] + lengths / alpha.shape[-1])


@dataclass(frozen=True, slots=True)
class SharesChart:
    """√γ times the change of log γ, and likewise of α, at no stack."""

    base: Shares

    @property
    def _flat(self) -> Array:
        return _flat(self.base)

    @property
    def size(self) -> int:
        return int(self._flat.shape[-1])

    def coordinates(self, parameters: Shares) -> Array:
        coordinates: Array = np.log(_flat(parameters) / self._flat) * np.sqrt(self._flat)
        return coordinates

    def parameters(self, u: Array) -> Shares:
        at = self._flat * np.exp(np.clip(u / np.sqrt(self._flat), -30, 30))
        k, d = self.base.gamma.shape[-2:]
        return Shares(at[..., :k], at[..., k:].reshape(*at.shape[:-1], k, d))

    def gradient(self, statistics: ModelStatistics, parameters: Shares) -> Array:
        raise NotImplementedError("only squarem takes these coordinates, and it asks for no slope")


def _flat(shares: Shares) -> Array:
    gamma = shares.gamma
    return np.concatenate([shares.alpha, gamma.reshape(*gamma.shape[:-2], -1)], axis=-1)
