"""The interchangeable parts of a fit, one protocol each."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from em_cli.engine.arrays import Array, Integers, take

if TYPE_CHECKING:
    from em_cli.engine.columns import Columns
    from em_cli.engine.model import Model

Item = TypeVar("Item")
Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Block:
    """Consecutive rows of the data, in the user's units."""

    index: int  # place in the source, 0 … B-1
    x: Array  # (D, n), NaN where a cell is missing
    weights: Array | None = None  # (n,) case weights; None means ones
    labels: Integers | None = None  # (n,) component of each row where it is known, else -1; None means nowhere

    def cut(self, rows: slice | Integers) -> Block:
        """Some of the rows."""
        weights = None if self.weights is None else self.weights[rows]
        labels = None if self.labels is None else self.labels[rows]
        x = self.x[:, rows] if isinstance(rows, slice) else self.x.take(rows, axis=1)  # the columns stay contiguous
        return Block(self.index, x, weights, labels)


class Source(Protocol):
    """The data, cut into blocks that can be read in any order, any number of times."""

    @property
    def n_rows(self) -> int: ...
    @property
    def n_columns(self) -> int: ...
    def __len__(self) -> int: ...
    def __getitem__(self, index: int) -> Block: ...


@dataclass(frozen=True, slots=True)
class Collapse:
    """Why a component is degenerate: its likelihood is high for no good reason."""

    reason: str
    at_floor: bool  # it is held up only by the resolution of the data


class Family(Protocol):
    """A component distribution, for all K components of all R stacked candidates at once.

    A family as the user names it holds options only. `bind` gives the same family made ready for
    data: it then knows their location, scale and resolution, computes in coordinates of its
    own, and never lets them out: documents hold parameters in the user's units.

    Cells may be missing (NaN) in the columns that `Columns.gaps` names: they are integrated out
    of the density, and no more is said of them in `base_measure`.
    """

    def bind(self, columns: Columns) -> Family: ...

    def n_features(self) -> int:
        """F, the number of features of a row."""

    def features(self, x: Array, out: Array) -> None:
        """Write the features (F, n) of the rows x (D, n): all that the two steps need of them."""

    def base_measure(self, x: Array) -> Array:
        """The part (n,) of the log-density that no parameter changes, Jacobian of the coordinates included."""

    def embedding(self, x: Array) -> Array:
        """The rows (E, n) in coordinates where Euclidean distance means something, for starts."""

    def log_density(self, features: Array, parameters: Any, offset: Array, out: Array) -> None:
        """Write (R, K, n): log-density less base measure, plus the offset (R, K)."""

    def statistics(self, features: Array, responsibilities: Array, parameters: Any) -> Array:
        """Sufficient statistics (R, K, S) of responsibilities (R, K, n); the first is the component's weight.

        They add over rows and scale with weights. Their frame of reference may be `parameters`.
        """

    def maximize(self, statistics: Array, parameters: Any) -> Any:
        """The M-step: the maximum-likelihood parameters, stacked as the statistics are. It never raises."""

    def n_parameters(self, n_components: int) -> int:
        """Free parameters of the components, mixing weights not counted."""

    def collapsed(self, parameters: Any, support: Array) -> list[Collapse | None]:
        """Which of K components (no stack; support (K,) in distinct rows) are degenerate, and why."""

    def moments(self, parameters: Any) -> tuple[Array, Array]:
        """Mean and standard deviation (K, D) of each component, in the user's units."""

    def to_document(self, parameters: Any) -> dict[str, Any]:
        """The parameters (no stack) in the user's units, under the names of the field."""

    def from_document(self, document: Mapping[str, Any], n_components: int) -> Any:
        """The inverse of `to_document`, for this family's coordinates; `DataError` names a bad field."""

    def sample(self, parameters: Any, labels: Integers, rng: Any) -> Array:
        """Draw one row (D, n) per label, in the user's units."""

    @property
    def coupled(self) -> bool:
        """Whether the M-step of one component depends on the others."""

    def expected_log_density(self, statistics: Array, parameters: Any) -> Array:
        """Σ_n r_nk log f_k(x_n) less base measure (…, K), from statistics whose frame is not `parameters`."""

    def chart(self, parameters: Any, weight: Array) -> Chart | None:
        """Local coordinates about parameters (no stack) whose components bear the weight (K,), if it has any."""


class Weighing(Protocol):
    """A family whose components weigh rows by their parameters: statistics without a frame know nothing of that."""

    def frame(self, parameters: Any) -> Any:
        """These parameters as a frame in which the statistics of different components are of one kind, and add."""


class Conjugate(Protocol):
    """A family that has a weak prior for its components."""

    def pseudo_statistics(self, parameters: Any, plain: bool) -> Array:
        """(R, K, S) those of one pseudo-observation of each component, spread as the data are.

        It stands where these parameters say; the frame is theirs, or none if they are to be `plain`.
        """


class Completing(Protocol):
    """A family that can fill missing cells."""

    def complete(self, x: Array, parameters: Any, responsibilities: Array) -> Array:
        """The rows (D, n) with each missing cell at its conditional mean under the mixture, or its likeliest value.

        The parameters carry no stack; the responsibilities are (K, n).
        """

    def draw(self, x: Array, parameters: Any, labels: Integers, rng: Any) -> Array:
        """The rows (D, n) with missing cells drawn, given the other cells and the component (n,) of each row."""


class Chart(Protocol):
    """Local coordinates u (P,): zero at its base point, where the complete-data information is the identity."""

    def coordinates(self, parameters: Any) -> Array: ...
    def parameters(self, u: Array) -> Any: ...
    def gradient(self, statistics: Array, parameters: Any) -> Array:
        """(P,) of the log-likelihood, from the statistics of an E-step at these parameters."""


@dataclass(frozen=True, slots=True)
class Posterior:
    """What is believed about the labels of some rows; the responsibilities overwrite the log-densities."""

    log_likelihood: Array  # (R, n) of each row
    statistics: Any  # of the latent structure, beyond the component weights, case weights in it; None if it needs none


class Latent(Protocol):
    """The joint law of the labels.

    As with a family, `bind` gives the same made ready for data.
    """

    def bind(self, family: Family, columns: Columns) -> Latent: ...
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


@dataclass(frozen=True, slots=True)
class Parameters:
    """Of a whole mixture; every array may carry a leading axis R of stacked candidates."""

    latent: Any
    components: Any


@dataclass(frozen=True, slots=True)
class ModelStatistics:
    """Sums over rows that an M-step needs."""

    components: Array  # (R, K, S)
    latent: Any

    @property
    def weight(self) -> Array:
        """(R, K) responsibility each component bears."""
        return self.components[..., 0]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What one pass found at the parameters of R stacked candidates of a model."""

    parameters: Parameters
    log_likelihood: Array  # (R,) total, in nats, of exactly these parameters; their log-prior is added, if there is one
    statistics: ModelStatistics


@dataclass(frozen=True, slots=True, eq=False)
class Expectation:
    """What an E-step found at some parameters: one candidate of a batch."""

    batch: Batch
    index: int

    @property
    def log_likelihood(self) -> float:
        return float(self.batch.log_likelihood[self.index])

    @property
    def parameters(self) -> Parameters:
        return take(self.batch.parameters, self.index)

    @property
    def statistics(self) -> ModelStatistics:
        return take(self.batch.statistics, self.index)

    @property
    def weight(self) -> Array:
        """(K,) responsibility each component bears."""
        weight: Array = self.batch.statistics.weight[self.index]
        return weight


@dataclass(frozen=True, slots=True)
class Query:
    """One E-step that an algorithm wants run: at parameters, or at the M-step of what another one found.

    A trial becomes an iterate only if it is not lower than the last one. Parameters that are tried need not
    have a finite log-likelihood.
    """

    at: Parameters | Expectation
    trial: bool = False
    to_gain: float | None = None  # nats above the last iterate that the algorithm expects; None if it does not say


class Algorithm(Protocol):
    """A way to climb: it asks for E-steps and is told what they found. It computes neither step itself."""

    @property
    def forgetful(self) -> bool:
        """Whether what it asks next depends on nothing but the last answer."""

    def iterate(self, model: Model, start: Parameters) -> Generator[Query, Expectation, None]: ...


class Start(Protocol):
    """A place to climb from: a partition of some rows, made anew from each seed."""

    def labels(
        self, embedding: Array, n_components: int, seed: tuple[int, ...], weights: Array | None = None
    ) -> Integers: ...


class Runner(Protocol):
    """A place to compute."""

    def map(self, task: Callable[[Source, Item], Answer], source: Source, items: Iterable[Item]) -> Iterator[Answer]:
        """Answers in the order of the items, whoever computes them."""
        ...
