"""The latent structure: the joint law of the labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

from em_cli.engine.arrays import Array, Integers

if TYPE_CHECKING:
    from em_cli.engine.columns import Columns
from em_cli.engine.expectation import ModelStatistics
from em_cli.engine.family import BoundFamily
from em_cli.engine.rows import Block


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is believed about the labels of some rows; the responsibilities overwrite the log-densities."""

    log_likelihood: Array  # (R, n) of each row
    statistics: Any  # of the latent structure, beyond the component weights, case weights in it; None if it needs none


class Described(Protocol):
    """A column, as far as a latent structure may care what is in it."""

    @property
    def name(self) -> str: ...
    @property
    def discrete(self) -> bool:
        """Whether its values are whole numbers: counts, or codes of levels."""


class Latent(Protocol):
    """The joint law of the labels.

    As with a family, `bind` gives the same made ready for data.
    """

    declines: ClassVar[Mapping[str, str]]  # options of other structures that this one cannot have: why

    def refuses(self, columns: Sequence[Described], n_components: Sequence[int]) -> str | None:
        """Why it does not go with such columns, or with one of these numbers of components; None if it does."""

    def bind(self, family: BoundFamily, columns: Columns) -> Latent: ...
    @classmethod
    def of_document(cls, document: Mapping[str, Any]) -> Latent:
        """The structure, with its options, that a document speaks of; not yet bound."""

    def log_prior(self, parameters: Any) -> Array:
        """What is added (R, K) to every row's log-density before `posterior`."""

    def posterior(self, log_density: Array, parameters: Any, block: Block) -> Posterior: ...
    def maximize(self, weight: Array, statistics: Any, parameters: Any) -> Any: ...
    def n_parameters(self, n_components: int) -> int: ...
    def to_document(self, parameters: Any) -> dict[str, Any]: ...
    def from_document(self, document: Mapping[str, Any], n_components: int) -> Any: ...
    def sample(self, parameters: Any, n_rows: int, rng: Any) -> Integers:
        """The component of each row (n,); K stands for noise."""

    def chart(self, parameters: Any, weight: Array) -> LatentChart | None: ...

    @property
    def has_noise(self) -> bool:
        """Whether rows may belong to no component."""


class Noisy(Protocol):
    """A latent structure by which rows may belong to no component."""

    def draw(self, n_rows: int, rng: Any) -> Array:
        """Such rows (D, n), in the user's units."""


class LatentChart(Protocol):
    """A chart whose gradient is told the statistics of the whole model."""

    @property
    def size(self) -> int: ...
    def coordinates(self, parameters: Any) -> Array: ...
    def parameters(self, u: Array) -> Any: ...
    def gradient(self, statistics: ModelStatistics, parameters: Any) -> Array: ...
